/** Times of samples and sync samples of an MP4 track, as FFmpeg's packets carry them. */
import { Table, boxIn, boxes, topLevelBoxes } from './mp4-box.ts';
import type { ByteSource } from './byte-source.ts';
import type { Mp4Edit, Mp4File, Mp4Track } from './mp4.ts';

/** Above it, a track in which every sample is a sync sample is thinned: a seek needs no finer grid. */
const MAX_DENSE_SYNC_SAMPLES = 20_000;
const DENSE_STEP_S = 0.5;
const MAX_SYNC_SAMPLES = 2_000_000;
/** Twelve hours at 120 pictures a second: what a loop over samples may count through. */
const MAX_SAMPLES = 12 * 3600 * 120;
const MAX_DURATION_RUNS = 200_000;
const MAX_SAMPLES_PER_FRAGMENT = 200_000;
const MAX_FRAGMENTS = 100_000;
const MAX_FRAGMENT_SYNC_SAMPLES = 200_000;
const MAX_MOOF_BYTES = 8 << 20;
/** Of a sample's flags in a fragment: not a sync sample, or known to depend on others. FFmpeg heeds both. */
const NOT_SYNC = 0x10000 | 0x1000000;

/** Sync sample times of a track without fragments, in microseconds on the file's timeline. `null`: only FFmpeg can tell. */
export function syncSampleTimesUs(file: Mp4File, track: Mp4Track): number[] | null {
  const stbl = track.sampleTable;
  const durations = new Table(boxIn(stbl, 'stts'), 8);
  if (stbl === null || track.edit === null || track.timescale === 0 || durations.length === 0) return null;
  const wanted = syncSampleNumbers(stbl);
  const ticks = wanted === null ? everySampleTicks(durations, track.timescale) : decodeTicks(durations, wanted);
  const numbers = wanted ?? ticks.numbers;
  const offsets = boxIn(stbl, 'ctts');
  const times = addCompositionOffsets(offsets, numbers, ticks.ticks);
  return applyEdit(times, { file, track, firstShownTicks: firstShownTicks(durations, offsets, track.edit) });
}

interface SampleTicks {
  /** Sample numbers from 0. */
  readonly numbers: readonly number[];
  readonly ticks: number[];
}

/** Numbers from 0 of the samples that FFmpeg marks as keyframes. `null`: all of them, the file lists none. */
export function syncSampleNumbers(stbl: Buffer): number[] | null {
  const stss = boxIn(stbl, 'stss');
  if (stss === null) return null;
  const numbers = new Set<number>();
  for (const type of ['stss', 'stps']) {
    const table = new Table(boxIn(stbl, type), 4);
    if (table.length > MAX_SYNC_SAMPLES) throw new RangeError('more sync samples than a movie has');
    for (let i = 0; i < table.length; i += 1) numbers.add(table.unsigned(i) - 1);
  }
  for (const number of randomAccessGroup(stbl)) {
    if (numbers.size > MAX_SYNC_SAMPLES) throw new RangeError('more random access points than a movie has');
    numbers.add(number);
  }
  return [...numbers].toSorted((a, b) => a - b);
}

/** Samples of the `rap ` group: random access pictures with leading pictures (open GOP). */
function* randomAccessGroup(stbl: Buffer): Generator<number> {
  for (const box of boxes(stbl)) {
    if (box.type !== 'sbgp' || box.content.length < 12 || box.content.toString('latin1', 4, 8) !== 'rap ') continue;
    const groups = new Table(box.content, 8, box.content[0] === 1 ? 16 : 12);
    let sample = 0;
    for (let i = 0; i < groups.length; i += 1) {
      const count = groups.unsigned(i);
      // A run of random access points is short; a long one is a false claim.
      if (groups.unsigned(i, 4) > 0 && count < 1000) for (let n = 0; n < count; n += 1) yield sample + n;
      sample += count;
    }
  }
}

function decodeTicks(durations: Table, wanted: readonly number[]): SampleTicks {
  const ticks: number[] = [];
  let sample = 0;
  let time = 0;
  let next = 0;
  for (let i = 0; i < durations.length && next < wanted.length; i += 1) {
    const count = durations.unsigned(i);
    const duration = durations.unsigned(i, 4);
    for (let number = wanted[next]; number !== undefined && number < sample + count; number = wanted[next]) {
      ticks.push(time + (number - sample) * duration);
      next += 1;
    }
    sample += count;
    time += count * duration;
  }
  return { numbers: wanted, ticks };
}

