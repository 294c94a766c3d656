/** One picture that stands for a movie until it has artwork: a keyframe that is neither black nor flat, as WebP. */
import { Frame } from 'node-av/lib';
import type { VideoTrack } from '#protocol/schema/media.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import { KeyframeReader, SdrRenderer, allocated, encodeWebp } from './keyframe-picture.ts';
import type { ShownSize } from './keyframe-picture.ts';
import { probe } from './probe.ts';

/** Further places to look, as steps from the wanted one in parts of the movie. */
const DETOURS = [0, 0.04, 0.1, -0.06, 0.2, 0.45];
/** Luma of limited range: 16 is black. Below this mean a picture reads as black on a wall of posters. */
const MIN_MEAN_LUMA = 32;
/** Standard deviation of luma below which a picture is a plain colour, a fade or a title card's background. */
const MIN_LUMA_DEVIATION = 14;
const MIN_WIDTH_PX = 16;
const MAX_WIDTH_PX = 3840;
const WEBP_QUALITY = 82;

export interface PictureOptions {
  readonly widthPx: number;
  readonly atFraction: number;
  readonly timeLimitMs: number;
}

export interface Picture {
  readonly bytes: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Throws `MediaError`: `unsupported` without video or decoder, `timeout`, `truncated` when nothing can be decoded. */
export function takePicture(path: string, options: PictureOptions): Picture {
  const endsAt = performance.now() + options.timeLimitMs;
  const { media } = probe(path);
  const [track] = media.video;
  if (track === undefined) throw new MediaError('unsupported', 'no video track');
  const size = shownSize(track, Math.min(MAX_WIDTH_PX, Math.max(MIN_WIDTH_PX, Math.round(options.widthPx))));

  const wanted = { path, track, size, endsAt };
  const places = DETOURS.map((detour) => options.atFraction + detour).filter((at) => at >= 0 && at < 1);
  const durationMs = media.durationMs ?? 0;
  const best =
    searchPicture(wanted, durationMs === 0 ? [] : places.map((at) => (media.startMs + durationMs * at) * 1000)) ??
    // Without an index a seek can land behind the last keyframe: then the first picture has to do.
    searchPicture(wanted, [null]);
  if (best !== null) return best;
  throw performance.now() > endsAt
    ? new MediaError('timeout', 'no picture in time')
    : new MediaError('truncated', 'no picture could be decoded');
}

interface Search {
  readonly path: string;
  readonly track: VideoTrack;
  readonly size: ShownSize;
  readonly endsAt: number;
}

/** The first good picture at one of the places (file times, `null`: where the file begins), else the least flat one. */
function searchPicture({ path, track, size, endsAt }: Search, placesUs: readonly (number | null)[]): Picture | null {
  using reader = new KeyframeReader(path, track);
  using renderer = new SdrRenderer(reader.stream, track, size);
  using frame = allocated(new Frame());
  using best = allocated(new Frame());
  let bestDeviation = -1;
  for (const atUs of placesUs) {
    if (performance.now() > endsAt) break;
    if (atUs !== null) reader.seek(atUs);
    if (reader.decodeNext(frame, endsAt) !== 'decoded') continue;
    using shown = allocated(new Frame());
    renderer.render(frame, shown);
    const luma = lumaStatistics(shown);
    const isGood = luma.mean >= MIN_MEAN_LUMA && luma.deviation >= MIN_LUMA_DEVIATION;
    if (isGood || luma.deviation > bestDeviation) {
      bestDeviation = luma.deviation;
      best.unref();
      best.ref(shown);
    }
    if (isGood) break;
  }
  if (bestDeviation < 0) return null;
  return { bytes: encodeWebp(best, WEBP_QUALITY), widthPx: best.width, heightPx: best.height };
}

/** Upright and with square pixels, at most `widthPx` wide, never larger than the source. */
function shownSize(track: VideoTrack, widthPx: number): ShownSize {
  const stretchedPx = (track.width * track.pixelAspect.num) / track.pixelAspect.den;
  const isTurned = track.rotation % 180 !== 0;
  const fullWidthPx = isTurned ? track.height : stretchedPx;
  const fullHeightPx = isTurned ? stretchedPx : track.height;
  const scale = Math.min(1, widthPx / fullWidthPx);
  const heightPx = Math.min(MAX_WIDTH_PX, Math.max(MIN_WIDTH_PX, Math.round(fullHeightPx * scale)));
  return { widthPx: Math.max(MIN_WIDTH_PX, Math.round(fullWidthPx * scale)), heightPx };
}

interface LumaStatistics {
  readonly mean: number;
  readonly deviation: number;
}

/** Every fourth pixel of every second line says enough. */
function lumaStatistics(frame: Frame): LumaStatistics {
  const plane = frame.data?.[0];
  const stride = frame.linesize[0] ?? 0;
  if (plane === undefined || stride <= 0) return { mean: 0, deviation: 0 };
  let sum = 0;
  let squares = 0;
  let count = 0;
  for (let y = 0; y < frame.height; y += 2) {
    for (let x = 0; x < frame.width; x += 4) {
      const luma = plane[y * stride + x] ?? 0;
      sum += luma;
      squares += luma * luma;
      count += 1;
    }
  }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)) };
}
