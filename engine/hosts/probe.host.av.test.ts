import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import * as v from 'valibot';
import { afterAll, describe, expect, it } from 'vitest';
import { MediaInfo } from '#protocol/schema/media.ts';
import { damaged, seededRandom } from '#test/support/damage.ts';
import { clips } from '#test/support/media.ts';
import { isMediaFailure } from '#engine/media/media-failure.ts';
import { ProcessHost } from '#engine/runtime/process-host.ts';
import type { ProbePort } from './probe.port.ts';

/** For one call, on a machine that has other things to do. */
const LIMIT_MS = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'matinee-probe-host-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const startHost = (): ProcessHost<ProbePort> =>
  new ProcessHost<ProbePort>({ name: 'probe host', entry: new URL('./probe.host.ts', import.meta.url) });

describe('the probe host', () => {
  it('answers all three calls over the wire', async () => {
    await using host = startHost();
    const path = await clips.h264Mkv();
    const probed = await host.call('probe', [path], LIMIT_MS);
    expect(probed).toMatchObject({ ok: true, media: { container: 'matroska' } });
    if (!probed.ok) return;
    expect(probed.keyframesUs).toBeInstanceOf(Float64Array);
    expect(await host.call('keyframes', [await clips.h264Ts(), 0], LIMIT_MS)).toMatchObject({ ok: true });
    const picture = await host.call('picture', [path, { widthPx: 160, atFraction: 0.3 }], LIMIT_MS);
    expect(picture).toMatchObject({ ok: true, widthPx: 160, heightPx: 90, mimeType: 'image/webp' });
    expect(picture.ok && picture.bytes).toBeInstanceOf(Uint8Array);
  });

  it('answers with a failure for what is wrong with a file, and lives on', async () => {
    await using host = startHost();
    const text = join(folder, 'text.mkv');
    writeFileSync(text, 'just words');
    expect(await host.call('probe', [text], LIMIT_MS)).toEqual({ ok: false, failure: 'notMedia' });
    expect(await host.call('keyframes', [join(folder, 'absent.mkv'), 0], LIMIT_MS)).toEqual({
      ok: false,
      failure: 'notFound',
    });
    expect(await host.call('picture', [folder, { widthPx: 160, atFraction: 0.3 }], LIMIT_MS)).toEqual({
      ok: false,
      failure: 'notAFile',
    });
    expect(await host.call('probe', [await clips.h264Mp4()], LIMIT_MS)).toMatchObject({ ok: true });
    expect(host.exit).toBeNull();
  });

  it('survives damaged files of all containers, writes nothing to stderr, and does not grow', async () => {
    const names = [
      ...['h264Mp4', 'h264Mkv', 'h264Ts', 'hevcMkv', 'vp9Webm', 'xvidAvi', 'chaptersMp4', 'fragmentedMp4'],
      ...['indexedFragmentsMp4', 'manyAudioMkv', 'interlacedTs', 'subtitlesMkv', 'editListMp4', 'attachmentsMkv'],
    ] as (keyof typeof clips)[];
    const random = seededRandom(7_654_321);
    const host = startHost();
    let answers = 0;
    for (const name of names) {
      const path = await clips[name]();
      const original = readFileSync(path);
      for (let n = 0; n < 24; n += 1) {
        const file = join(folder, `damaged${extname(path)}`);
        writeFileSync(file, damaged(original, random));
        const probed = await host.call('probe', [file], LIMIT_MS);
        if (probed.ok) v.parse(MediaInfo, probed.media);
        else expect(isMediaFailure(probed.failure)).toBe(true);
        const track = probed.ok ? probed.media.video[0] : undefined;
        if (track !== undefined && n % 3 === 0) {
          await host.call('keyframes', [file, track.index], LIMIT_MS);
          await host.call('picture', [file, { widthPx: 96, atFraction: 0.4 }], LIMIT_MS);
        }
        answers += 1;
      }
    }
    expect(answers).toBe(names.length * 24);
    expect(host.exit).toBeNull();
    await host[Symbol.asyncDispose]();
    const exit = await host.exited;
    expect(exit).toMatchObject({ reason: 'stopped', stderr: '' });
  }, 120_000);
});
