import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
import { clips } from '#test/support/media.ts';
import { MediaHosts } from './media-hosts.ts';
import type { RenditionEvent, RenditionSpec } from './rendition.port.ts';

let hosts: MediaHosts;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'matinee-real-hosts-'));
  hosts = new MediaHosts({ log: silentLog, probeHosts: 2, spareHosts: 0 });
});
afterAll(async () => {
  await hosts[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('MediaHosts with FFmpeg in its hosts', () => {
  it('[MEDIA1] probes files, and says what is wrong with those that are none', async () => {
    const text = join(folder, 'text.mkv');
    await writeFile(text, 'just a note');
    const results = await Promise.all([
      hosts.probe(await clips.h264Mp4()),
      hosts.probe(await clips.h264Mkv(), { priority: 'background' }),
      hosts.probe(text),
      hosts.probe(join(folder, 'missing.mkv')),
    ]);
    expect(results[0]).toMatchObject({ ok: true, media: { container: 'mp4' } });
    expect(results[0]).toHaveProperty(
      'keyframesUs',
      new Float64Array([0, 1, 2, 3, 4, 5, 6, 7].map((second) => second * 1e6)),
    );
    expect(results[1]).toMatchObject({ ok: true, media: { container: 'matroska' } });
    expect(results.slice(2)).toEqual([
      { ok: false, failure: 'notMedia' },
      { ok: false, failure: 'notFound' },
    ]);
  });

  it('[MEDIA1] finds keyframes where the container has no index, and takes a picture', async () => {
    await expect(hosts.keyframes(await clips.h264Ts(), 0)).resolves.toMatchObject({
      ok: true,
      keyframesUs: { length: 8 },
    });
    const picture = await hosts.picture(await clips.h264Mkv(), { widthPx: 160, atFraction: 0.2 });
    expect(picture).toMatchObject({ ok: true, mimeType: 'image/webp', widthPx: 160, heightPx: 90 });
  });

  it('[REND4] makes segments, and goes on with the same one in a new host when the first is killed', async () => {
    const outputDir = await mkdtemp(join(folder, 'rendition-'));
    const events: RenditionEvent[] = [];
    const spec: RenditionSpec = {
      path: await clips.h264Mkv(),
      trackIndex: 0,
      kind: 'video',
      outputDir,
      boundariesUs: [0, 1, 2, 3, 4, 5, 6, 7, 8].map((second) => second * 1e6),
      startUs: 0,
      output: {
        method: 'h264',
        encoder: 'software',
        heightPx: 180,
        level: 30,
        crf: 28,
        maxBitrateBps: 1e6,
        preset: 'ultrafast',
        toneMap: false,
        deinterlace: false,
      },
    };
    const ended = Promise.withResolvers<void>();
    await using rendition = await hosts.openRendition(spec, (event) => {
      events.push(event);
      if (event.kind === 'init') for (const pid of hostPids('rendition')) process.kill(pid, 'SIGKILL');
      if (event.kind === 'idle' || event.kind === 'failed') ended.resolve();
    });
    rendition.produce({ from: 0, until: 7 });
    await ended.promise;
    expect(events.at(-1)).toEqual({ kind: 'idle', next: 8 });
    const segments = events.flatMap((event) => (event.kind === 'segment' ? [event.index] : []));
    expect(segments).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(events.filter(({ kind }) => kind === 'init')).toHaveLength(1);
    expect(await readdir(outputDir)).toEqual(
      expect.arrayContaining(['init.mp4', ...segments.map((index) => `${index}.m4s`)]),
    );
  });

  it('[CALL3] answers a burst of probes although every host is killed meanwhile', async () => {
    const path = await clips.h264Mkv();
    const probes = Promise.all(Array.from({ length: 200 }, () => hosts.probe(path, { priority: 'background' })));
    await expect.poll(async () => (await hosts.status()).probeHosts).toBeGreaterThan(0);
    for (const pid of hostPids('probe')) process.kill(pid, 'SIGKILL');
    const results = await probes;
    // Two hosts died with this file in hand: by the rule it may now be quarantined, but nothing is left without an answer.
    expect(results.filter((result) => !result.ok && result.failure !== 'quarantined')).toEqual([]);
    await hosts.release(path);
    await expect(hosts.probe(path)).resolves.toMatchObject({ ok: true });
  });
});

function hostPids(kind: 'probe' | 'rendition'): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const isOurs =
          readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[1] === String(process.pid);
        return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`${kind}.host.ts`);
      } catch {
        return false;
      }
    })
    .map(Number);
}
