/** Charts of known light, in high dynamic range, made from the standards' formulas and encoded without loss. */
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { times, toHlg, toPq, toYcc2020 } from './color-difference.ts';
import type { Triple } from './color-difference.ts';
import { changedClip } from './media.ts';

const run = promisify(execFile);
/** Sides of a patch. Large enough that its middle knows nothing of its neighbours. */
const SIDE_PX = 32;

/** Light of the patches, red, green and blue of BT.2020, in cd/m². */
export const PATCHES: readonly Triple[] = [
  ...[0, 1, 5, 20, 50, 100, 203, 400, 700, 1000].map((nits): Triple => [nits, nits, nits]),
  ...([
    [50, 10, 10],
    [10, 50, 10],
    [10, 10, 50],
    [100, 60, 40],
    [40, 60, 100],
    [60, 100, 40],
  ] as const),
  ...([
    [180, 120, 90],
    [90, 130, 180],
    [400, 300, 200],
    [200, 300, 400],
    [20, 15, 10],
    [8, 12, 16],
  ] as const),
];

export type ChartKind = 'pq' | 'hlg' | 'ipt';

export interface ChartOptions {
  readonly kind: ChartKind;
  readonly patches?: readonly Triple[];
  /** Written into the stream: the screen that the film was graded on, and its brightest spot. */
  readonly masteringNits?: number;
  readonly maxContentNits?: number;
}

/** Absolute path of a clip of two seconds that shows the patches side by side. */
export function hdrChart(
  name: string,
  { kind, patches = PATCHES, masteringNits, maxContentNits }: ChartOptions,
): Promise<string> {
  const transfer = { pq: 'smpte2084', hlg: 'arib-std-b67', ipt: null }[kind];
  const color =
    transfer === null ? 'range=full' : `range=limited:colorprim=bt2020:transfer=${transfer}:colormatrix=bt2020nc`;
  const light =
    masteringNits === undefined
      ? ''
      : `:hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(${masteringNits * 10_000},1)` +
        `:max-cll=${maxContentNits ?? 0},0`;
  const params = `log-level=none:lossless=1:keyint=24:${color}${light}`;
  return changedClip(name, `${params} ${kind} ${JSON.stringify(patches)} 3`, async () => {
    const raw = join(tmpdir(), `matinee-chart-${process.pid}-${name}.yuv`);
    const file = join(tmpdir(), `matinee-chart-${process.pid}-${name}`);
    try {
      await writeFile(raw, picture(kind, patches));
      const size = `${patches.length * SIDE_PX}x${SIDE_PX}`;
      const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p10le', '-s', size, '-r', '24', '-i', raw];
      const tags = file.endsWith('.mp4') ? ['-tag:v', 'hvc1'] : [];
      const args = [
        ...input,
        '-vf',
        'loop=loop=47:size=1',
        '-c:v',
        'libx265',
        '-preset',
        'ultrafast',
        '-x265-params',
        params,
      ];
      await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args, ...tags, file]);
      return await readFile(file);
    } finally {
      await rm(raw, { force: true });
      await rm(file, { force: true });
    }
  });
}

function picture(kind: ChartKind, patches: readonly Triple[]): Buffer {
  const codes = patches.map((light) => codesOf(kind, light));
  const plane = (component: 0 | 1 | 2, side: number): Buffer => {
    const row = new Uint16Array(patches.length * side);
    codes.forEach((code, at) => row.fill(code[component], at * side, (at + 1) * side));
    return Buffer.concat(Array.from({ length: side }, () => Buffer.from(row.buffer)));
  };
  return Buffer.concat([plane(0, SIDE_PX), plane(1, SIDE_PX / 2), plane(2, SIDE_PX / 2)]);
}

