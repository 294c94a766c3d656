import { describe, expect, it } from 'vitest';
import { silentLog } from '#engine/base/log.ts';
import { planPreviews, sheetTimesMs } from '#engine/media/preview-plan.ts';
import { clips } from '#test/support/media.ts';
import { MediaHosts } from './media-hosts.ts';

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
});
