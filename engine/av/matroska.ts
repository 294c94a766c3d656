/**
 * What FFmpeg does not hand out of a Matroska or WebM file: chapters, cues, language tags, interlacing flags and the
 * times of single blocks. Reads headers and index only, never the pictures. Element ids and meanings: RFC 9559.
 */
import type { ByteSource } from './byte-source.ts';
import { elements, parseElementHeader, parseVint, toFloat, toText, toUnsigned } from './ebml.ts';
import type { ElementHeader } from './ebml.ts';
import type { RawChapter } from './chapters.ts';

const ID = {
  ebml: 0x1a45dfa3,
  docType: 0x4282,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  defaultDuration: 0x23e383,
  languageBcp47: 0x22b59d,
  codecId: 0x86,
  codecDelay: 0x56aa,
  video: 0xe0,
  flagInterlaced: 0x9a,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
  cueRelativePosition: 0xf0,
  chapters: 0x1043a770,
  editionEntry: 0x45b9,
  chapterAtom: 0xb6,
  chapterStart: 0x91,
  chapterEnd: 0x92,
  chapterHidden: 0x98,
  chapterEnabled: 0x4598,
  chapterDisplay: 0x80,
  chapterText: 0x85,
  cluster: 0x1f43b675,
  clusterTimestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
} as const;

/** Far more than any real file has; a hostile one stops here. */
const MAX_TOP_LEVEL = 256;
const MAX_SMALL_ELEMENT_BYTES = 4 << 20;
const MAX_CUES_BYTES = 64 << 20;
const MAX_CUES = 500_000;
const MAX_RAW_CHAPTERS = 10_000;
/** Elements in a row that are no blocks, before a reader of blocks gives up. */
const MAX_OTHER_ELEMENTS = 10_000;
/** How far back from the end a last cluster is looked for in a file without duration. */
const TAIL_BYTES = 8 << 20;
const MAX_CLUSTER_SEARCH_BYTES = 4 << 20;
const CLUSTER_MARK = Buffer.from([0x1f, 0x43, 0xb6, 0x75]);

export interface MatroskaTrack {
  readonly number: number;
  readonly type: number;
  readonly codecId: string;
  readonly languageBcp47: string | null;
  readonly isInterlaced: boolean;
  readonly defaultDurationNs: number | null;
  readonly codecDelayNs: number;
}

export interface Cue {
  readonly timeTicks: number;
  readonly trackNumber: number;
  /** Position of the cluster in the file. */
  readonly clusterAt: number;
  /** How far behind the beginning of the cluster's content the block lies; 0 where the file does not say. */
  readonly offsetBytes: number;
}

export interface MatroskaBlock {
  /** Where the element that holds it begins in the file. */
  readonly at: number;
  readonly trackNumber: number;
  readonly timeTicks: number;
  readonly isKeyframe: boolean;
}

export interface MatroskaFile {
  readonly docType: string;
  readonly tickNs: number;
  readonly durationTicks: number | null;
  readonly tracks: readonly MatroskaTrack[];
  readonly chapters: readonly RawChapter[];
  /** Position of the cues element, `null` where the file has none. */
  readonly cuesAt: number | null;
  readonly segmentAt: number;
  readonly firstClusterAt: number | null;
}

/** `null`: not an EBML file with a segment. */
export function readMatroska(source: ByteSource): MatroskaFile | null {
  const head = headerAt(source, 0);
  if (head === null || head.id !== ID.ebml || head.length === null) return null;
  let docType = '';
  for (const e of elements(source.read(head.headerBytes, Math.min(head.length, 4096)))) {
    if (e.id === ID.docType) docType = toText(e.content);
  }
  const segment = headerAt(source, head.headerBytes + head.length);
  if (segment === null || segment.id !== ID.segment) return null;
  const segmentAt = head.headerBytes + head.length + segment.headerBytes;

  const reader = new SegmentReader(source, segmentAt);
  let at = segmentAt;
  let firstClusterAt: number | null = null;
  for (let i = 0; i < MAX_TOP_LEVEL; i += 1) {
    const header = headerAt(source, at);
    if (header === null) break;
    if (header.id === ID.cluster) {
      firstClusterAt = at;
      break;
    }
    reader.take(header, at);
    if (header.length === null) break;
    at += header.headerBytes + header.length;
  }
  reader.follow(ID.chapters);
  return {
    docType,
    tickNs: reader.tickNs,
    durationTicks: reader.durationTicks,
    tracks: reader.tracks,
    chapters: reader.chapters,
    cuesAt: reader.position(ID.cues),
    segmentAt,
    firstClusterAt,
  };
}

