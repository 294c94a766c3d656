import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { MediaError } from '#engine/media/media-failure.ts';
import { ByteSource } from './byte-source.ts';
import { elements, parseElementHeader, parseVint } from './ebml.ts';
import { matroskaKeyframesUs } from './keyframes.ts';
import { keyframeBlocks, readCues, readLastBlockTicks, readMatroska } from './matroska.ts';
import type { MatroskaBlock } from './matroska.ts';
import { readMp4 } from './mp4.ts';
import { Table, boxes } from './mp4-box.ts';
import { fragmentWalk, hasVariableDurations, segmentIndexTimesUs, syncSampleTimesUs } from './mp4-samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-index-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function withSource<T>(bytes: Uint8Array, use: (source: ByteSource) => T, budgetBytes = 64 << 20): T {
  files += 1;
  const path = join(folder, `${files}.bin`);
  writeFileSync(path, bytes);
  using source = new ByteSource(path, { budgetBytes });
  return use(source);
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** An EBML element with a length of eight bytes. */
function element(id: string, content: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(content.length));
  length[0] = 0x01;
  return Buffer.concat([hex(id), length, content]);
}
const unsigned = (id: string, value: number): Buffer => {
  const content = Buffer.alloc(4);
  content.writeUInt32BE(value);
  return element(id, content);
};
function box(type: string, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content]);
}
const words = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeInt32BE(value | 0, i * 4));
  return bytes;
};

const HEAD = element('1a45dfa3', element('4282', Buffer.from('matroska')));
const TRACKS = element('1654ae6b', element('ae', Buffer.concat([unsigned('d7', 1), unsigned('83', 1)])));
const block = (ticks: number, flags = 0x80): Buffer =>
  element('a3', Buffer.from([0x81, ticks >> 8, ticks & 0xff, flags, 1, 2, 3]));
const cluster = (ticks: number, ...blocks: Buffer[]): Buffer =>
  element('1f43b675', Buffer.concat([unsigned('e7', ticks), ...blocks]));
const cue = (ticks: number, position: number): Buffer =>
  element(
    'bb',
    Buffer.concat([unsigned('b3', ticks), element('b7', Buffer.concat([unsigned('f7', 1), unsigned('f1', position)]))]),
  );

/** A segment of tracks, cues that point at its clusters, and those. `stale` moves the cues' times. */
function matroskaFile(stale = 0): Buffer {
  const clusters = [cluster(0, block(0), block(40, 0)), cluster(1000, block(0), block(40, 0)), cluster(2000, block(0))];
  const cuesOf = (positions: number[]): Buffer =>
    element('1c53bb6b', Buffer.concat(positions.map((position, i) => cue(i * 1000 + stale, position))));
  const cuesLength = cuesOf([0, 0, 0]).length;
  let at = TRACKS.length + cuesLength;
  const positions = clusters.map((one) => {
    const position = at;
    at += one.length;
    return position;
  });
  return Buffer.concat([HEAD, element('18538067', Buffer.concat([TRACKS, cuesOf(positions), ...clusters]))]);
}

const ticksOf = (blocks: Iterable<MatroskaBlock | null>): number[] =>
  [...blocks].flatMap((found) => (found === null ? [] : [found.timeTicks]));

describe('EBML', () => {
  it('reads numbers of all lengths and unknown ones', () => {
    expect(parseVint(hex('81'), 0, false)).toEqual({ value: 1, bytes: 1 });
    expect(parseVint(hex('4002'), 0, false)).toEqual({ value: 2, bytes: 2 });
    expect(parseVint(hex('01ffffffffffffff'), 0, false)).toEqual({ value: null, bytes: 8 });
    expect(parseVint(hex('00'), 0, false)).toBeNull();
    expect(parseVint(hex('40'), 0, false)).toBeNull();
    expect(parseElementHeader(hex('1a45dfa3 84'))).toEqual({ id: 0x1a45dfa3, length: 4, headerBytes: 5 });
  });

  it('stops where an element claims more than there is', () => {
    expect([...elements(Buffer.concat([element('ec', Buffer.alloc(2)), hex('ec 01 00ffffffffffff')]))]).toHaveLength(1);
  });
});

