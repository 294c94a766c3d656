import { describe, expect, it } from 'vitest';
import { HARDWARE_CODECS, HARDWARE_ENCODE_CODECS, HARDWARE_KINDS, HARDWARE_TESTS } from '#protocol/schema/hardware.ts';
import type { HardwareRow, HardwareTest } from '#protocol/schema/hardware.ts';
import {
  chooseHardware,
  encodedCodecs,
  encoderFor,
  helpsNobody,
  parseHardwareWish,
  planHardware,
} from './hardware-plan.ts';
import type { PictureNeed, ProvenHardware } from './hardware-plan.ts';

const ALL: readonly HardwareTest[] = HARDWARE_TESTS;

function proven(...tests: readonly HardwareTest[]): ProvenHardware {
  return { kind: 'vaapi', device: null, ways: Object.fromEntries(tests.map((test) => [test, 'x'])) };
}

const without = (...left: readonly HardwareTest[]): ProvenHardware =>
  proven(...ALL.filter((test) => !left.includes(test)));

const onlyPq: ProvenHardware = { ...proven(...ALL), ways: { ...proven(...ALL).ways, toneMap: 'vpp' } };

const need = (given: Partial<PictureNeed> = {}): PictureNeed => ({
  source: 'hevc10',
  output: 'h264',
  toneMap: null,
  deinterlace: false,
  isTurned: false,
  mayEncode: true,
  ...given,
});

/** The plan as three letters: who decodes, filters, encodes. h: hardware, s: software. */
function way(hardware: ProvenHardware | null, given: Partial<PictureNeed> = {}): string {
  const plan = planHardware(hardware, need(given));
  return plan ? [plan.decode, plan.filter, plan.encode].map((is) => (is ? 'h' : 's')).join('') : 'sss';
}

describe('planHardware', () => {
  it.each<[name: string, hardware: ProvenHardware | null, given: Partial<PictureNeed>, want: string]>([
    ['everything proven', proven(...ALL), {}, 'hhh'],
    ['nothing there', null, {}, 'sss'],
    ['nothing proven', proven(), {}, 'sss'],
    ['the decoder not', without('decode-hevc10'), {}, 'ssh'],
    ['the decoder proven for 8 bit alone', without('decode-hevc10'), { source: 'hevc' }, 'hhh'],
    ['the encoder not', without('encode-h264'), {}, 'hhs'],
    ['another encoder wanted', without('encode-h264'), { output: 'hevc' }, 'hhh'],
    ['the whole path not', without('whole'), {}, 'hsh'],
    ['no scaling', without('scale'), {}, 'hsh'],
    ['no tone mapping, none needed', without('toneMap'), {}, 'hhh'],
    ['no tone mapping, needed', without('toneMap'), { toneMap: 'pq' }, 'hsh'],
    ['tone mapping', proven(...ALL), { toneMap: 'pq' }, 'hhh'],
    ['tone mapping of pictures from the processor', without('decode-hevc10'), { toneMap: 'pq' }, 'shh'],
    ['tone mapping of HLG', proven(...ALL), { toneMap: 'hlg' }, 'hhh'],
    ['tone mapping of HLG, where only PQ is', onlyPq, { toneMap: 'hlg' }, 'hsh'],
    ['tone mapping of PQ, where only PQ is', onlyPq, { toneMap: 'pq' }, 'hhh'],
    ['no deinterlacing, needed', without('deinterlace'), { source: 'mpeg2', deinterlace: true }, 'hsh'],
    ['deinterlacing', proven(...ALL), { source: 'mpeg2', deinterlace: true }, 'hhh'],
    ['a turned picture', proven(...ALL), { isTurned: true }, 'hsh'],
    ['a source for no chip', proven(...ALL), { source: null }, 'ssh'],
    ['an encoder that is not to be used', proven(...ALL), { mayEncode: false }, 'hhs'],
    ['neither end', without('decode-hevc10', 'encode-h264'), {}, 'sss'],
    ['decoding alone', proven('decode-hevc10'), {}, 'hss'],
    ['encoding alone', proven('encode-h264'), {}, 'ssh'],
    ['filters alone', proven('scale', 'toneMap', 'deinterlace'), { toneMap: 'pq' }, 'sss'],
  ])('[PLAY73] %s', (_, hardware, given, want) => {
    expect(way(hardware, given)).toBe(want);
  });

  it('[PLAY73] never takes what was not proven, for any codec and depth and any set of proofs', () => {
    for (const source of HARDWARE_CODECS) {
      for (const output of HARDWARE_ENCODE_CODECS) {
        for (const left of ALL) {
          const plan = planHardware(without(left), need({ source, output, toneMap: 'pq', deinterlace: true }));
          if (left === `decode-${source}`) expect(plan?.decode ?? false).toBe(false);
          if (left === `encode-${output}`) expect(plan?.encode ?? false).toBe(false);
          if (['scale', 'toneMap', 'deinterlace', 'whole'].includes(left)) expect(plan?.filter ?? false).toBe(false);
        }
      }
    }
  });

  it('hands on the ways that were proven', () => {
    const hardware: ProvenHardware = {
      kind: 'qsv',
      device: '/dev/dri/renderD128',
      ways: { 'encode-h264': 'vbr', 'decode-hevc10': '', scale: '', toneMap: 'opencl', whole: '' },
    };
    expect(planHardware(hardware, need({ toneMap: 'pq' }))).toMatchObject({
      kind: 'qsv',
      device: '/dev/dri/renderD128',
      encodeWay: 'vbr',
      toneMapWay: 'opencl',
    });
  });
});