function everySampleTicks(durations: Table, timescale: number): SampleTicks {
  let total = 0;
  for (let i = 0; i < durations.length; i += 1) total += durations.unsigned(i);
  const stepTicks = total > MAX_DENSE_SYNC_SAMPLES ? DENSE_STEP_S * timescale : 0;
  const numbers: number[] = [];
  const ticks: number[] = [];
  let sample = 0;
  let time = 0;
  for (let i = 0; i < durations.length; i += 1) {
    const count = durations.unsigned(i);
    const duration = durations.unsigned(i, 4);
    // Counts are claims: what is not listed is stepped over, not counted through.
    const step = duration === 0 ? count : Math.max(1, Math.ceil(stepTicks / duration));
    for (let n = 0; n < count && numbers.length < MAX_DENSE_SYNC_SAMPLES; n += step) {
      numbers.push(sample + n);
      ticks.push(time + n * duration);
    }
    sample += count;
    time += count * duration;
  }
  return { numbers, ticks };
}

function addCompositionOffsets(ctts: Buffer | null, numbers: readonly number[], decode: readonly number[]): number[] {
  const offsets = new Table(ctts, 8);
  if (offsets.length === 0) return [...decode];
  const shift = lowestOffsetShift(offsets);
  const times: number[] = [];
  let sample = 0;
  let next = 0;
  for (let i = 0; i < offsets.length && next < decode.length; i += 1) {
    const count = offsets.unsigned(i);
    const offset = offsets.signed(i, 4);
    for (let number = numbers[next]; number !== undefined && number < sample + count; number = numbers[next]) {
      const time = decode[next];
      if (time === undefined) break;
      times.push(time + offset + shift);
      next += 1;
    }
    sample += count;
  }
  return times;
}

/**
 * How long after the beginning of the edit its first picture is shown, in media ticks. FFmpeg moves a track with an edit
 * list back by that much, so that it begins at once.
 */
function firstShownTicks(durations: Table, ctts: Buffer | null, edit: Mp4Edit): number {
  if (!edit.isStated) return 0;
  const offsets = new Table(ctts, 8);
  const shift = lowestOffsetShift(offsets);
  let first = Infinity;
  let time = 0;
  let offsetEntry = 0;
  let offsetsLeft = offsets.length > 0 ? offsets.unsigned(0) : Infinity;
  let samplesLeft = MAX_SAMPLES;
  for (let i = 0; i < durations.length; i += 1) {
    const duration = durations.unsigned(i, 4);
    for (let n = durations.unsigned(i); n > 0; n -= 1) {
      while (offsetsLeft === 0) {
        offsetEntry += 1;
        offsetsLeft = offsetEntry < offsets.length ? offsets.unsigned(offsetEntry) : Infinity;
      }
      offsetsLeft -= 1;
      const offset = offsetEntry < offsets.length ? offsets.signed(offsetEntry, 4) + shift : 0;
      const shown = time + offset - edit.mediaTime;
      if (shown >= 0) first = Math.min(first, shown);
      // No later sample is shown before it is decoded.
      if (time - edit.mediaTime >= first) return first;
      time += duration;
      samplesLeft -= 1;
      if (samplesLeft === 0) throw new RangeError('more samples before the edit than a movie has');
    }
  }
  return Number.isFinite(first) ? first : 0;
}

/** FFmpeg moves all times up by the lowest negative offset, which it looks for in all but the last two entries. */
function lowestOffsetShift(offsets: Table): number {
  let shift = 0;
  for (let i = 0; i + 2 < offsets.length; i += 1) shift = Math.max(shift, -offsets.signed(i, 4));
  return shift;
}

interface EditRequest {
  readonly file: Mp4File;
  readonly track: Mp4Track;
  /** See `firstShownTicks`; 0 in fragmented files. */
  readonly firstShownTicks: number;
}