describe('Matroska', () => {
  it('reads cues, and all keyframes without them', () => {
    withSource(matroskaFile(), (source) => {
      const file = readMatroska(source);
      expect(file?.tracks).toMatchObject([{ number: 1, type: 1 }]);
      if (file === null) return;
      expect(matroskaKeyframesUs(source, file, readCues(source, file, 1))).toEqual([0, 1e6, 2e6]);
      expect(ticksOf(keyframeBlocks(source, file, 1))).toEqual([0, 1000, 2000]);
      expect(readLastBlockTicks(source, file)).toBe(2000);
    });
  });

  it('does not believe cues that point at no keyframe of their time', () => {
    withSource(matroskaFile(7), (source) => {
      const file = readMatroska(source);
      expect(file === null ? 0 : matroskaKeyframesUs(source, file, readCues(source, file, 1))).toBeNull();
    });
  });

  it('ends on seek heads that point at themselves and at nothing', () => {
    const seek = (id: string, position: number): Buffer =>
      element('4dbb', Buffer.concat([element('53ab', hex(id)), unsigned('53ac', position)]));
    const seekHead = element(
      '114d9b74',
      Buffer.concat([seek('114d9b74', 0), seek('1c53bb6b', 99_999), seek('1043a770', 0)]),
    );
    withSource(Buffer.concat([HEAD, element('18538067', Buffer.concat([seekHead, TRACKS]))]), (source) => {
      const file = readMatroska(source);
      expect(file).toMatchObject({ cuesAt: null, chapters: [], firstClusterAt: null });
    });
  });

  it('goes on behind damage at the next cluster', () => {
    const bytes = Buffer.concat([
      HEAD,
      hex('18538067 01ffffffffffffff'),
      TRACKS,
      cluster(0, block(0)),
      Buffer.alloc(50),
      cluster(1000, block(0)),
    ]);
    withSource(bytes, (source) => {
      const file = readMatroska(source);
      expect(file === null ? [] : ticksOf(keyframeBlocks(source, file, 1))).toEqual([0, 1000]);
    });
  });

  it('survives any change to any bytes', () => {
    const original = matroskaFile();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of changes) bytes[at] = value;
          withSource(bytes, (source) => {
            const file = readMatroska(source);
            if (file === null) return;
            matroskaKeyframesUs(source, file, readCues(source, file, 1));
            for (const _ of keyframeBlocks(source, file, 1)) continue;
            readLastBlockTicks(source, file);
          });
        },
      ),
      { numRuns: 300, seed: 20_240_611 },
    );
  });
});

describe('Matroska tracks', () => {
  it('carry their language tag and field coding', () => {
    const entry = Buffer.concat([
      ...[
        unsigned('d7', 3),
        unsigned('83', 1),
        element('22b59d', Buffer.from('pt-BR\0')),
        element('86', Buffer.from('V_TEST')),
      ],
      ...[unsigned('23e383', 40_000_000), element('e0', unsigned('9a', 1))],
    ]);
    const bytes = Buffer.concat([HEAD, element('18538067', element('1654ae6b', element('ae', entry)))]);
    withSource(bytes, (source) => {
      expect(readMatroska(source)?.tracks).toEqual([
        {
          number: 3,
          type: 1,
          codecId: 'V_TEST',
          languageBcp47: 'pt-BR',
          isInterlaced: true,
          defaultDurationNs: 40_000_000,
          codecDelayNs: 0,
        },
      ]);
    });
  });

  it('tell keyframes in block groups by their references', () => {
    const group = (ticks: number, ...more: Buffer[]): Buffer =>
      element('a0', Buffer.concat([element('a1', Buffer.from([0x81, 0, ticks, 0, 9])), ...more]));
    const bytes = Buffer.concat([
      HEAD,
      element(
        '18538067',
        Buffer.concat([TRACKS, cluster(100, group(0), group(40, element('fb', Buffer.from([0xd8]))), group(80))]),
      ),
    ]);
    withSource(bytes, (source) => {
      const file = readMatroska(source);
      expect(file === null ? [] : ticksOf(keyframeBlocks(source, file, 1))).toEqual([100, 180]);
    });
  });
});

