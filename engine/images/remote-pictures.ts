/**
 * The host of TMDB's pictures. Owns: whether it can be asked at present. One that hangs is asked again only after a while, because each
 * question in vain holds one of the few connections that a browser has to us.
 */
import type { Clock } from '#engine/base/clock.ts';
import { HttpFailure, fetchBytes } from '#engine/base/http-json.ts';
import type { Dispatcher } from '#engine/base/http-json.ts';
import type { Log } from '#engine/base/log.ts';
import { USUAL_SIZE, servedSize } from '#engine/media/artwork-size.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import type { PictureRole } from '#protocol/schema/picture.ts';
import type { RemoteOutcome, RemotePictures } from './ports.ts';

/** Larger than all that TMDB takes from those who upload. */
export const MAX_REMOTE_BYTES = 10e6;
const TIME_LIMIT_MS = 10_000;
/** After so many failures in a row. */
const FAILURES_TO_REST = 2;
const REST_MS = 30_000;
const MAX_REST_MS = 600_000;

/**
 * Sizes of TMDB's host: enough for the widest frame that a picture of that role fills on a dense screen, and a tenth of the bytes of the
 * original where that is print-sized. Backdrops come as they are.
 */
const SIZES: Readonly<
  Record<PictureRole, { readonly name: string; readonly maxWidthPx: number; readonly maxHeightPx: number }>
> = {
  poster: { name: 'w780', maxWidthPx: 780, maxHeightPx: Infinity },
  backdrop: { name: 'original', maxWidthPx: Infinity, maxHeightPx: Infinity },
  logo: { name: 'w500', maxWidthPx: 500, maxHeightPx: Infinity },
  portrait: { name: 'h632', maxWidthPx: Infinity, maxHeightPx: 632 },
};

/** How large a picture will be served that is so large at TMDB; for the store. */
export const REMOTE_SIZES = {
  usual: USUAL_SIZE,
  served(role: PictureRole, { widthPx, heightPx }: PictureSize): PictureSize {
    const { maxWidthPx, maxHeightPx } = SIZES[role];
    const scale = Math.min(1, maxWidthPx / widthPx, maxHeightPx / heightPx);
    return servedSize({ widthPx: widthPx * scale, heightPx: heightPx * scale });
  },
};

export interface RemoteOptions {
  /** `https://image.tmdb.org/t/p` */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How connections are made, where a proxy is to be used. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly timeLimitMs?: number;
}

export function createRemotePictures({ baseUrl, clock, log, dispatcher, timeLimitMs }: RemoteOptions): RemotePictures {
  let failures = 0;
  let restsUntilMs = 0;

  function away(retryAfterMs: number | null, why: string): RemoteOutcome {
    failures++;
    const rest =
      retryAfterMs ??
      (failures < FAILURES_TO_REST
        ? 0
        : Math.min(MAX_REST_MS, REST_MS * 2 ** Math.min(8, failures - FAILURES_TO_REST)));
    if (rest > 0 && clock.nowMs() >= restsUntilMs) log.warn('TMDB’s pictures cannot be had', { why, restMs: rest });
    restsUntilMs = Math.max(restsUntilMs, clock.nowMs() + rest);
    return { kind: 'away', retryAfterMs: Math.max(rest, 1_000) };
  }

  return {
    async fetch(path, role, signal) {
      const restMs = restsUntilMs - clock.nowMs();
      if (restMs > 0) return { kind: 'away', retryAfterMs: restMs };
      // It draws the ones of lines and curves for whoever asks for them as PNG.
      const url = `${baseUrl.replace(/\/+$/, '')}/${SIZES[role].name}${path.replace(/\.svg$/i, '.png')}`;
      try {
        const reply = await fetchBytes(url, {
          accept: 'image/webp,image/jpeg,image/png',
          timeoutMs: timeLimitMs ?? TIME_LIMIT_MS,
          maxBytes: MAX_REMOTE_BYTES,
          signal,
          ...(dispatcher && { dispatcher }),
        });
        const { status } = reply;
        if (status === 429 || status >= 500) {
          return away(retryAfterOf(reply.headers['retry-after']), `status ${status}`);
        }
        failures = 0;
        return status === 200 ? { kind: 'bytes', bytes: reply.bytes } : { kind: 'gone' };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof HttpFailure)) throw error;
        if (error.kind === 'tooLarge') return { kind: 'tooLarge' };
        return away(null, error.message);
      }
    },
  };
}

function retryAfterOf(header: string | undefined): number | null {
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, MAX_REST_MS) : null;
}