/**
 * Media times as times of the file. What lies before the edit is needed for decoding but never shown: of those sync
 * samples only the last counts, at the moment where the edit begins. What lies behind the edit is dropped.
 */
function applyEdit(ticks: readonly number[], request: EditRequest): number[] | null {
  const { edit, timescale } = request.track;
  if (edit === null) return null;
  const { movieTimescale } = request.file;
  const movieSeconds = (movieTicks: number): number => (movieTimescale === 0 ? 0 : movieTicks / movieTimescale);
  const emptyS = movieSeconds(edit.emptyTicks);
  const endS = edit.durationTicks === 0 ? Infinity : movieSeconds(edit.durationTicks);
  let lead: number | null = null;
  const times: number[] = [];
  for (const tick of ticks.toSorted((a, b) => a - b)) {
    const shownS = (tick - edit.mediaTime) / timescale;
    if (shownS < 0) lead = Math.round(emptyS * 1e6);
    else if (shownS < endS) times.push(Math.round((shownS - request.firstShownTicks / timescale + emptyS) * 1e6));
  }
  if (lead !== null && times[0] !== lead) times.unshift(lead);
  return times;
}

/** Whether the samples of a track differ in length beyond what rounding and a single gap explain. */
export function hasVariableDurations(track: Mp4Track): boolean {
  const table = new Table(boxIn(track.sampleTable, 'stts'), 8);
  const counts = new Map<number, number>();
  let total = 0;
  for (let i = 0; i < Math.min(table.length, MAX_DURATION_RUNS); i += 1) {
    const isLast = i === table.length - 1;
    const count = table.unsigned(i) - (isLast ? 1 : 0);
    if (count <= 0) continue;
    const duration = table.unsigned(i, 4);
    counts.set(duration, (counts.get(duration) ?? 0) + count);
    total += count;
  }
  return isVariable(counts, total, 1);
}

/**
 * Whether frame durations (with how often each occurs) are those of a variable frame rate: more than one in fifty, and
 * more than two, lie beyond a tenth of the median (and the rounding to ticks).
 */
export function isVariable(counts: ReadonlyMap<number, number>, total: number, tick: number): boolean {
  if (total < 4) return false;
  const sorted = [...counts].toSorted(([a], [b]) => a - b);
  let seen = 0;
  let median = 0;
  for (const [duration, count] of sorted) {
    seen += count;
    median = duration;
    if (seen * 2 >= total) break;
  }
  let odd = 0;
  for (const [duration, count] of sorted) {
    if (Math.abs(duration - median) > Math.max(tick * 1.01, median * 0.1)) odd += count;
  }
  return odd > 2 && odd * 50 > total;
}

interface SegmentIndex {
  /** Starts of the subsegments that begin with a sync sample, in seconds of media time. */
  readonly syncS: readonly number[];
  readonly endS: number;
}

/** A global segment index (`sidx`, ISO/IEC 14496-12 8.16.3). `null`: none that covers the file. */
function readSegmentIndex(source: ByteSource, file: Mp4File, track: Mp4Track): SegmentIndex | null {
  for (const box of topLevelBoxes(source, 64, file.moovEnd)) {
    if (box.type === 'moof' || box.type === 'mdat') return null;
    if (box.type !== 'sidx' || box.sizeBytes > MAX_MOOF_BYTES) continue;
    const b = source.read(box.at + box.headerBytes, box.sizeBytes - box.headerBytes);
    if (b.length < 32 || b.readUInt32BE(4) !== track.id) continue;
    const isLong = b[0] === 1;
    const timescale = b.readUInt32BE(8);
    const firstOffset = isLong ? Number(b.readBigUInt64BE(20)) : b.readUInt32BE(16);
    const at = isLong ? 28 : 20;
    const count = Math.min(b.readUInt16BE(at + 2), Math.floor((b.length - at - 4) / 12));
    const syncS: number[] = [];
    let time = isLong ? Number(b.readBigUInt64BE(12)) : b.readUInt32BE(12);
    let end = box.at + box.sizeBytes + firstOffset;
    for (let i = 0; i < count; i += 1) {
      const reference = b.readUInt32BE(at + 4 + i * 12);
      const sap = b.readUInt32BE(at + 12 + i * 12);
      // An index of indexes.
      if (reference >= 0x80000000) return null;
      const sapType = (sap >>> 28) & 7;
      // Type 0 is "unknown"; FFmpeg writes it for every subsegment that begins with a sync sample.
      if (sap >= 0x80000000 && sapType <= 2) syncS.push(time / timescale);
      end += reference;
      time += b.readUInt32BE(at + 8 + i * 12);
    }
    return timescale === 0 || end < source.sizeBytes * 0.9 ? null : { syncS, endS: time / timescale };
  }
  return null;
}

