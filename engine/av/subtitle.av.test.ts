import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { changedClip, clip, clips, h264, picture, textFile } from '#test/support/media.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { readSubtitle } from './subtitle.ts';

const read = (path: string, trackIndex: number, startMs = 0): string[] =>
  readSubtitle(path, { trackIndex, startMs, timeLimitMs: 60_000 }).split('\n\n');
const failureOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof MediaError) return error.failure;
    throw error;
  }
  return 'none';
};
const HEAD = 'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000';
const HELLO = '00:00:00.500 --> 00:00:01.500\nHello <b>there</b>';
const LAST = '00:00:02.000 --> 00:00:03.000\nSecond &amp; last\n';

const inContainer = async (name: string, codec: string): Promise<string> => {
  const text = await textFile(
    'two-lines.srt',
    '1\n00:00:00,500 --> 00:00:01,500\nHello <b>there</b>\n\n2\n00:00:02,000 --> 00:00:03,000\nSecond & last\n',
  );
  // Without sound: the AAC encoder's delay would move everything else by 23 ms.
  const inputs = [...picture(4), '-i', text, '-map', '0', '-map', '1'];
  return clip({ name, args: [...inputs, ...h264(), '-c:s', codec] });
};

describe('a subtitle track as WebVTT', () => {
  it('[PLAY21] comes from SubRip in Matroska', async () => {
    expect(read(await inContainer('subrip.mkv', 'srt'), 1)).toEqual([HEAD, HELLO, LAST]);
  });

  it('[PLAY21] comes from ASS in Matroska', async () => {
    expect(read(await inContainer('ass.mkv', 'ass'), 1)).toEqual([HEAD, HELLO, LAST]);
  });

  it('[PLAY21] comes from WebVTT in Matroska', async () => {
    expect(read(await inContainer('web-vtt.mkv', 'webvtt'), 1)).toEqual([HEAD, HELLO, LAST]);
  });

  it('[PLAY21] comes from timed text in MP4, whose styles are left out', async () => {
    expect(read(await inContainer('timed-text.mp4', 'mov_text'), 1)).toEqual([
      HEAD,
      HELLO.replaceAll(/<\/?b>/g, ''),
      LAST,
    ]);
  });

  it('[PLAY21] is on the movie’s own time where the file’s begins elsewhere', async () => {
    const shifted = clip({
      name: 'shifted-subtitles.mkv',
      args: ['-i', await inContainer('subrip.mkv', 'srt'), '-map', '0', '-c', 'copy', '-output_ts_offset', '3600'],
    });
    expect(read(await shifted, 1, 3_600_000)).toEqual([HEAD, HELLO, LAST]);
  });

  it('[PLAY21] gives what there is of a file that is cut off', async () => {
    const whole = await inContainer('subrip.mkv', 'srt');
    const cut = await changedClip('cut-subtitles.mkv', 'two fifths of subrip.mkv', async () => {
      const bytes = await readFile(whole);
      return bytes.subarray(0, (bytes.length * 2) / 5);
    });
    expect(read(cut, 1)).toEqual([HEAD, `${HELLO}\n`]);
  });

  it.each<[string, number]>([
    ['a picture', 0],
    ['sound', 1],
    ['nothing', 99],
  ])('[PLAY21] is refused for a track that is %s', async (_what, trackIndex) => {
    const path = await clips.subtitlesMkv();
    expect(failureOf(() => read(path, trackIndex))).toBe('unsupported');
  });

  it('[PLAY21] stops at its time limit', async () => {
    const path = await clips.subtitlesMkv();
    expect(failureOf(() => readSubtitle(path, { trackIndex: 2, startMs: 0, timeLimitMs: -1 }))).toBe('timeout');
  });

  it('[PLAY21] never fails in any other way, whatever has become of the file', async () => {
    const whole = await readFile(await clips.subtitlesMkv());
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
    for (let round = 0; round < 20; round++) {
      const path = await changedClip(`mutated-${round}.mkv`, `seed 7, round ${round}`, () => {
        const bytes = Buffer.from(whole);
        for (let count = 0; count < 40; count++) bytes[random(bytes.length)] = random(256);
        return Promise.resolve(bytes);
      });
      const failure = failureOf(() => read(path, 2));
      expect(['none', 'unsupported', 'notMedia', 'truncated', 'tooComplex', 'noTracks']).toContain(failure);
    }
  });
});