function headerAt(source: ByteSource, at: number): ElementHeader | null {
  return parseElementHeader(source.read(at, 12));
}

/** Collects the elements before the first cluster and those that the seek head points at. */
class SegmentReader {
  tickNs = 1_000_000;
  durationTicks: number | null = null;
  tracks: MatroskaTrack[] = [];
  chapters: RawChapter[] = [];
  readonly #source: ByteSource;
  readonly #segmentAt: number;
  readonly #positions = new Map<number, number>();
  readonly #taken = new Set<number>();
  #seekHeads = 0;

  constructor(source: ByteSource, segmentAt: number) {
    this.#source = source;
    this.#segmentAt = segmentAt;
  }

  position(id: number): number | null {
    const at = this.#positions.get(id);
    return at === undefined || headerAt(this.#source, at)?.id !== id ? null : at;
  }

  follow(id: number): void {
    const at = this.#positions.get(id);
    if (at === undefined || this.#taken.has(at)) return;
    const header = headerAt(this.#source, at);
    if (header !== null && header.id === id) this.take(header, at);
  }

  take(header: ElementHeader, at: number): void {
    this.#taken.add(at);
    this.#positions.set(header.id, this.#positions.get(header.id) ?? at);
    if (header.length === null || header.length > MAX_SMALL_ELEMENT_BYTES) return;
    const isWanted = [ID.seekHead, ID.info, ID.tracks, ID.chapters].some((id) => id === header.id);
    if (!isWanted) return;
    const content = this.#source.read(at + header.headerBytes, header.length);
    if (header.id === ID.info) this.#takeInfo(content);
    else if (header.id === ID.tracks) this.tracks = parseTracks(content);
    else if (header.id === ID.chapters) this.chapters = parseChapters(content);
    else this.#takeSeekHead(content);
  }

  #takeInfo(content: Buffer): void {
    for (const e of elements(content)) {
      if (e.id === ID.timestampScale) this.tickNs = toUnsigned(e.content) || this.tickNs;
      if (e.id === ID.duration) {
        const ticks = toFloat(e.content);
        if (Number.isFinite(ticks) && ticks > 0) this.durationTicks = ticks;
      }
    }
  }

  #takeSeekHead(content: Buffer): void {
    this.#seekHeads += 1;
    let nextSeekHead: number | null = null;
    for (const seek of elements(content)) {
      if (seek.id !== ID.seek) continue;
      let id = 0;
      let position: number | null = null;
      for (const e of elements(seek.content)) {
        if (e.id === ID.seekId) id = toUnsigned(e.content);
        if (e.id === ID.seekPosition) position = this.#segmentAt + toUnsigned(e.content);
      }
      if (position === null) continue;
      if (id === ID.seekHead) nextSeekHead = position;
      else if (!this.#positions.has(id)) this.#positions.set(id, position);
    }
    // A second seek head may name what the first one could not; a third is a loop.
    if (nextSeekHead === null || this.#seekHeads > 1 || this.#taken.has(nextSeekHead)) return;
    const header = headerAt(this.#source, nextSeekHead);
    if (header?.id === ID.seekHead) this.take(header, nextSeekHead);
  }
}

function parseTracks(content: Buffer): MatroskaTrack[] {
  const tracks: MatroskaTrack[] = [];
  for (const entry of elements(content)) {
    if (entry.id !== ID.trackEntry) continue;
    let number = 0;
    let type = 0;
    let codecId = '';
    let languageBcp47: string | null = null;
    let isInterlaced = false;
    let defaultDurationNs: number | null = null;
    let codecDelayNs = 0;
    for (const e of elements(entry.content)) {
      if (e.id === ID.trackNumber) number = toUnsigned(e.content);
      else if (e.id === ID.trackType) type = toUnsigned(e.content);
      else if (e.id === ID.codecId) codecId = toText(e.content);
      else if (e.id === ID.languageBcp47) languageBcp47 = toText(e.content);
      else if (e.id === ID.defaultDuration) defaultDurationNs = toUnsigned(e.content) || null;
      else if (e.id === ID.codecDelay) codecDelayNs = toUnsigned(e.content);
      else if (e.id === ID.video) {
        for (const v of elements(e.content)) if (v.id === ID.flagInterlaced) isInterlaced = toUnsigned(v.content) === 1;
      }
    }
    tracks.push({ number, type, codecId, languageBcp47, isInterlaced, defaultDurationNs, codecDelayNs });
  }
  return tracks;
}

function parseChapters(content: Buffer): RawChapter[] {
  const chapters: RawChapter[] = [];
  for (const edition of elements(content)) {
    if (edition.id !== ID.editionEntry) continue;
    for (const atom of elements(edition.content)) {
      if (atom.id !== ID.chapterAtom || chapters.length >= MAX_RAW_CHAPTERS) continue;
      let startNs: number | null = null;
      let endNs: number | null = null;
      let title: string | null = null;
      let isShown = true;
      for (const e of elements(atom.content)) {
        if (e.id === ID.chapterStart) startNs = toUnsigned(e.content);
        else if (e.id === ID.chapterEnd) endNs = toUnsigned(e.content);
        else if (e.id === ID.chapterHidden && toUnsigned(e.content) === 1) isShown = false;
        else if (e.id === ID.chapterEnabled && toUnsigned(e.content) === 0) isShown = false;
        else if (e.id === ID.chapterDisplay) {
          for (const d of elements(e.content)) if (d.id === ID.chapterText) title ??= toText(d.content);
        }
      }
      if (startNs === null || !isShown) continue;
      chapters.push({ startUs: startNs / 1000, endUs: endNs === null ? null : endNs / 1000, title });
    }
    // Further editions are other cuts of the same movie: the first is what a player shows unless told otherwise.
    if (chapters.length > 0) break;
  }
  return chapters;
}

/** Cue points of one track in the order of time. `null`: no cues, or larger than any movie's. */
export function readCues(source: ByteSource, file: MatroskaFile, trackNumber: number): Cue[] | null {
  if (file.cuesAt === null) return null;
  const header = headerAt(source, file.cuesAt);
  if (header === null || header.length === null || header.length > MAX_CUES_BYTES) return null;
  const content = source.read(file.cuesAt + header.headerBytes, header.length);
  if (content.length < header.length) return null;
  const cues: Cue[] = [];
  for (const point of elements(content)) {
    if (point.id !== ID.cuePoint) continue;
    let timeTicks: number | null = null;
    let clusterAt: number | null = null;
    let offsetBytes = 0;
    for (const e of elements(point.content)) {
      if (e.id === ID.cueTime) timeTicks = toUnsigned(e.content);
      if (e.id !== ID.cueTrackPositions) continue;
      let cueTrack = 0;
      let position = 0;
      let relative = 0;
      for (const p of elements(e.content)) {
        if (p.id === ID.cueTrack) cueTrack = toUnsigned(p.content);
        if (p.id === ID.cueClusterPosition) position = toUnsigned(p.content);
        if (p.id === ID.cueRelativePosition) relative = toUnsigned(p.content);
      }
      if (cueTrack !== trackNumber || clusterAt !== null) continue;
      clusterAt = file.segmentAt + position;
      offsetBytes = relative;
    }
    if (timeTicks === null || clusterAt === null) continue;
    cues.push({ timeTicks, trackNumber, clusterAt, offsetBytes });
    if (cues.length > MAX_CUES) return null;
  }
  return cues.toSorted((a, b) => a.timeTicks - b.timeTicks);
}

/** Blocks in file order from the cluster at `clusterAt` on, headers only. Returns where it met damage or the end of the file. */
export function* blocksFrom(source: ByteSource, clusterAt: number): Generator<MatroskaBlock, number> {
  let at = clusterAt;
  let clusterTicks = 0;
  let clusterEnd = Infinity;
  let isInside = false;
  for (let others = 0; others < MAX_OTHER_ELEMENTS; others += 1) {
    if (at >= clusterEnd) isInside = false;
    const bytes = source.read(at, 32, true);
    const header = parseElementHeader(bytes);
    if (header === null) return at;
    const contentAt = at + header.headerBytes;
    if (header.id === ID.cluster) {
      isInside = true;
      clusterEnd = header.length === null ? Infinity : contentAt + header.length;
      at = contentAt;
      continue;
    }
    if (header.length === null) return at;
    if (isInside && header.id === ID.clusterTimestamp) {
      clusterTicks = toUnsigned(bytes.subarray(header.headerBytes, header.headerBytes + header.length));
    } else if (isInside && header.id === ID.simpleBlock) {
      const block = parseBlock(bytes.subarray(header.headerBytes), clusterTicks, at);
      others = 0;
      if (block !== null) yield block;
    } else if (isInside && header.id === ID.blockGroup) {
      const block = blockOfGroup(source, { at, contentAt, length: header.length }, clusterTicks);
      others = 0;
      if (block !== null) yield block;
    }
    at = contentAt + header.length;
  }
  return at;
}

function parseBlock(bytes: Buffer, clusterTicks: number, at: number): MatroskaBlock | null {
  const track = parseVint(bytes, 0, false);
  if (track === null || bytes.length < track.bytes + 3) return null;
  return {
    at,
    trackNumber: track.value ?? 0,
    timeTicks: clusterTicks + bytes.readInt16BE(track.bytes),
    isKeyframe: ((bytes[track.bytes + 2] ?? 0) & 0x80) !== 0,
  };
}

/** A block in a group is a keyframe if the group holds no reference to another block. */
function blockOfGroup(
  source: ByteSource,
  { at, contentAt, length }: { readonly at: number; readonly contentAt: number; readonly length: number },
  clusterTicks: number,
): MatroskaBlock | null {
  const REFERENCE_BLOCK = 0xfb;
  let block: MatroskaBlock | null = null;
  let hasReference = false;
  let offset = 0;
  for (let i = 0; i < 16 && offset < length; i += 1) {
    const bytes = source.read(contentAt + offset, 32, true);
    const header = parseElementHeader(bytes);
    if (header === null || header.length === null) break;
    if (header.id === ID.block) block = parseBlock(bytes.subarray(header.headerBytes), clusterTicks, at);
    if (header.id === REFERENCE_BLOCK) hasReference = true;
    offset += header.headerBytes + header.length;
  }
  return block === null ? null : { ...block, isKeyframe: !hasReference };
}

/** The first cluster that begins in the `MAX_CLUSTER_SEARCH_BYTES` behind a position. `null`: none there. */
export function clusterNear(source: ByteSource, file: MatroskaFile, position: number): number | null {
  const from = Math.max(position, file.firstClusterAt ?? Infinity);
  const at = source.read(from, MAX_CLUSTER_SEARCH_BYTES).indexOf(CLUSTER_MARK);
  return at < 0 ? null : from + at;
}

/**
 * Keyframes of a track from the headers of all blocks; `null` for everything else that was looked at, so that who reads can
 * stop at any time. Goes on behind damage where it finds the next cluster.
 */
export function* keyframeBlocks(
  source: ByteSource,
  file: MatroskaFile,
  trackNumber: number,
): Generator<MatroskaBlock | null> {
  let clusterAt = file.firstClusterAt;
  while (clusterAt !== null) {
    const reader = blocksFrom(source, clusterAt);
    let next = reader.next();
    for (; next.done !== true; next = reader.next()) {
      yield next.value.trackNumber === trackNumber && next.value.isKeyframe ? next.value : null;
    }
    yield null;
    clusterAt = clusterNear(source, file, next.value + 1);
  }
}

/** Time of the last block near the end of the file, for recordings that never got a duration. */
export function readLastBlockTicks(source: ByteSource, file: MatroskaFile): number | null {
  const from = Math.max(file.firstClusterAt ?? source.sizeBytes, source.sizeBytes - TAIL_BYTES);
  const tail = source.read(from, source.sizeBytes - from);
  for (let at = tail.lastIndexOf(CLUSTER_MARK), tries = 0; at >= 0 && tries < 64; tries += 1) {
    let last: number | null = null;
    for (const block of blocksFrom(source, from + at)) last = Math.max(last ?? 0, block.timeTicks);
    if (last !== null) return last;
    if (at === 0) return null;
    at = tail.lastIndexOf(CLUSTER_MARK, at - 1);
  }
  return null;
}