/** Subsegments that begin with sync samples, in microseconds on the file's timeline. `null`: no index says so. */
export function segmentIndexTimesUs(source: ByteSource, file: Mp4File, track: Mp4Track): number[] | null {
  const index = readSegmentIndex(source, file, track);
  const first = index === null ? null : firstFragment(source, file, track);
  const [firstS, firstTicks] = [index?.syncS[0], first?.syncTicks[0]];
  if (index === null || first === null || firstS === undefined || firstTicks === undefined) return null;
  // Writers disagree on whether the index counts from before or after an edit; the first fragment settles it.
  const settle = firstTicks + first.shift - Math.round(firstS * track.timescale);
  return applyEdit(
    index.syncS.map((seconds) => Math.round(seconds * track.timescale) + settle),
    { file, track, firstShownTicks: 0 },
  );
}

export function segmentIndexEndUs(source: ByteSource, file: Mp4File, track: Mp4Track): number | null {
  const index = readSegmentIndex(source, file, track);
  if (index === null || track.edit === null || track.timescale === 0) return null;
  return Math.round((index.endS - track.edit.mediaTime / track.timescale) * 1e6);
}

function firstFragment(source: ByteSource, file: Mp4File, track: Mp4Track): Fragment | null {
  for (const fragment of fragments(source, file, track)) return fragment;
  return null;
}

export interface FragmentWalk {
  readonly syncTimesUs: readonly number[];
  readonly endUs: number;
}

/** Sync samples and end read from every fragment's header: one small read per fragment, none of the media. */
export function fragmentWalk(
  source: ByteSource,
  file: Mp4File,
  track: Mp4Track,
  isTimeUp: () => boolean,
): FragmentWalk | null {
  // Samples in the `moov` itself come first. With an edit list FFmpeg treats them and fragments differently.
  const ahead = new Table(boxIn(track.sampleTable, 'stts'), 8).length > 0 ? syncSampleTimesUs(file, track) : [];
  if (ahead === null || (ahead.length > 0 && track.edit?.isStated === true)) return null;
  const ticks: number[] = [];
  let shift: number | null = null;
  let end = 0;
  for (const fragment of fragments(source, file, track)) {
    shift ??= fragment.shift;
    for (const tick of fragment.syncTicks) ticks.push(tick + shift);
    end = fragment.end;
    if (isTimeUp() || ticks.length > MAX_FRAGMENT_SYNC_SAMPLES) return null;
  }
  if (track.timescale === 0 || track.edit === null || end === 0) return null;
  const syncTimesUs = applyEdit(ticks, { file, track, firstShownTicks: 0 });
  const endUs = Math.round(((end - track.edit.mediaTime) / track.timescale) * 1e6);
  return syncTimesUs === null ? null : { syncTimesUs: [...ahead, ...syncTimesUs], endUs };
}

export function hasVariableFragment(source: ByteSource, file: Mp4File, track: Mp4Track): boolean {
  const first = firstFragment(source, file, track);
  return first !== null && isVariable(first.durations, first.sampleCount, 1);
}

interface Fragment {
  readonly syncTicks: readonly number[];
  /** What FFmpeg adds to all times because of negative composition offsets. */
  readonly shift: number;
  readonly durations: ReadonlyMap<number, number>;
  readonly sampleCount: number;
  /** Decode time behind the last sample. */
  readonly end: number;
}

interface SampleDefaults {
  readonly duration: number;
  readonly flags: number;
}

