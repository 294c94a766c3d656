/** Where intros and credits are, found in real files: from the sound that they share, and from the dark and silent pause. */
import { describe, expect, it } from 'vitest';
import { JINGLE_MS, episode, film, talk } from '#test/support/episodes.ts';
import { clip } from '#test/support/media.ts';
import { creditsOfPauses, endSearchFromMs, introOfSharedSound } from '#engine/media/marker-finding.ts';
import { findCommonSound } from '#engine/media/sound-match.ts';
import { findDarkPauses } from './dark-pauses.ts';
import { probe } from './probe.ts';
import { soundPrint } from './sound-print.ts';
import { temporaryFolder } from '#test/support/rendition.ts';

function wordsOf(path: string): Uint32Array {
  const { media } = probe(path);
  const untilMs = media.durationMs!;
  return soundPrint(path, {
    scratchFolder: temporaryFolder(),
    trackIndex: media.audio[0]!.index,
    startMs: media.startMs,
    fromMs: 0,
    untilMs,
    timeLimitMs: 60_000,
  });
}

describe('sound that files share', () => {
  it('[PLAY66] a jingle in three of them is found within a second, in other codecs too', async () => {
    const starts = [12, 31, 20];
    const words = [
      wordsOf(await episode(1, starts[0]!)),
      wordsOf(await episode(2, starts[1]!, ['-c:a', 'libmp3lame', '-b:a', '128k'])),
      wordsOf(await episode(3, starts[2]!, ['-c:a', 'ac3', '-b:a', '192k', '-ac', '2'])),
    ];
    for (const [i, own] of words.entries()) {
      const shared = words.flatMap((other, k) => {
        const common = k === i ? null : findCommonSound(own, other, 10_000);
        return common ? [{ startMs: common.aStartMs, lengthMs: common.lengthMs }] : [];
      });
      const intro = introOfSharedSound(shared, 2);
      expect(intro, `episode ${i + 1}`).toMatchObject({ kind: 'intro', confidence: 90 });
      expect(Math.abs(intro!.startMs - starts[i]! * 1_000)).toBeLessThan(1_000);
      expect(Math.abs(intro!.endMs - starts[i]! * 1_000 - JINGLE_MS)).toBeLessThan(1_000);
    }
  });

  it('[PLAY66] ordinary files share nothing: other sound, silence, a tone', async () => {
    const others = await Promise.all(
      [
        { name: 'talk-a.mka', graph: talk(11, 80) },
        { name: 'talk-b.mka', graph: talk(12, 80) },
        { name: 'silent.mka', graph: 'anullsrc=r=44100:cl=mono:d=80' },
        { name: 'silent-too.mka', graph: 'anullsrc=r=44100:cl=mono:d=70' },
        { name: 'tone.mka', graph: 'sine=frequency=440:duration=80' },
        { name: 'tone-too.mka', graph: 'sine=frequency=440:duration=70' },
      ].map(({ name, graph }) => clip({ name, args: ['-f', 'lavfi', '-i', graph, '-c:a', 'flac'] })),
    );
    const words = others.map(wordsOf);
    for (const [i, a] of words.entries()) {
      for (const b of words.slice(i + 1)) expect(findCommonSound(a, b, 10_000)).toBeNull();
    }
  });
});

function creditsOf(path: string) {
  const { media } = probe(path);
  const durationMs = media.durationMs!;
  const pauses = findDarkPauses(path, {
    video: media.video[0]!,
    audioIndex: media.audio[0]!.index,
    startMs: media.startMs,
    durationMs,
    fromMs: endSearchFromMs(durationMs),
    timeLimitMs: 60_000,
  });
  return creditsOfPauses(pauses, durationMs);
}

describe('the dark and silent pause before the credits', () => {
  it.each(['end.mkv', 'end.mp4', 'end.ts'])('[PLAY65] is found in %s', async (name) => {
    const credits = creditsOf(
      await film(name, [
        ['film', 40],
        ['gap', 3],
        ['words', 25],
      ]),
    );
    expect(credits).toMatchObject({ kind: 'credits', source: 'detected' });
    expect(Math.abs(credits!.startMs - 40_000)).toBeLessThan(1_000);
    expect(credits!.confidence).toBeGreaterThanOrEqual(70);
  });

  it.each([
    ['a film without a pause', [['film', 60]]],
    [
      'a pause between two scenes',
      [
        ['film', 40],
        ['gap', 3],
        ['film', 25],
      ],
    ],
    [
      'a scene in the dark that is loud',
      [
        ['film', 40],
        ['dark', 4],
        ['film', 25],
      ],
    ],
    [
      'a silent scene',
      [
        ['film', 40],
        ['hush', 5],
        ['words', 25],
      ],
    ],
    [
      'a blink',
      [
        ['film', 40],
        ['gap', 1],
        ['words', 25],
      ],
    ],
    [
      'black at the very end',
      [
        ['film', 50],
        ['gap', 8],
      ],
    ],
  ] as const)('[PLAY65] none in %s', async (name, spans) => {
    expect(creditsOf(await film(`${name.replaceAll(' ', '-')}.mkv`, spans))).toBeNull();
  });
});
