/**
 * Subtitles of a Matroska file by its index, without reading the pictures between them. MKVToolNix and FFmpeg put every subtitle into
 * the cues, with its place in the cluster (RFC 9559, sections 5.1.5 and 22).
 */
import { inflateSync } from 'node:zlib';
import type { ByteSource } from './byte-source.ts';
import { elements, parseElementHeader, parseVint, toUnsigned } from './ebml.ts';
import type { MatroskaFile } from './matroska.ts';

const ID = {
  cluster: 0x1f43b675,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  encodings: 0x6d80,
  encoding: 0x6240,
  encodingType: 0x5033,
  compression: 0x5034,
  compressionAlgorithm: 0x4254,
  compressionSettings: 0x4255,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
  cueRelativePosition: 0xf0,
  cueDuration: 0xb2,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  blockDuration: 0x9b,
} as const;

const MAX_CUES_BYTES = 64 << 20;
const MAX_TRACKS_BYTES = 4 << 20;
const MAX_BLOCK_BYTES = 4 << 20;
const MAX_TOP_LEVEL = 256;

export interface SubtitleCuePoint {
  readonly timeTicks: number;
  readonly durationTicks: number | null;
  readonly blockAt: number;
  readonly clusterAt: number;
}

/** How a track's blocks are to be unpacked; `null`: in a way that we do not know. */
export type Unpack = ((payload: Buffer) => Buffer) | null;

/** Where the blocks of these tracks lie, in order of time. `null` unless the index holds places for every one of them. */
export function subtitleCues(
  source: ByteSource,
  file: MatroskaFile,
  trackNumbers: ReadonlySet<number>,
): ReadonlyMap<number, readonly SubtitleCuePoint[]> | null {
  if (file.cuesAt === null) return null;
  const header = parseElementHeader(source.read(file.cuesAt, 12));
  if (header === null || header.length === null || header.length > MAX_CUES_BYTES) return null;
  // Kept while blocks are read, and what is read is valid until the next read only.
  const content = Buffer.from(source.read(file.cuesAt + header.headerBytes, header.length));
  if (content.length < header.length) return null;
  const found = new Map<number, SubtitleCuePoint[]>([...trackNumbers].map((number) => [number, []]));
  for (const point of elements(content)) {
    if (point.id !== ID.cuePoint) continue;
    let timeTicks = 0;
    for (const e of elements(point.content)) if (e.id === ID.cueTime) timeTicks = toUnsigned(e.content);
    for (const e of elements(point.content)) {
      if (e.id !== ID.cueTrackPositions) continue;
      let [track, cluster, relative, duration]: [number, number, number | null, number | null] = [0, 0, null, null];
      for (const p of elements(e.content)) {
        if (p.id === ID.cueTrack) track = toUnsigned(p.content);
        else if (p.id === ID.cueClusterPosition) cluster = toUnsigned(p.content);
        else if (p.id === ID.cueRelativePosition) relative = toUnsigned(p.content);
        else if (p.id === ID.cueDuration) duration = toUnsigned(p.content);
      }
      const list = found.get(track);
      if (!list) continue;
      if (relative === null) return null;
      const clusterAt = file.segmentAt + cluster;
      list.push({ timeTicks, durationTicks: duration, clusterAt, blockAt: relative });
    }
  }
  if ([...found.values()].some((list) => list.length === 0)) return null;
  for (const [track, list] of found) {
    found.set(
      track,
      list.toSorted((a, b) => a.timeTicks - b.timeTicks),
    );
  }
  return found;
}

/** How the blocks of each track are packed. */
export function trackUnpackers(source: ByteSource, file: MatroskaFile): ReadonlyMap<number, Unpack> {
  const unpackers = new Map<number, Unpack>();
  let at = file.segmentAt;
  for (let i = 0; i < MAX_TOP_LEVEL; i += 1) {
    const header = parseElementHeader(source.read(at, 12));
    if (header === null || header.length === null || header.id === ID.cluster) break;
    if (header.id === ID.tracks && header.length <= MAX_TRACKS_BYTES) {
      for (const entry of elements(Buffer.from(source.read(at + header.headerBytes, header.length)))) {
        if (entry.id !== ID.trackEntry) continue;
        let number = 0;
        let unpack: Unpack = (payload) => payload;
        for (const e of elements(entry.content)) {
          if (e.id === ID.trackNumber) number = toUnsigned(e.content);
          else if (e.id === ID.encodings) unpack = unpackerOf(e.content);
        }
        unpackers.set(number, unpack);
      }
      break;
    }
    at += header.headerBytes + header.length;
  }
  return unpackers;
}

function unpackerOf(encodings: Buffer): Unpack {
  const list = [...elements(encodings)].filter(({ id }) => id === ID.encoding);
  if (list.length !== 1) return null;
  let isCompression = true;
  let algorithm = 0;
  let settings: Buffer = Buffer.alloc(0);
  for (const e of elements(list[0]!.content)) {
    if (e.id === ID.encodingType && toUnsigned(e.content) !== 0) isCompression = false;
    if (e.id !== ID.compression) continue;
    for (const c of elements(e.content)) {
      if (c.id === ID.compressionAlgorithm) algorithm = toUnsigned(c.content);
      else if (c.id === ID.compressionSettings) settings = c.content;
    }
  }
  if (!isCompression) return null;
  if (algorithm === 0) return (payload) => inflateSync(payload, { maxOutputLength: MAX_BLOCK_BYTES });
  return algorithm === 3 ? (payload) => Buffer.concat([settings, payload]) : null;
}

/** A block's payload and length of time; `null` where there is none of that track at that place. */
export function readBlock(
  source: ByteSource,
  { clusterAt, blockAt, durationTicks }: SubtitleCuePoint,
  trackNumber: number,
): { readonly payload: Buffer; readonly durationTicks: number | null } | null {
  const cluster = parseElementHeader(source.read(clusterAt, 16, true));
  if (cluster?.id !== ID.cluster) return null;
  const at = clusterAt + cluster.headerBytes + blockAt;
  const header = parseElementHeader(source.read(at, 16, true));
  if (header === null || header.length === null || header.length > MAX_BLOCK_BYTES) return null;
  const content = source.read(at + header.headerBytes, header.length, true);
  if (content.length < header.length) return null;
  let block: Buffer | null = header.id === ID.simpleBlock ? content : null;
  let duration = durationTicks;
  if (header.id === ID.blockGroup) {
    for (const e of elements(content)) {
      if (e.id === ID.block) block = e.content;
      else if (e.id === ID.blockDuration) duration = toUnsigned(e.content);
    }
  }
  const track = block && parseVint(block, 0, false);
  if (!block || track?.value !== trackNumber) return null;
  // Nobody laces subtitles.
  const flags = block[track.bytes + 2] ?? 0;
  if ((flags & 0x06) !== 0) return null;
  return { payload: Buffer.from(block.subarray(track.bytes + 3)), durationTicks: duration };
}