function* fragments(source: ByteSource, file: Mp4File, track: Mp4Track): Generator<Fragment> {
  const defaults = trackDefaults(file.moov, track.id);
  let nextDecodeTime = 0;
  for (const box of topLevelBoxes(source, MAX_FRAGMENTS * 2, file.moovEnd)) {
    if (box.type !== 'moof' || box.sizeBytes > MAX_MOOF_BYTES) continue;
    const moof = source.read(box.at + box.headerBytes, box.sizeBytes - box.headerBytes, true);
    for (const traf of boxes(moof)) {
      if (traf.type !== 'traf') continue;
      const fragment = parseTrackFragment(traf.content, track.id, defaults, nextDecodeTime);
      if (fragment === null) continue;
      nextDecodeTime = fragment.end;
      yield fragment;
    }
  }
}

function trackDefaults(moov: Buffer, trackId: number): SampleDefaults {
  const mvex = boxIn(moov, 'mvex');
  if (mvex !== null) {
    for (const box of boxes(mvex)) {
      if (box.type !== 'trex' || box.content.length < 24 || box.content.readUInt32BE(4) !== trackId) continue;
      return { duration: box.content.readUInt32BE(12), flags: box.content.readUInt32BE(20) };
    }
  }
  return { duration: 0, flags: 0 };
}

function parseTrackFragment(
  traf: Buffer,
  trackId: number,
  trex: SampleDefaults,
  expectedDecodeTime: number,
): Fragment | null {
  const tfhd = boxIn(traf, 'tfhd');
  if (tfhd === null || tfhd.readUInt32BE(4) !== trackId) return null;
  const tfhdFlags = tfhd.readUInt32BE(0) & 0xffffff;
  let at = 8 + ((tfhdFlags & 1) === 0 ? 0 : 8) + ((tfhdFlags & 2) === 0 ? 0 : 4);
  const optional = (flag: number, fallback: number): number => {
    if ((tfhdFlags & flag) === 0) return fallback;
    at += 4;
    return tfhd.readUInt32BE(at - 4);
  };
  const duration = optional(8, trex.duration);
  optional(0x10, 0);
  const flags = optional(0x20, trex.flags);
  const tfdt = boxIn(traf, 'tfdt');
  let time = expectedDecodeTime;
  if (tfdt !== null) time = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4);
  const syncTicks: number[] = [];
  const durations = new Map<number, number>();
  let shift = 0;
  let sampleCount = 0;
  for (const box of boxes(traf)) {
    if (box.type !== 'trun') continue;
    for (const sample of runSamples(box.content, { duration, flags })) {
      if ((sample.flags & NOT_SYNC) === 0) syncTicks.push(time + sample.offset);
      shift = Math.max(shift, -sample.offset);
      durations.set(sample.duration, (durations.get(sample.duration) ?? 0) + 1);
      sampleCount += 1;
      time += sample.duration;
      if (sampleCount > MAX_SAMPLES_PER_FRAGMENT) throw new RangeError('more samples than a fragment has');
    }
  }
  return { syncTicks, shift, durations, sampleCount, end: time };
}

function* runSamples(
  trun: Buffer,
  defaults: SampleDefaults,
): Generator<{ duration: number; flags: number; offset: number }> {
  const runFlags = trun.readUInt32BE(0) & 0xffffff;
  const has = (flag: number): boolean => (runFlags & flag) !== 0;
  let at = 8 + (has(1) ? 4 : 0);
  let firstFlags: number | null = null;
  if (has(4)) {
    firstFlags = trun.readUInt32BE(at);
    at += 4;
  }
  const entryBytes = 4 * [0x100, 0x200, 0x400, 0x800].filter(has).length;
  // Without fields per sample the count alone says how many there are; it may not be believed without limit.
  const room = entryBytes === 0 ? MAX_SAMPLES_PER_FRAGMENT : Math.floor((trun.length - at) / entryBytes);
  const count = Math.min(trun.readUInt32BE(4), room);
  for (let i = 0; i < count; i += 1) {
    let field = at + i * entryBytes;
    const next = (flag: number, fallback: number): number => {
      if (!has(flag)) return fallback;
      field += 4;
      return trun.readUInt32BE(field - 4);
    };
    const duration = next(0x100, defaults.duration);
    next(0x200, 0);
    const flags = next(0x400, i === 0 && firstFlags !== null ? firstFlags : defaults.flags);
    const offset = next(0x800, 0) | 0;
    yield { duration, flags, offset };
  }
}
