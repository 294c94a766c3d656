/**
 * The head of an MP4 file that plays while it is being fetched: `ftyp`, `moov`, and the beginning of `mdat` (ISO/IEC 14496-12). Everything
 * about the samples is known by then, so nothing is written twice.
 */
import { toThreeLetterCode } from '#engine/media/language-tag.ts';
import type { SampleList } from './fragment-samples.ts';

export interface Mp4MovieTrack {
  readonly kind: 'video' | 'audio' | 'subtitle' | 'chapters';
  /** Ticks a second. */
  readonly timescale: number;
  readonly sampleDescription: Buffer;
  readonly samples: SampleList;
  /** Where in the ticks of presentation the movie begins. */
  readonly originTicks: number;
  /** BCP 47. */
  readonly language: string | null;
  readonly title: string | null;
  /** Plays unless somebody chooses another of its kind. */
  readonly isDefault: boolean;
  /** `urn:mpeg:dash:role:2011`: `caption`, `commentary`, `forced-subtitle` … */
  readonly roles: readonly string[];
  /** How the picture is turned and its size, as `tkhd` has it; absent for sound. */
  readonly picture?: { readonly matrix: Buffer; readonly width: number; readonly height: number };
}

export interface MovieFacts {
  readonly title: string | null;
  readonly year: number | null;
  readonly chapters: readonly { readonly startMs: number; readonly title: string }[];
}

/** Samples of one track that lie side by side, in the segment as in the file. */
export interface Chunk {
  readonly track: number;
  readonly first: number;
  readonly count: number;
  readonly sizeBytes: number;
}

/** Of the movie's own clock: exact for the usual rates of sound, and near enough for pictures. */
const MOVIE_TIMESCALE = 48_000;
/** Players read a second of each track in turn. */
const CHUNK_MS = 1_000;
const UINT32 = 2 ** 32;
const MAX_CHAPTER_MARKS = 255;

/** The order in which samples are put into the file: about a second of each track in turn. */
export function planChunks(tracks: readonly Mp4MovieTrack[]): Chunk[] {
  const chunks: Chunk[] = [];
  const next = tracks.map(() => 0);
  for (;;) {
    const times = tracks.map(({ samples, timescale, originTicks }, track) =>
      next[track]! < samples.count ? ((samples.decodeTicks(next[track]!) - originTicks) / timescale) * 1_000 : Infinity,
    );
    const fromMs = Math.min(...times);
    if (fromMs === Infinity) return chunks;
    const untilMs = fromMs + CHUNK_MS;
    for (const [track, one] of tracks.entries()) {
      while (times[track]! < untilMs && next[track]! < one.samples.count) {
        const first = next[track]!;
        const chunk = takeChunk(one, first, untilMs);
        if (chunk.count === 0) break;
        chunks.push({ track, first, ...chunk });
        next[track] = first + chunk.count;
      }
    }
  }
}

function takeChunk(
  { samples, timescale, originTicks }: Mp4MovieTrack,
  first: number,
  untilMs: number,
): Pick<Chunk, 'count' | 'sizeBytes'> {
  const untilTicks = (untilMs / 1_000) * timescale + originTicks;
  let sizeBytes = 0;
  let index = first;
  while (
    index < samples.count &&
    samples.decodeTicks(index) < untilTicks &&
    samples.segment(index) === samples.segment(first) &&
    samples.position(index) === samples.position(first) + sizeBytes
  ) {
    sizeBytes += samples.sizeBytes(index);
    index += 1;
  }
  return { count: index - first, sizeBytes };
}

/** Everything before the first sample's bytes. */
export function movieHead(tracks: readonly Mp4MovieTrack[], chunks: readonly Chunk[], facts: MovieFacts): Buffer {
  const mediaBytes = chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const ftyp = box('ftyp', text('isom'), u32(0x200), text('isomiso2avc1mp41'));
  const isLong = mediaBytes + 16 >= UINT32;
  const mdat = isLong
    ? Buffer.concat([u32(1), text('mdat'), u64(mediaBytes + 16)])
    : Buffer.concat([u32(mediaBytes + 8), text('mdat')]);
  // Places have 64 bits where any might need them; the head is as long whatever they are.
  const usesLong = isLong || mediaBytes + 64 * 1024 ** 2 >= UINT32;
  const size = ftyp.length + movieBox(tracks, chunks, 0, usesLong, facts).length + mdat.length;
  return Buffer.concat([ftyp, movieBox(tracks, chunks, size, usesLong, facts), mdat]);
}

