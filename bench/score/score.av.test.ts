import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { clips, ffprobe } from '#test/support/media.ts';
import { scoreHostile } from './hostile.ts';
import { scoreProbe } from './probe.ts';
import { Tally } from './score-row.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-score-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let told: string[] = [];
beforeEach(() => {
  told = [];
  vi.spyOn(console, 'error').mockImplementation((text: string) => void told.push(text));
});

async function entryOf(path: string): Promise<{ file: string; ffprobe: { json: Record<string, unknown> } }> {
  const name = basename(path);
  mkdirSync(join(folder, 'made'), { recursive: true });
  copyFileSync(path, join(folder, 'made', name));
  const json = await ffprobe(['-show_format', '-show_streams', '-show_chapters', `file:${path}`]);
  return { file: `made/${name}`, ffprobe: { json: json as Record<string, unknown> } };
}

describe('scores', () => {
  it('count by key and add up', () => {
    const tally = new Tally('x');
    for (const verdict of ['right', 'right', 'wrong'] as const) tally.count('a', verdict);
    tally.count('b', 'missing');
    expect(tally.rows()).toEqual([
      { score: 'x', key: 'a', right: 2, wrong: 1, missing: 0, accuracy: 0.6667 },
      { score: 'x', key: 'b', right: 0, wrong: 0, missing: 1, accuracy: 0 },
      { score: 'x', key: 'all', right: 2, wrong: 1, missing: 1, accuracy: 0.5 },
    ]);
  });

  it('probe agrees with ffprobe on clips of all kinds, and sees a false reference', async () => {
    const names = [
      'h264Mp4',
      'hevcMkv',
      'h264Ts',
      'vp9Webm',
      'xvidAvi',
      'chaptersMkv',
      'manyAudioMkv',
      'hdr10Mkv',
      'rotatedMp4',
    ] as const;
    const made = [];
    for (const name of names) made.push(await entryOf(await clips[name]()));
    writeFileSync(join(folder, 'INDEX.json'), JSON.stringify({ real: [], made }));
    const rows = await scoreProbe(folder);
    const all = rows.find((row) => row.key === 'all');
    expect(told).toEqual([]);
    expect(all).toMatchObject({ wrong: 0, missing: 0, accuracy: 1 });
    expect(all?.right).toBeGreaterThan(200);

    const [first] = made;
    const streams = first?.ffprobe.json['streams'] as { width?: number }[];
    if (streams[0] !== undefined) streams[0].width = 9999;
    writeFileSync(join(folder, 'INDEX.json'), JSON.stringify({ made }));
    const width = (await scoreProbe(folder)).find((row) => row.key === 'width');
    expect(width).toMatchObject({ wrong: 1 });
    expect(told).toEqual([expect.stringContaining('width: ours 320, ffprobe 9999')]);
  });

  it('hostile files and names are survived, and a file that is not refused as asked counts against us', async () => {
    const hostile = join(folder, 'hostile');
    mkdirSync(hostile, { recursive: true });
    mkdirSync(join(folder, 'real'), { recursive: true });
    copyFileSync(await clips.h264Mkv(), join(folder, 'real', 'androidx--sample.mkv'));
    writeFileSync(join(hostile, 'zero.mkv'), '');
    writeFileSync(
      join(hostile, 'names.json'),
      JSON.stringify({ names: ['$(touch pwned).mkv', 'a/b.mkv', '../out.mkv'] }),
    );
    const expectations = [{ file: 'hostile/zero.mkv', expect: 'listed as unplayable with a reason' }];
    writeFileSync(join(folder, 'INDEX.json'), JSON.stringify({ hostile: expectations }));
    expect(await scoreHostile(folder)).toEqual([
      { score: 'hostile', key: 'survived', right: 11, wrong: 0, missing: 0, accuracy: 1 },
    ]);
    expect(told.some((line) => line.includes('left out "../out.mkv"'))).toBe(true);

    copyFileSync(await clips.h264Mkv(), join(hostile, 'zero.mkv'));
    expect(await scoreHostile(hostile)).toMatchObject([{ right: 10, wrong: 1 }]);
  });
});
