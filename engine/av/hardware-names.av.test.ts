/** Without a chip it can still be seen whether every name that we use is one that FFmpeg knows. */
import { FilterGraph, Log } from 'node-av/lib';
import { AV_LOG_QUIET } from 'node-av/constants';
import { beforeAll, describe, expect, it } from 'vitest';
import { HARDWARE_ENCODE_CODECS } from '#protocol/schema/hardware.ts';
import type { HardwareKind } from '#protocol/schema/hardware.ts';
import { hardwareEncoder } from './hardware-device.ts';
import { ENCODE_WAYS, encoderSetting, levelName } from './hardware-encoder.ts';
import { DEINTERLACERS, TONE_MAPS, chipChain } from './hardware-filter.ts';

beforeAll(() => Log.setLevel(AV_LOG_QUIET));

/** What this build has; VideoToolbox is in the one for macOS alone. */
const KINDS: readonly HardwareKind[] =
  process.platform === 'darwin' ? ['videotoolbox'] : ['nvenc', 'qsv', 'vaapi', 'vulkan'];
const LEVELS = { h264: 41, hevc: 123, hevc10: 123, av1: 9 } as const;

describe('encoderSetting', () => {
  const all = KINDS.flatMap((kind) =>
    HARDWARE_ENCODE_CODECS.flatMap((codec) => ENCODE_WAYS[kind].map((way) => [kind, codec, way] as const)),
  );

  it.each(all)('[PLAY75] of %s for %s (%s) names options and values that the encoder has', (kind, codec, way) => {
    const encoder = hardwareEncoder(kind, codec);
    const known = encoder!.getOptions();
    const { options } = encoderSetting(kind, codec, way, { crf: 23, level: LEVELS[codec], maxBitrateBps: 8e6 });
    for (const [name, value] of Object.entries(options)) {
      const option = known.find((each) => each.name === name);
      expect(option, `${name} of ${kind} ${codec}`).toBeDefined();
      if (!option?.unit || /^\d+$/.test(value)) continue;
      const values = known.filter(({ unit, name: each }) => unit === option.unit && each !== name);
      expect(
        values.map((each) => each.name),
        `${name}=${value} of ${kind} ${codec}`,
      ).toContain(value);
    }
  });

  it('[PLAY75] has a ceiling in every way, and forces keyframes where that is not a matter of course', () => {
    for (const [kind, codec, way] of all) {
      const { options, averageBps } = encoderSetting(kind, codec, way, { crf: 23, level: 41, maxBitrateBps: 8e6 });
      expect(averageBps ?? 0).toBeLessThan(8e6);
      if (kind === 'nvenc') expect(options).toMatchObject({ 'forced-idr': '1', 'no-scenecut': '1' });
      if (kind === 'qsv') expect(options).toMatchObject({ forced_idr: '1', adaptive_i: '0' });
    }
  });

  it('names levels as drivers do', () => {
    expect(levelName('h264', 31)).toBe('3.1');
    expect(levelName('h264', 40)).toBe('4');
    expect(levelName('hevc', 93)).toBe('3.1');
    expect(levelName('hevc', 120)).toBe('4');
    expect(levelName('av1', 9)).toBe('4.1');
  });
});

describe('chipChain', () => {
  const size = { widthPx: 1280, heightPx: 720 };
  const base = { isOnChip: true, bitDepth: 10, size, softwareChain: 'scale=1280:720,format=yuv420p' } as const;

  it.each(
    KINDS.flatMap((kind) =>
      [...Object.keys(TONE_MAPS[kind])].flatMap((toneMapWay) =>
        [...Object.keys(DEINTERLACERS[kind]), ''].map((deinterlaceWay) => [kind, toneMapWay, deinterlaceWay] as const),
      ),
    ),
  )('[PLAY75] for %s (tone mapping %s, deinterlacing %s) names filters and options that FFmpeg has', (...ways) => {
    const [kind, toneMapWay, deinterlaceWay] = ways;
    const plan = { kind, filter: true, encode: true, toneMapWay, deinterlaceWay };
    for (const toneMap of [true, false]) {
      const chain = chipChain({ ...base, plan, toneMap, deinterlace: deinterlaceWay !== '' });
      using graph = new FilterGraph();
      graph.alloc();
      const segment = graph.segmentParse(chain);
      expect(segment, chain).not.toBeNull();
      expect(segment!.createFilters(), chain).toBeGreaterThanOrEqual(0);
      // Known names and values are all that can be seen without a device.
      expect(segment!.applyOpts(), chain).toBeGreaterThanOrEqual(0);
      segment!.free();
    }
  });

  it('[PLAY75] brings pictures where the next step has them', () => {
    const chain = (filter: boolean, encode: boolean, isOnChip: boolean, bitDepth: 8 | 10 = 8) =>
      chipChain({
        ...base,
        plan: { kind: 'vaapi', filter, encode, toneMapWay: 'vpp', deinterlaceWay: 'vaapi' },
        ...{ isOnChip, bitDepth, toneMap: false, deinterlace: false, softwareChain: 'SOFT' },
      });
    expect(chain(false, true, false)).toBe('SOFT,format=nv12,hwupload');
    expect(chain(false, false, true)).toBe('hwdownload,format=nv12,SOFT');
    expect(chain(false, true, true, 10)).toBe('hwdownload,format=p010le,SOFT,format=nv12,hwupload');
    expect(chain(true, true, true)).toBe('scale_vaapi=w=1280:h=720:format=nv12:mode=hq:out_range=tv,setsar=1');
    expect(chain(true, true, false, 10)).toMatch(/^format=p010le,hwupload,scale_vaapi=/);
    expect(chain(true, false, true)).toMatch(/,hwdownload,format=nv12,format=yuv420p$/);
  });
});
