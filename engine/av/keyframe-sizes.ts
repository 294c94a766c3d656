/**
 * How many bytes lie between one keyframe and the next, from the container's index alone: what the peak bit rate of copied
 * segments is worked out from before any of them is made. Each list goes with the list of keyframe times of the same track, entry by
 * entry; `null` where the index does not tell, or where the two can't be matched.
 */
import type { ByteSource } from './byte-source.ts';
import type { Cue, MatroskaFile } from './matroska.ts';
import { boxIn } from './mp4-box.ts';
import type { Mp4File } from './mp4.ts';
import { syncSampleNumbers } from './mp4-samples.ts';

/** Twelve hours at 120 pictures a second. */
const MAX_SAMPLES = 12 * 3600 * 120;

/** Of the track alone: the sizes of its samples (ISO/IEC 14496-12 8.7.3). */
export function mp4KeyframeBytes(file: Mp4File, trackId: number, keyframes: number): number[] | null {
  const track = file.tracks.find(({ id }) => id === trackId);
  const stsz = boxIn(track?.sampleTable ?? null, 'stsz');
  if (!track?.sampleTable || file.isFragmented || stsz === null || stsz.length < 12) return null;
  const numbers = syncSampleNumbers(track.sampleTable);
  // An edit list that hides some of them leaves fewer times than sync samples.
  if (numbers === null || numbers.length !== keyframes) return null;
  const sameBytes = stsz.readUInt32BE(4);
  const claimed = stsz.readUInt32BE(8);
  const count = Math.min(claimed, MAX_SAMPLES, sameBytes > 0 ? claimed : Math.floor((stsz.length - 12) / 4));
  return numbers.map((number, index) => {
    const end = Math.min(numbers[index + 1] ?? count, count);
    if (sameBytes > 0) return Math.max(0, end - number) * sameBytes;
    let bytes = 0;
    for (let sample = number; sample < end; sample += 1) bytes += stsz.readUInt32BE(12 + sample * 4);
    return bytes;
  });
}

/** Of all tracks together: the places of the cues. `cues` in the order of time. */
export function matroskaKeyframeBytes(
  source: ByteSource,
  file: MatroskaFile,
  cues: readonly Cue[] | null,
  keyframes: number,
): number[] | null {
  const places = (cues ?? [])
    .filter((cue, index) => cue.timeTicks !== cues?.[index - 1]?.timeTicks)
    .map(({ clusterAt, offsetBytes }) => clusterAt + offsetBytes);
  const last = places.at(-1);
  if (last === undefined || places.length !== keyframes) return null;
  const endAt = file.cuesAt !== null && file.cuesAt > last ? file.cuesAt : source.sizeBytes;
  const bytes = places.map((place, index) => (places[index + 1] ?? endAt) - place);
  return bytes.every((size) => size >= 0) ? bytes : null;
}