describe('MP4', () => {
  const stsd = box('stsd', words(0, 1), box('avc1', Buffer.alloc(78), box('fiel', Buffer.from([2, 9]))));
  const movie = (...tables: Buffer[]): Buffer =>
    Buffer.concat([
      box('ftyp', Buffer.from('isom'), words(0)),
      box(
        'moov',
        box('mvhd', words(0, 0, 0, 1000, 4000)),
        box(
          'trak',
          box('tkhd', words(0, 0, 0, 1, 0, 4000)),
          box(
            'mdia',
            box('mdhd', words(0, 0, 0, 1000, 4000)),
            box('hdlr', words(0, 0), Buffer.from('vide')),
            box('minf', box('stbl', stsd, ...tables)),
          ),
        ),
      ),
    ]);
  const stts = box('stts', words(0, 1, 100, 40));
  const stss = box('stss', words(0, 3, 1, 26, 51));

  it('reads sync samples through decode times and composition offsets', () => {
    withSource(movie(stts, stss, box('ctts', words(0, 2, 50, 80, 50, 40))), (source) => {
      const file = readMp4(source);
      const track = file?.tracks[0];
      expect(track).toMatchObject({ id: 1, handler: 'vide', isInterlaced: true });
      if (file === null || track === undefined) return;
      expect(syncSampleTimesUs(file, track)).toEqual([80_000, 1_080_000, 2_040_000]);
      expect(hasVariableDurations(track)).toBe(false);
    });
  });

  it('takes every sample where the file lists none', () => {
    withSource(movie(stts), (source) => {
      const file = readMp4(source);
      const track = file?.tracks[0];
      expect(file === null || track === undefined ? [] : syncSampleTimesUs(file, track)).toHaveLength(100);
    });
  });

  it('does not believe counts: neither entries nor samples', () => {
    const bomb = movie(
      box('stts', words(0, 2, 0x7fffffff, 1, 0x7fffffff, 0)),
      box('stss', words(0, 0x7fffffff, 1)),
      box('ctts', words(0, -1)),
    );
    withSource(bomb, (source) => {
      const file = readMp4(source);
      const track = file?.tracks[0];
      expect(file === null || track === undefined ? [] : syncSampleTimesUs(file, track)).toEqual([0]);
    });
    const still = movie(box('stts', words(0, 2, 0x7fffffff, 0, 0x7fffffff, 0)));
    withSource(still, (source) => {
      const file = readMp4(source);
      const track = file?.tracks[0];
      expect(file === null || track === undefined ? [] : syncSampleTimesUs(file, track)).toEqual([0, 0]);
    });
    expect(new Table(words(0, -1, 5, 6), 4).length).toBe(2);
    expect(new Table(words(0), 4).length).toBe(0);
    expect([...boxes(hex('00000004 6d6f6f76'))]).toEqual([]);
  });

  it('survives any change to any bytes', () => {
    const original = movie(stts, stss, box('ctts', words(0, 2, 50, 80, 50, 40)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const bytes = Buffer.from(original);
          for (const [at, value] of changes) bytes[at] = value;
          withSource(bytes, (source) => {
            try {
              const file = readMp4(source);
              for (const track of file?.tracks ?? []) {
                if (file === null) continue;
                syncSampleTimesUs(file, track);
                hasVariableDurations(track);
                segmentIndexTimesUs(source, file, track);
                fragmentWalk(source, file, track, () => false);
              }
            } catch (error) {
              // What damage may surface as; a probe takes it for "not known".
              if (!(error instanceof RangeError)) throw error;
            }
          });
        },
      ),
      { numRuns: 300, seed: 20_240_612 },
    );
  });
});

describe('ByteSource', () => {
  it('reads pieces near and far, and nothing beyond the end', () => {
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
    withSource(bytes, (source) => {
      for (const [at, length, sparse] of [
        [0, 10, false],
        [199_990, 20, true],
        [70_000, 80_000, false],
        [5, 5000, true],
        [100_000, 12, true],
      ] as const) {
        expect(source.read(at, length, sparse).equals(bytes.subarray(at, at + length))).toBe(true);
      }
      expect(source.read(200_000, 1)).toHaveLength(0);
      expect(source.read(-1, 1)).toHaveLength(0);
      expect(source.read(Number.NaN, 1)).toHaveLength(0);
    });
  });

  it('refuses to read more than its budget', () => {
    const read = (): unknown => withSource(Buffer.alloc(300_000), (source) => source.read(0, 300_000), 1000);
    expect(read).toThrow(MediaError);
  });
});