function movieBox(
  tracks: readonly Mp4MovieTrack[],
  chunks: readonly Chunk[],
  firstByte: number,
  usesLong: boolean,
  facts: MovieFacts,
): Buffer {
  const offsets: number[][] = tracks.map(() => []);
  let at = firstByte;
  for (const { track, sizeBytes } of chunks) {
    offsets[track]!.push(at);
    at += sizeBytes;
  }
  const times = tracks.map(timesOf);
  const durationTicks = Math.max(0, ...times.map(({ startTicks, shownTicks }) => startTicks + shownTicks));
  const isWide = durationTicks >= UINT32;
  const chapterTrack = tracks.findIndex(({ kind }) => kind === 'chapters') + 1;
  const mvhd = full(
    'mvhd',
    isWide ? 1 : 0,
    0,
    isWide
      ? Buffer.concat([u64(0), u64(0), u32(MOVIE_TIMESCALE), u64(durationTicks)])
      : u32(0, 0, MOVIE_TIMESCALE, durationTicks),
    u32(0x1_0000),
    u16(0x100, 0, 0, 0, 0, 0),
    UNTURNED,
    u32(0, 0, 0, 0, 0, 0),
    u32(tracks.length + 1),
  );
  const traks = tracks.map((track, index) => {
    const ownChunks = chunks.filter((chunk) => chunk.track === index);
    const refersTo = track.kind === 'video' && chapterTrack > 0 ? chapterTrack : null;
    return trackBox(track, index + 1, times[index]!, ownChunks, offsets[index]!, usesLong, refersTo);
  });
  return box('moov', mvhd, ...traks, userData(facts));
}

interface TrackTimes {
  /** In the movie's ticks: how long after its beginning the track begins, and how long it is shown. */
  readonly startTicks: number;
  readonly shownTicks: number;
  /** In the track's ticks from its first sample: what is shown first. */
  readonly mediaTime: number;
  /** In the track's ticks. */
  readonly durationTicks: number;
}

function timesOf({ samples, timescale, originTicks }: Mp4MovieTrack): TrackTimes {
  if (samples.count === 0) return { startTicks: 0, shownTicks: 0, mediaTime: 0, durationTicks: 0 };
  const base = samples.decodeTicks(0);
  let first = Infinity;
  let end = 0;
  for (let index = 0; index < samples.count; index++) {
    const shown = samples.decodeTicks(index) - base + samples.offsetTicks(index);
    first = Math.min(first, shown);
    end = Math.max(end, shown + samples.durationTicks(index));
  }
  const last = samples.count - 1;
  const durationTicks = samples.decodeTicks(last) - base + samples.durationTicks(last);
  const origin = originTicks - base;
  const toMovie = (ticks: number): number => Math.round((ticks * MOVIE_TIMESCALE) / timescale);
  const mediaTime = Math.max(first, origin);
  const startTicks = Math.max(0, toMovie(first - origin));
  // What begins a hair late begins on time: an empty edit of some samples would only make players stumble.
  return {
    startTicks: startTicks < MOVIE_TIMESCALE / 1_000 ? 0 : startTicks,
    shownTicks: Math.max(0, toMovie(end - mediaTime)),
    mediaTime,
    durationTicks,
  };
}

const HANDLERS = { video: 'vide', audio: 'soun', subtitle: 'sbtl', chapters: 'text' } as const;
const GROUPS = { video: 0, audio: 1, subtitle: 2, chapters: 0 } as const;

