/** Addresses of movies for players outside the browser. */
import * as v from 'valibot';
import { Id, Milliseconds, ShortText, Timestamp } from './scalar.ts';

/** `file`: the movie's file as it is. `stream`: HLS, for a line that is too weak for the file; what such players decode is copied. */
export const LINK_KINDS = ['file', 'stream'] as const;

const HOUR_MS = 3_600_000;
/** Long enough for an evening, and short enough to be of no use to whoever finds it in a history next week. */
export const DEFAULT_LINK_MS = 12 * HOUR_MS;
export const MIN_LINK_MS = HOUR_MS / 12;
export const MAX_LINK_MS = 7 * 24 * HOUR_MS;

export const PlaybackLink = v.object({
  movieId: Id,
  fileId: Id,
  kind: v.picklist(LINK_KINDS),
  /** For people, on one line: `Heat (1995)`. */
  title: ShortText,
  /**
   * Signed, relative to the server, usable without a cookie. It ends at `expiresAt`, with the session that asked for it, and with
   * the file. Whoever has it can watch this movie and nothing else; no progress is reported from there.
   */
  url: v.string(),
  /** The same as a playlist of one entry (M3U), from which players take the title. */
  playlistUrl: v.string(),
  /** Content type of `url`. */
  mimeType: v.string(),
  durationMs: Milliseconds,
  expiresAt: Timestamp,
});
export type PlaybackLink = v.InferOutput<typeof PlaybackLink>;
