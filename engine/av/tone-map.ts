/**
 * From high dynamic range to what an ordinary screen shows. What comes out, whichever way:
 *
 * - PQ (SMPTE ST 2084) is light as it is; HLG becomes the light of a 1,000 cd/m² screen by its OOTF (ITU-R BT.2100).
 * - The brightest of the three channels is brought from the film's peak to the screen's by the curve of ITU-R BT.2390 (EETF), and
 *   the others by as much, so that hue and saturation stay.
 * - BT.2020 becomes BT.709. A colour that lies outside moves towards the grey of its own brightness until it is inside.
 * - The screen has a gamma of 2.4 (ITU-R BT.1886) and shows 203 cd/m², the white of ITU-R BT.2408, at its brightest.
 *
 * FFmpeg's `tonemapx` is the quickest way on a processor (4 ms for a picture of 720 lines, a table 15, measured on 8.1) and comes close to
 * that, but takes every film for one mastered at 1,000 cd/m² and makes what is brighter darker again: white of 4,000 comes out as a
 * grey of 224. So it gets PQ of films that say no more than that, held below it; brighter films and HLG, which it makes too dark,
 * go through a table of ours. Dolby Vision without a base layer (profile 5) can only be read by `tonemapx`, which knows its metadata.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AVCOL_SPC_UNSPECIFIED,
  AVCOL_TRC_ARIB_STD_B67,
  AVCOL_TRC_SMPTE2084,
  AV_FRAME_DATA_CONTENT_LIGHT_LEVEL,
  AV_FRAME_DATA_DOVI_METADATA,
  AV_FRAME_DATA_MASTERING_DISPLAY_METADATA,
} from 'node-av/constants';
import type { Frame } from 'node-av/lib';
import { escapedPath } from './filter-chain.ts';

export type HdrTransfer = 'pq' | 'hlg';

/** Brightest white of the ordinary screen, in cd/m². */
const SCREEN_NITS = 203;
const HLG_NITS = 1_000;
/** What a film is taken for that does not say, and how far one that says so is believed. */
export const USUAL_PEAK_NITS = 1_000;
const MIN_PEAK_NITS = 400;
const MAX_PEAK_NITS = 10_000;
/** Nodes along each side of the table. Between them, FFmpeg goes in straight lines, in a space in which curves are gentle. */
const SIDE = 33;

/** Above this signal `tonemapx` goes wrong: PQ of 1,000 cd/m², in parts of the range that luma has. */
const QUICK_LIMIT = 0.752;

type Triple = readonly [number, number, number];

/**
 * FFmpeg's filters that scale a picture to `width` and `height` and bring it to 8 bit BT.709. A table, where one is needed, is
 * written to `folder` once.
 */
export function toneMapFilters(frame: Frame, width: number, height: number, folder: string): string[] {
  const { colorTrc, colorSpace } = frame;
  const isNamed = colorTrc === AVCOL_TRC_SMPTE2084 || colorTrc === AVCOL_TRC_ARIB_STD_B67;
  if (!isNamed && frame.getSideData(AV_FRAME_DATA_DOVI_METADATA)) {
    return [`scale=${width}:${height}:flags=bicubic`, `${TONEMAPX}:apply_dovi=1`];
  }
  const transfer = colorTrc === AVCOL_TRC_ARIB_STD_B67 ? 'hlg' : 'pq';
  const peak = transfer === 'hlg' ? HLG_NITS : peakOf(frame);
  if (colorTrc === AVCOL_TRC_SMPTE2084 && peak <= USUAL_PEAK_NITS) {
    return [`scale=${width}:${height}:flags=bicubic`, `${QUICK_TONE_MAP}:apply_dovi=0`];
  }
  const matrix = colorSpace === AVCOL_SPC_UNSPECIFIED ? ':in_color_matrix=bt2020' : '';
  const exact = 'flags=bicubic+accurate_rnd+full_chroma_int';
  return [
    `scale=${width}:${height}:${exact}${matrix}`,
    'format=gbrp10le',
    `lut3d=file=${escapedPath(writtenTable(folder, transfer, peak))}:interp=tetrahedral`,
    `scale=${exact}:out_color_matrix=bt709:out_range=tv`,
    'format=yuv420p',
    'setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv',
    // Encoders would write into the stream what is no longer true of it.
    'sidedata=mode=delete:type=MASTERING_DISPLAY_METADATA',
    'sidedata=mode=delete:type=CONTENT_LIGHT_LEVEL',
  ];
}

const TONEMAPX = 'tonemapx=tonemap=bt2390:desat=0:peak=100:t=bt709:m=bt709:p=bt709:r=tv:format=yuv420p';

/** Keeps PQ below what `tonemapx` goes wrong above, and maps it: near enough for previews of every kind. */
export const QUICK_TONE_MAP = `lutyuv=y=min(val\\,minval+(maxval-minval)*${QUICK_LIMIT}),${TONEMAPX}`;