function trackBox(
  track: Mp4MovieTrack,
  id: number,
  times: TrackTimes,
  chunks: readonly Chunk[],
  offsets: readonly number[],
  usesLong: boolean,
  chapterTrack: number | null,
): Buffer {
  const { kind, picture, timescale } = track;
  const { startTicks, shownTicks, mediaTime, durationTicks } = times;
  const wholeTicks = startTicks + shownTicks;
  const isWide = wholeTicks >= UINT32 || durationTicks >= UINT32;
  const version = isWide ? 1 : 0;
  const length = (ticks: number): Buffer => (isWide ? u64(ticks) : u32(ticks));
  const dates = isWide ? Buffer.concat([u64(0), u64(0)]) : u32(0, 0);
  const isEnabled = kind !== 'chapters' && (kind === 'video' || track.isDefault);
  const tkhd = full(
    'tkhd',
    version,
    isEnabled ? 3 : 2,
    dates,
    u32(id, 0),
    length(wholeTicks),
    u32(0, 0),
    u16(0, GROUPS[kind], kind === 'audio' ? 0x100 : 0, 0),
    picture?.matrix ?? UNTURNED,
    u32(picture?.width ?? 0, picture?.height ?? 0),
  );
  const edit = (ticks: number, time: number): Buffer =>
    isWide
      ? Buffer.concat([u64(ticks), time < 0 ? Buffer.alloc(8, 0xff) : u64(time), u32(0x1_0000)])
      : Buffer.concat([u32(ticks), time < 0 ? Buffer.alloc(4, 0xff) : u32(time), u32(0x1_0000)]);
  const edits = [...(startTicks > 0 ? [edit(startTicks, -1)] : []), edit(shownTicks, mediaTime)];
  const elst = full('elst', version, 0, u32(edits.length), ...edits);
  const language = toThreeLetterCode(track.language);
  const packed = Array.from(language).reduce((bits, letter) => (bits << 5) | (letter.charCodeAt(0) - 0x60), 0);
  const mdhd = full('mdhd', version, 0, dates, u32(timescale), length(durationTicks), u16(packed, 0));
  const name = track.title ?? '';
  const hdlr = full('hdlr', 0, 0, u32(0), text(HANDLERS[kind]), u32(0, 0, 0), Buffer.from(`${name}\0`));
  // The three letters know neither countries nor scripts.
  const elng = track.language === null ? [] : [full('elng', 0, 0, Buffer.from(`${track.language}\0`))];
  const minf = box('minf', mediaHeader(kind), DATA_HERE, sampleTable(track, chunks, offsets, usesLong, times));
  const references = chapterTrack === null ? [] : [box('tref', box('chap', u32(chapterTrack)))];
  const kinds = track.roles.map((role) => full('kind', 0, 0, Buffer.from(`urn:mpeg:dash:role:2011\0${role}\0`)));
  const own = [...(name === '' ? [] : [box('name', Buffer.from(name))]), ...kinds];
  return box(
    'trak',
    tkhd,
    box('edts', elst),
    ...references,
    box('mdia', mdhd, hdlr, ...elng, minf),
    ...(own.length === 0 ? [] : [box('udta', ...own)]),
  );
}

function mediaHeader(kind: Mp4MovieTrack['kind']): Buffer {
  if (kind === 'video') return full('vmhd', 0, 1, u16(0, 0, 0, 0));
  if (kind === 'audio') return full('smhd', 0, 0, u16(0, 0));
  if (kind === 'subtitle') return full('nmhd', 0, 0);
  return box('gmhd', full('gmin', 0, 0, u16(0x40, 0x8000, 0x8000, 0x8000, 0, 0)), box('text', UNTURNED));
}

