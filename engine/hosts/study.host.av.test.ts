import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
import { planPreviews, sheetTimesMs } from '#engine/media/preview-plan.ts';
import { isMediaFailure } from '#engine/media/media-failure.ts';
import { ProcessHost } from '#engine/runtime/process-host.ts';
import { damaged, seededRandom } from '#test/support/damage.ts';
import { clips } from '#test/support/media.ts';
import { MediaHosts } from './media-hosts.ts';
import type { ProbePort } from './probe.port.ts';
import type { StudyPort } from './study.port.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-study-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('study hosts', () => {
  it('answer all three calls over the wire, for who waits and for who does not', async () => {
    await using hosts = new MediaHosts({ log: silentLog, probeHosts: 1, spareHosts: 0 });
    const path = await clips.h264Mkv();
    const probed = await hosts.probe(path);
    if (!probed.ok) throw new Error(probed.failure);
    const { media } = probed;
    const { startMs } = media;
    const durationMs = media.durationMs!;
    const plan = planPreviews(media)!;
    const { widthPx, heightPx, columns } = plan;
    const timesMs = sheetTimesMs(plan, 0, durationMs);
    const request = { track: media.video[0]!, startMs, timesMs, columns, widthPx, heightPx };
    for (const priority of ['interactive', 'background'] as const) {
      const sheet = await hosts.previewSheet(path, request, { priority });
      expect(sheet).toMatchObject({ ok: true, decoded: 8 });
      expect(sheet.ok && Buffer.from(sheet.bytes.subarray(8, 12)).toString()).toBe('WEBP');
    }
    const print = await hosts.soundPrint(path, {
      scratchFolder: folder,
      trackIndex: media.audio[0]!.index,
      startMs,
      fromMs: 0,
      untilMs: durationMs,
    });
    expect(print.ok && print.words).toBeInstanceOf(Uint32Array);
    expect(print.ok && print.words.length).toBeGreaterThan(20);
    const end = { video: media.video[0]!, audioIndex: media.audio[0]!.index, startMs, durationMs, fromMs: 0 };
    expect(await hosts.darkPauses(path, end)).toEqual({ ok: true, pauses: [] });
    expect(await hosts.previewSheet('/nowhere/film.mkv', request)).toEqual({ ok: false, failure: 'notFound' });
  });

  it('a call that is withdrawn ends its host and nothing else', async () => {
    await using hosts = new MediaHosts({ log: silentLog, probeHosts: 1, spareHosts: 0 });
    const path = await clips.h264Mkv();
    const probed = await hosts.probe(path);
    if (!probed.ok) throw new Error(probed.failure);
    const track = probed.media.video[0]!;
    const timesMs = Array.from({ length: 400 }, (_, i) => i * 20);
    const request = { track, startMs: 0, timesMs, columns: 5, widthPx: 320, heightPx: 180 };
    const abort = new AbortController();
    const sheet = hosts.previewSheet(path, request, { priority: 'background', signal: abort.signal });
    abort.abort(new Error('nobody wants it'));
    await expect(sheet).rejects.toThrow('nobody wants it');
    const short = { ...request, timesMs: timesMs.slice(0, 5) };
    expect(await hosts.previewSheet(path, short, { priority: 'background' })).toMatchObject({ ok: true });
  });

  it('survive damaged files of all containers, and write nothing to stderr', async () => {
    const names = [
      'h264Mp4',
      'h264Mkv',
      'h264Ts',
      'hevcMkv',
      'vp9Webm',
      'xvidAvi',
      'fragmentedMp4',
      'hdr10Mkv',
    ] as const;
    const random = seededRandom(1_234_567);
    const prober = new ProcessHost<ProbePort>({ name: 'probe', entry: new URL('./probe.host.ts', import.meta.url) });
    const host = new ProcessHost<StudyPort>({ name: 'study', entry: new URL('./study.host.ts', import.meta.url) });
    let answers = 0;
    for (const name of names) {
      const path = await clips[name]();
      const whole = await prober.call('probe', [path], 60_000);
      if (!whole.ok) throw new Error(whole.failure);
      const { media } = whole;
      const [video, audio] = [media.video[0]!, media.audio[0]];
      const { startMs } = media;
      const durationMs = media.durationMs!;
      const timesMs = [0, 900, 1_800, 2_700];
      const original = readFileSync(path);
      for (let n = 0; n < 12; n += 1) {
        const file = join(folder, `damaged${extname(path)}`);
        writeFileSync(file, damaged(original, random));
        // As it happens: what is known of the file is from before it was damaged.
        const sheet = { track: video, startMs, timesMs, columns: 2, widthPx: 96, heightPx: 54 };
        const results: { ok: boolean; failure?: string }[] = [await host.call('previewSheet', [file, sheet], 60_000)];
        if (audio !== undefined) {
          const sound = { scratchFolder: folder, trackIndex: audio.index, startMs, fromMs: 0, untilMs: durationMs };
          results.push(await host.call('soundPrint', [file, sound], 60_000));
          const end = { video, audioIndex: audio.index, startMs, durationMs, fromMs: 0 };
          results.push(await host.call('darkPauses', [file, end], 60_000));
        }
        for (const { ok, failure } of results) expect(ok || isMediaFailure(failure)).toBe(true);
        answers += 1;
      }
    }
    expect(answers).toBe(names.length * 12);
    expect(host.exit).toBeNull();
    await prober[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
    expect(await host.exited).toMatchObject({ reason: 'stopped', stderr: '' });
  }, 150_000);
});