/** Codes of 10 bits. */
function codesOf(kind: ChartKind, light: Triple): Triple {
  const round = (values: Triple): Triple => values.map((value) => Math.round(value)) as unknown as Triple;
  if (kind === 'ipt') {
    const [i, p, t] = toIptPqC2(light);
    return round([1023 * i, 512 + 1023 * p, 512 + 1023 * t]);
  }
  const signal = (kind === 'pq' ? light.map(toPq) : hlgSignal(light)) as unknown as Triple;
  const [y, cb, cr] = toYcc2020(signal);
  return round([64 + 876 * y, 512 + 896 * cb, 512 + 896 * cr]);
}

/** The signal that a screen of 1,000 cd/m² shows as this light: BT.2100's OOTF of gamma 1.2, inverted. */
function hlgSignal(light: Triple): number[] {
  const shown = light.map((nits) => Math.min(1, nits / 1000)) as unknown as Triple;
  const luminance = 0.2627 * shown[0] + 0.678 * shown[1] + 0.0593 * shown[2];
  const gain = luminance === 0 ? 0 : luminance ** (1 / 1.2 - 1);
  return shown.map((value) => toHlg(Math.min(1, value * gain)));
}

/**
 * Dolby Vision profile 5: LMS of the Hunt-Pointer-Estévez cones with some of each in the others, PQ, and Ebner and Fairchild's IPT. The
 * inverses of the matrices in `dolby-vision.ts` and of LMS to BT.2020.
 */
function toIptPqC2(light: Triple): Triple {
  const lms = times(inverse(LMS_TO_BT2020), light);
  const mixed = times(inverse(LMS_TO_LMS), lms);
  const signal = mixed.map((value) => toPq(Math.max(0, value))) as unknown as Triple;
  return times(inverse(IPT_TO_LMS), signal);
}

const LMS_TO_BT2020: readonly Triple[] = [
  [3.06441879, -2.16597676, 0.10155818],
  [-0.65612108, 1.78554118, -0.12943749],
  [0.01736321, -0.04725154, 1.03004253],
];
const LMS_TO_LMS: readonly Triple[] = [
  [17_081 / 16_384, -349 / 16_384, -349 / 16_384],
  [-349 / 16_384, 17_081 / 16_384, -349 / 16_384],
  [-349 / 16_384, -349 / 16_384, 17_081 / 16_384],
];
const IPT_TO_LMS: readonly Triple[] = [
  [1, 799 / 8192, 1681 / 8192],
  [1, -933 / 8192, 1091 / 8192],
  [1, 267 / 8192, -5545 / 8192],
];

function inverse(m: readonly Triple[]): Triple[] {
  const at = (row: number, column: number): number => m[(row + 3) % 3]![(column + 3) % 3]!;
  const minor = (row: number, column: number): number =>
    at(row + 1, column + 1) * at(row + 2, column + 2) - at(row + 1, column + 2) * at(row + 2, column + 1);
  const determinant = at(0, 0) * minor(0, 0) + at(0, 1) * minor(0, 1) + at(0, 2) * minor(0, 2);
  const row = (index: number): Triple => [
    minor(0, index) / determinant,
    minor(1, index) / determinant,
    minor(2, index) / determinant,
  ];
  return [row(0), row(1), row(2)];
}

/** What a player shows of each patch, in sRGB's numbers of 0 to 1: the middle of it, in the file's first picture. */
export async function shownPatches(file: string, count: number): Promise<Triple[]> {
  const filter = 'scale=in_color_matrix=bt709:in_range=tv:flags=accurate_rnd+full_chroma_int,format=rgb24';
  const args = ['-nostdin', '-v', 'error', '-i', file, '-vf', filter, '-frames:v', '1', '-f', 'rawvideo', '-'];
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 64 << 20 });
  const height = SIDE_PX;
  const width = stdout.length / 3 / height;
  return Array.from({ length: count }, (_, patch) => {
    const at = ((height / 2) * width + Math.round(((patch + 0.5) * width) / count)) * 3;
    return [stdout[at]! / 255, stdout[at + 1]! / 255, stdout[at + 2]! / 255];
  });
}