/** What the film says of its brightest spot: in front of each keyframe, or for the whole track. */
function peakOf(frame: Frame): number {
  const content = frame.getSideData(AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
  const mastering = frame.getSideData(AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
  // AVContentLightMetadata begins with MaxCLL; AVMasteringDisplayMetadata has ten rationals, the last of which is the highest luminance.
  const isWhole = mastering !== null && mastering.length >= 88 && mastering.readInt32LE(84) !== 0;
  const maxMastering = isWhole ? mastering.readInt32LE(72) / mastering.readInt32LE(76) : null;
  return peakNits(content && content.length >= 4 ? content.readUInt32LE(0) : null, maxMastering);
}

function writtenTable(folder: string, transfer: HdrTransfer, peak: number): string {
  const file = join(folder, `.${transfer}-${peak}.cube`);
  if (existsSync(file)) return file;
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, toneTable(transfer, peak));
  renameSync(part, file);
  return file;
}

/** The peak that a table is made for, from what a film says: MaxCLL before the screen it was graded on, `null` or 0 for neither. */
export function peakNits(maxContentNits: number | null, maxMasteringNits: number | null): number {
  const stated = [maxContentNits, maxMasteringNits].find((nits) => nits !== null && Number.isFinite(nits) && nits > 0);
  return Math.round(Math.min(MAX_PEAK_NITS, Math.max(MIN_PEAK_NITS, stated ?? USUAL_PEAK_NITS)));
}

/** A table in the form of Adobe's `.cube`, as FFmpeg's `lut3d` reads it: from R'G'B' of BT.2020 to R'G'B' of BT.709, red quickest. */
export function toneTable(transfer: HdrTransfer, peak: number): string {
  const lines = [`LUT_3D_SIZE ${SIDE}`];
  const signals = Array.from({ length: SIDE }, (_, index) => index / (SIDE - 1));
  const lights = signals.map((signal) => (transfer === 'pq' ? fromPq(signal) : fromHlg(signal)));
  for (const blue of lights) {
    for (const green of lights) {
      for (const red of lights) {
        const shown = transfer === 'pq' ? ([red, green, blue] as const) : hlgDisplayed([red, green, blue]);
        lines.push(
          toScreen(shown, transfer === 'pq' ? peak : HLG_NITS)
            .map(text)
            .join(' '),
        );
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

const text = (value: number): string => value.toFixed(5);

/** Light of BT.2020 in cd/m² to a signal of BT.709 for the ordinary screen. */
function toScreen([red, green, blue]: Triple, peak: number): Triple {
  const brightest = Math.max(red, green, blue);
  const scale = brightest === 0 ? 0 : compressed(Math.min(brightest, peak), peak) / brightest / SCREEN_NITS;
  const linear = toBt709([red * scale, green * scale, blue * scale]);
  return intoGamut(linear).map((value) => value ** (1 / 2.4)) as unknown as Triple;
}

/** EETF of BT.2390-10, section 5.4.1, without the lift of black: films are graded to a black of nearly nothing. */
function compressed(nits: number, peak: number): number {
  const top = toPq(peak);
  const most = toPq(SCREEN_NITS) / top;
  const knee = 1.5 * most - 0.5;
  const signal = toPq(nits) / top;
  if (signal < knee) return nits;
  const t = (signal - knee) / (1 - knee);
  const bent =
    (2 * t ** 3 - 3 * t ** 2 + 1) * knee + (t ** 3 - 2 * t ** 2 + t) * (1 - knee) + (3 * t ** 2 - 2 * t ** 3) * most;
  return fromPq(bent * top);
}

/** ITU-R BT.2087, inverted. */
function toBt709([r, g, b]: Triple): Triple {
  return [
    1.660_491 * r - 0.587_641 * g - 0.072_85 * b,
    -0.124_55 * r + 1.132_9 * g - 0.008_349 * b,
    -0.018_151 * r - 0.100_579 * g + 1.118_73 * b,
  ];
}

function intoGamut([r, g, b]: Triple): Triple {
  const grey = Math.min(1, Math.max(0, 0.2126 * r + 0.7152 * g + 0.0722 * b));
  // How much of the colour may stay, so that each channel lies between 0 and 1.
  let kept = 1;
  for (const value of [r, g, b]) {
    if (value < 0) kept = Math.min(kept, grey / (grey - value));
    if (value > 1) kept = Math.min(kept, (1 - grey) / (value - grey));
  }
  const move = (value: number): number => Math.min(1, Math.max(0, grey + kept * (value - grey)));
  return [move(r), move(g), move(b)];
}

/** SMPTE ST 2084. */
function fromPq(signal: number): number {
  const e = signal ** (32 / 2523);
  return 10_000 * (Math.max(0, e - 0.835_937_5) / (18.851_562_5 - 18.687_5 * e)) ** (16_384 / 2610);
}

function toPq(nits: number): number {
  const y = (nits / 10_000) ** (2610 / 16_384);
  return ((0.835_937_5 + 18.851_562_5 * y) / (1 + 18.687_5 * y)) ** (2523 / 32);
}

/** ITU-R BT.2100: scene light of 0 to 1. */
function fromHlg(signal: number): number {
  return signal <= 0.5 ? signal ** 2 / 3 : (Math.exp((signal - 0.559_910_73) / 0.178_832_77) + 0.284_668_92) / 12;
}

/** The OOTF of a screen of 1,000 cd/m², whose gamma is 1.2. */
function hlgDisplayed([r, g, b]: Triple): Triple {
  const scene = 0.2627 * r + 0.678 * g + 0.0593 * b;
  const gain = scene === 0 ? 0 : HLG_NITS * scene ** 0.2;
  return [r * gain, g * gain, b * gain];
}