const row = (test: HardwareTest, verdict: HardwareRow['verdict'] = 'works'): HardwareRow => ({
  test,
  verdict,
  msPerFrame: 1,
  variant: null,
  detail: null,
});
const tested = (kind: (typeof HARDWARE_KINDS)[number], rows: HardwareRow[], failures = 0) => ({
  kind,
  device: null,
  rows,
  failures,
});
const auto = { kind: 'auto', device: null } as const;

describe('chooseHardware', () => {
  it('[PLAY74] takes the preferred kind that encodes', () => {
    const all = HARDWARE_KINDS.map((kind) => tested(kind, [row('encode-h264')]));
    expect(chooseHardware(auto, all)?.kind).toBe('nvenc');
    expect(chooseHardware(auto, all.slice(1))?.kind).toBe('qsv');
  });

  it('[PLAY74] prefers one that encodes to one that only decodes', () => {
    const some = [tested('qsv', [row('decode-h264')]), tested('vaapi', [row('encode-h264')])];
    expect(chooseHardware(auto, some)?.kind).toBe('vaapi');
    expect(chooseHardware(auto, some.slice(0, 1))?.kind).toBe('qsv');
  });

  it('[PLAY74] takes nothing where nothing works, or where it is switched off', () => {
    expect(chooseHardware(auto, [tested('nvenc', [row('encode-h264', 'wrongPicture')])])).toBeNull();
    expect(chooseHardware({ kind: 'off', device: null }, [tested('nvenc', [row('encode-h264')])])).toBeNull();
  });

  it('[PLAY74] takes the kind that was named for whatever it can, and no other', () => {
    const some = [tested('nvenc', [row('encode-h264')]), tested('vaapi', [row('decode-vp9')])];
    expect(chooseHardware({ kind: 'vaapi', device: null }, some)).toMatchObject({
      kind: 'vaapi',
      ways: { 'decode-vp9': '' },
    });
    expect(chooseHardware({ kind: 'vaapi', device: null }, [tested('vaapi', [row('scale')])])).toBeNull();
    expect(chooseHardware({ kind: 'qsv', device: null }, some)).toBeNull();
  });

  it('[PLAY76] leaves out a kind that failed three playbacks', () => {
    const failing = (failures: number) => [
      tested('nvenc', [row('encode-h264')], failures),
      tested('vaapi', [row('encode-h264')]),
    ];
    expect(chooseHardware(auto, failing(2))?.kind).toBe('nvenc');
    expect(chooseHardware(auto, failing(3))?.kind).toBe('vaapi');
    expect(chooseHardware({ kind: 'nvenc', device: null }, failing(3))).toBeNull();
  });
});

describe('encoderFor', () => {
  it('[PLAY73] is the hardware where it was proven for this codec, else the processor', () => {
    expect(encoderFor(proven('encode-hevc'), 'hevc')).toBe('vaapi');
    expect(encoderFor(proven('encode-hevc'), 'h264')).toBe('software');
    expect(encoderFor(null, 'h264')).toBe('software');
    expect(encodedCodecs(proven('encode-hevc', 'encode-h264'))).toEqual(['hevc']);
    expect(encodedCodecs(null)).toEqual([]);
  });
});

describe('helpsNobody', () => {
  it.each([
    [41, 20, true],
    [41, 21, false],
    [40, 1, false],
    [90, null, false],
  ])('[PLAY72] %d ms a picture, where the processor takes %s: %s', (msPerFrame, softwareMs, want) => {
    expect(helpsNobody(msPerFrame, softwareMs)).toBe(want);
  });
});

describe('parseHardwareWish', () => {
  it.each([
    ['auto', { kind: 'auto', device: null }],
    ['off', { kind: 'off', device: null }],
    ['vaapi', { kind: 'vaapi', device: null }],
    ['vaapi:/dev/dri/renderD129', { kind: 'vaapi', device: '/dev/dri/renderD129' }],
    ['nvenc:1', { kind: 'nvenc', device: '1' }],
    ['auto:1', null],
    ['cuda', null],
    ['', null],
    ['vaapi:', null],
  ])('%s', (text, want) => {
    expect(parseHardwareWish(text)).toEqual(want);
  });
});
