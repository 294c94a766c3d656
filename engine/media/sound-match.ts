/**
 * The stretch of sound that two movies have in common: a jingle, a theme. Works on Chromaprint's words (32 bits each, of which
 * like sounds share most). Shifts at which many words agree are candidates; along the best ones the longest run is looked for.
 */

/** One word: 4,096 samples at 11,025 Hz with two thirds of overlap (Chromaprint's own step of 1,365 samples). */
export const SOUND_WORD_MS = (1_365 / 11_025) * 1_000;
/**
 * Words begin to agree before the sound does, and cease before it ends: each is made of 2.4 s, smoothed. Measured with jingles
 * between unlike sounds in AAC, MP3 and AC-3.
 */
const BEGINS_EARLY_MS = 750;
const ENDS_EARLY_MS = 1_300;
/** Bits in which words of the same sound may differ; unlike ones differ in 16 ± 3. */
const MAX_DIFFERENCE = 6;
/** A voice over the theme breaks the run for a moment. */
const MAX_GAP_WORDS = Math.round(3_000 / SOUND_WORD_MS);
const CANDIDATE_SHIFTS = 12;
/** Neighbouring shifts are one candidate: words of the same sound need not lie at the very same step. */
const SHIFT_SPREAD = 2;
/** A word that comes again and again says nothing: silence, a tone. */
const MAX_REPEATS = 12;
/** Of the words of a run, how many must be different ones: a run of silence has one. */
const MIN_VARIETY = 0.3;
/** Of the words of a run, how many must agree. */
const MIN_AGREEMENT = 0.7;
/** A run begins and ends with this many of which nearly all agree: what is alike by chance belongs to neither end. */
const EDGE_WORDS = 10;
const MIN_EDGE_AGREEMENT = 8;

export interface CommonSound {
  /** From the beginning of the words. */
  readonly aStartMs: number;
  readonly bStartMs: number;
  readonly lengthMs: number;
}

/** The longest, `null` where none is at least `minMs` long. */
export function findCommonSound(a: Uint32Array, b: Uint32Array, minMs: number): CommonSound | null {
  let best: { run: Run; shift: number } | null = null;
  for (const shift of likelyShifts(a, b)) {
    const run = longestRun(a, b, shift);
    if (run !== null && (best === null || run.words > best.run.words)) best = { run, shift };
  }
  if (best === null) return null;
  const { run, shift } = best;
  // What is shared from the very first word on does not begin before it.
  const isFromBeginning = run.start === 0 || run.start + shift === 0;
  const trimMs = isFromBeginning ? 0 : BEGINS_EARLY_MS;
  const lengthMs = (run.words - 1) * SOUND_WORD_MS + ENDS_EARLY_MS - trimMs;
  if (lengthMs < minMs) return null;
  const [aStartMs, bStartMs] = [run.start, run.start + shift].map((word) => word * SOUND_WORD_MS + trimMs);
  return { aStartMs: aStartMs!, bStartMs: bStartMs!, lengthMs };
}

/** How far `b` lies behind `a` (in words) at those shifts where most words are equal. */
function likelyShifts(a: Uint32Array, b: Uint32Array): number[] {
  const placesByWord = new Map<number, number[]>();
  for (const [place, word] of b.entries()) {
    const places = placesByWord.get(word);
    if (places) places.push(place);
    else placesByWord.set(word, [place]);
  }
  const counts = new Map<number, number>();
  for (const [place, word] of a.entries()) {
    const places = placesByWord.get(word) ?? [];
    if (places.length > MAX_REPEATS) continue;
    for (const other of places) counts.set(other - place, (counts.get(other - place) ?? 0) + 1);
  }
  const ranked = [...counts].toSorted(([, x], [, y]) => y - x);
  const shifts: number[] = [];
  for (const [shift] of ranked) {
    if (shifts.length >= CANDIDATE_SHIFTS) break;
    if (shifts.some((taken) => Math.abs(taken - shift) < SHIFT_SPREAD)) continue;
    shifts.push(shift);
  }
  return shifts;
}

interface Run {
  readonly start: number;
  readonly words: number;
}

function longestRun(a: Uint32Array, b: Uint32Array, shift: number): Run | null {
  const from = Math.max(0, -shift);
  const length = Math.max(0, Math.min(a.length, b.length - shift) - from);
  const agrees = Array.from(
    { length },
    (_, i) => bitsSet((a[from + i]! ^ b[from + i + shift]!) >>> 0) <= MAX_DIFFERENCE,
  );
  /** How many of the `EDGE_WORDS` from here on agree. */
  const edges: number[] = [];
  let inWindow = 0;
  for (let i = length - 1; i >= 0; i -= 1) {
    inWindow += Number(agrees[i]) - Number(agrees[i + EDGE_WORDS] ?? false);
    edges[i] = inWindow;
  }
  let best: Run | null = null;
  let start = -1;
  let last = -1;
  const close = (): void => {
    if (start < 0) return;
    const words = last - start + 1;
    const agreeing = agrees.slice(start, last + 1).filter(Boolean).length;
    const variety = new Set(a.subarray(from + start, from + last + 1)).size / words;
    const isSound = variety >= MIN_VARIETY && agreeing / words >= MIN_AGREEMENT;
    if (isSound && (best === null || words > best.words)) best = { start: from + start, words };
    start = -1;
  };
  for (let i = 0; i + EDGE_WORDS <= length; i += 1) {
    if (edges[i]! < MIN_EDGE_AGREEMENT || agrees[i] !== true) continue;
    if (start >= 0 && i - last > MAX_GAP_WORDS) close();
    if (start < 0) start = i;
    last = Math.max(last, agrees.lastIndexOf(true, i + EDGE_WORDS - 1));
  }
  close();
  return best;
}

function bitsSet(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return (((n + (n >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
