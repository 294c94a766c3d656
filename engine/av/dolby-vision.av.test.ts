import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { addDolbyVision } from '#test/support/dolby-vision.ts';
import type { DolbyVision } from '#test/support/dolby-vision.ts';
import { changedClip, clip, clips, picture } from '#test/support/media.ts';
import { COPY, countOf, makeAll, makeEach, movie, orderOf } from '#test/support/rendition.ts';
import type { Made } from '#test/support/rendition.ts';

const run = promisify(execFile);
const PLAIN = { ...COPY, withoutDolbyVision: true } as const;

const hdr10Mp4 = async (): Promise<string> =>
  clip({ name: 'hdr10.mp4', args: ['-i', await clips.hdr10Mkv(), '-c', 'copy', '-tag:v', 'hvc1'] });

async function dolbyVision(kind: DolbyVision, container: 'mp4' | 'mkv'): Promise<string> {
  const source = await hdr10Mp4();
  const name = `dolby-vision-${kind.profile}-${kind.compatibility}.${container}`;
  return changedClip(name, 'metadata behind each picture of hdr10.mp4', async () => {
    const draft = join(tmpdir(), `matinee-${process.pid}-${name}`);
    addDolbyVision(source, draft, kind);
    return readFile(draft);
  });
}

/** NAL unit types of all samples. */
function unitTypes(made: Made): Set<number> {
  const types = new Set<number>();
  made.segments.forEach((samples, index) => {
    const bytes = made.bytes(index);
    // All samples lie one behind the other at the end.
    let at = bytes.length - samples.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    for (; at < bytes.length; at += 4 + bytes.readUInt32BE(at)) types.add((bytes[at + 4]! >> 1) & 0x3f);
  });
  return types;
}

async function pictures(file: string): Promise<string[]> {
  const args = [
    '-nostdin',
    '-v',
    'error',
    '-i',
    file,
    '-map',
    '0:v:0',
    '-fps_mode',
    'passthrough',
    '-f',
    'framehash',
    '-',
  ];
  const { stdout } = await run('ffmpeg', args, { maxBuffer: 64 << 20 });
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').at(-1)!.trim());
}

const hasRecord = (made: Made): boolean => /dv[cvw]C/.test(made.initBytes.toString('latin1'));

describe('Dolby Vision in copied video', () => {
  it.each([
    [{ profile: 8, compatibility: 1 }, 'mp4'],
    [{ profile: 8, compatibility: 1 }, 'mkv'],
    [{ profile: 7, compatibility: 6 }, 'mkv'],
  ] as const)('%o in %s is taken out where a device stumbles over it [COPY7]', async (kind, container) => {
    const source = movie(await dolbyVision(kind, container));
    expect(source.media.video[0]!.dolbyVision).toMatchObject(kind);
    const order = orderOf(source, 'video', PLAIN);
    const all = await makeAll(order);
    const each = await makeEach(order);
    expect(all.failures).toEqual([]);
    for (let index = 0; index < countOf(order); index++) {
      expect(each.bytes(index).equals(all.bytes(index)), `segment ${index}`).toBe(true);
    }
    expect(each.initBytes.equals(all.initBytes)).toBe(true);
    expect(all.init.sampleEntry).toBe('hvc1');
    expect(hasRecord(all)).toBe(false);
    expect([...unitTypes(all)].filter((type) => type >= 62)).toEqual([]);
    // Not one picture changes.
    expect(await pictures(all.joined())).toEqual(await pictures(await hdr10Mp4()));
    // What ffprobe reads of the copy is a plain HDR10 track.
    const copied = movie(all.joined()).media.video[0]!;
    expect(copied).toMatchObject({ hdr: 'hdr10', dolbyVision: null, codec: 'hevc' });
  });

  it('stays for a device that shows it [COPY7]', async () => {
    const source = movie(await dolbyVision({ profile: 8, compatibility: 1 }, 'mp4'));
    const made = await makeAll(orderOf(source, 'video', COPY));
    expect(made.init.sampleEntry).toBe('hvc1');
    expect(hasRecord(made)).toBe(true);
    expect(unitTypes(made).has(62)).toBe(true);
  });

  it('of two layers is taken out for everyone: no player of segments knows it [COPY7]', async () => {
    const source = movie(await dolbyVision({ profile: 7, compatibility: 6 }, 'mkv'));
    const made = await makeAll(orderOf(source, 'video', COPY));
    expect(hasRecord(made)).toBe(false);
    expect(unitTypes(made).has(62)).toBe(false);
  });

  it('of profile 5 stays, since nothing is left without it [COPY7]', async () => {
    const source = movie(await dolbyVision({ profile: 5, compatibility: 0 }, 'mp4'));
    const made = await makeAll(orderOf(source, 'video', PLAIN));
    expect(made.init.sampleEntry).toBe('dvh1');
    expect(hasRecord(made)).toBe(true);
    expect(unitTypes(made).has(62)).toBe(true);
  });

  it('leaves a track alone that has none', async () => {
    const source = movie(
      await clip({
        name: 'plain-hevc.mp4',
        args: [...picture(2), '-c:v', 'libx265', '-x265-params', 'log-level=none', '-tag:v', 'hvc1'],
      }),
    );
    const order = orderOf(source, 'video', PLAIN);
    expect((await makeAll(order)).bytes(0).equals((await makeAll({ ...order, output: COPY })).bytes(0))).toBe(true);
  });
});