function sampleTable(
  { kind, samples, sampleDescription }: Mp4MovieTrack,
  chunks: readonly Chunk[],
  offsets: readonly number[],
  usesLong: boolean,
  { durationTicks }: TrackTimes,
): Buffer {
  const { count } = samples;
  const base = count === 0 ? 0 : samples.decodeTicks(0);
  const nextTicks = (index: number): number =>
    index + 1 < count ? samples.decodeTicks(index + 1) - base : durationTicks;
  const durations = runs(count, (index) => nextTicks(index) - (samples.decodeTicks(index) - base));
  const shifts = runs(count, (index) => samples.offsetTicks(index));
  const isShifted = shifts.some(([, shift]) => shift !== 0);
  const isBefore = shifts.some(([, shift]) => shift < 0);
  const sizes = Buffer.allocUnsafe(count * 4);
  const keys: number[] = [];
  for (let index = 0; index < count; index++) {
    sizes.writeUInt32BE(samples.sizeBytes(index), index * 4);
    if (samples.isSync(index)) keys.push(index + 1);
  }
  // Only where the number of samples changes.
  const groups: number[][] = [];
  for (const [index, chunk] of chunks.entries()) {
    if (groups.at(-1)?.[1] !== chunk.count) groups.push([index + 1, chunk.count, 1]);
  }
  return box(
    'stbl',
    full('stsd', 0, 0, sampleDescription.subarray(4)),
    full('stts', 0, 0, u32(durations.length), pairs(durations)),
    ...(isShifted ? [full('ctts', isBefore ? 1 : 0, 0, u32(shifts.length), pairs(shifts))] : []),
    ...(kind === 'video' && keys.length < count ? [full('stss', 0, 0, u32(keys.length), words(keys))] : []),
    full('stsc', 0, 0, u32(groups.length), words(groups.flat())),
    full('stsz', 0, 0, u32(0, count), sizes),
    usesLong
      ? full('co64', 0, 0, u32(offsets.length), ...offsets.map((offset) => u64(offset)))
      : full('stco', 0, 0, u32(offsets.length), words(offsets)),
  );
}

/** Equal values that follow each other, counted. */
function runs(count: number, valueOf: (index: number) => number): [count: number, value: number][] {
  const found: [number, number][] = [];
  for (let index = 0; index < count; index++) {
    const value = valueOf(index);
    const last = found.at(-1);
    if (last?.[1] === value) last[0] += 1;
    else found.push([1, value]);
  }
  return found;
}

function pairs(found: readonly (readonly [number, number])[]): Buffer {
  const bytes = Buffer.allocUnsafe(found.length * 8);
  for (const [index, [count, value]] of found.entries()) {
    bytes.writeUInt32BE(count, index * 8);
    bytes.writeUInt32BE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}

/** Title and year as iTunes writes them, and chapters as Nero did, for players that read no chapter track. */
function userData({ title, year, chapters }: MovieFacts): Buffer {
  const item = (type: string, value: string): Buffer => box(type, box('data', u32(1, 0), Buffer.from(value)));
  const items = [
    ...(title === null ? [] : [item('\u00a9nam', title)]),
    ...(year === null ? [] : [item('\u00a9day', String(year))]),
  ];
  const handler = full('hdlr', 0, 0, u32(0), text('mdirappl'), u32(0, 0), Buffer.alloc(1));
  const meta = items.length === 0 ? [] : [full('meta', 0, 0, handler, box('ilst', ...items))];
  const marks = chapters.slice(0, MAX_CHAPTER_MARKS).map((chapter) => {
    const name = boundedUtf8(chapter.title, 255);
    return Buffer.concat([u64(chapter.startMs * 10_000), Buffer.from([name.length]), name]);
  });
  const chpl = marks.length === 0 ? [] : [full('chpl', 1, 0, u32(0), Buffer.from([marks.length]), ...marks)];
  return meta.length + chpl.length === 0 ? Buffer.alloc(0) : box('udta', ...chpl, ...meta);
}

function boundedUtf8(value: string, mostBytes: number): Buffer {
  const bytes = Buffer.from(value);
  let end = Math.min(bytes.length, mostBytes);
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const size = parts.reduce((sum, { length }) => sum + length, 8);
  return Buffer.concat([u32(size), text(type), ...parts], size);
}

const full = (type: string, version: number, flags: number, ...parts: readonly Buffer[]): Buffer =>
  box(type, u32(((version << 24) | flags) >>> 0), ...parts);

const text = (value: string): Buffer => Buffer.from(value, 'latin1');
const u32 = (...values: readonly number[]): Buffer => words(values);

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

const UNTURNED = u32(0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000);
/** The samples are in this file. */
const DATA_HERE = box('dinf', full('dref', 0, 0, u32(1), full('url ', 0, 1)));
