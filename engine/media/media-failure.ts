/** Why a media file could not be read, as a closed set: FFmpeg's own error text never leaves `engine/av`. */

/**
 * - `notFound`: no such file, or a link that leads nowhere
 * - `notReadable`: the operating system refuses to read it (permissions, I/O error)
 * - `notAFile`: a folder, pipe, socket or device
 * - `empty`: no bytes
 * - `notMedia`: its content is none of the containers that Matinee opens
 * - `truncated`: begins like one of them, but the rest is missing or damaged
 * - `noTracks`: opens, but holds neither picture nor sound
 * - `unsupported`: opens, but what was asked for cannot be done with it (no decoder, no such track)
 * - `tooComplex`: claims more than a movie has (tracks, sizes, tables) and is refused before it can hurt
 * - `timeout`: took longer than its time limit
 * - `crashed`: its media host ended while working on it
 * - `quarantined`: its media host ended twice; it is left alone until the file changes or an admin releases it
 * - `internal`: a fault of Matinee, reported with an error id
 */
export const MEDIA_FAILURES = [
  'notFound',
  'notReadable',
  'notAFile',
  'empty',
  'notMedia',
  'truncated',
  'noTracks',
  'unsupported',
  'tooComplex',
  'timeout',
  'crashed',
  'quarantined',
  'internal',
] as const;
export type MediaFailure = (typeof MEDIA_FAILURES)[number];

/**
 * Failures that may pass without the file having changed: every scan tries those files again, and so does another process of the
 * server where a picture is wanted; all others wait for another file.
 */
export const PASSING_FAILURES: ReadonlySet<MediaFailure> = new Set<MediaFailure>([
  'notFound',
  'notReadable',
  'timeout',
  'crashed',
  'internal',
]);

const failureSet: ReadonlySet<unknown> = new Set(MEDIA_FAILURES);

export function isMediaFailure(value: unknown): value is MediaFailure {
  return failureSet.has(value);
}

/** What happened to the file and what a person can do about it; a sentence to put behind the file's name. */
export const MEDIA_FAILURE_TEXT: Readonly<Record<MediaFailure, string>> = {
  notFound: 'is not there any more. Check that its disk or share is mounted, then scan again.',
  notReadable:
    'cannot be read by the account that Matinee runs under. Give that account read permission, then scan again.',
  notAFile: 'is not a regular file (a folder, pipe or device). Move it out of the library or rename it.',
  empty: 'is empty. Copy it again from where it came from.',
  notMedia: 'is not a movie file, whatever its name says. Remove it from the library or replace it.',
  truncated: 'is cut off or damaged. Copy it again from where it came from.',
  noTracks: 'holds neither picture nor sound. Replace it.',
  unsupported: 'is in a form that Matinee cannot decode. Convert it to a common format.',
  tooComplex: 'claims more tracks or larger tables than a movie can have, so it was refused. Replace or remux it.',
  timeout: 'took too long to read. Check the disk or network share it lies on, then scan again.',
  crashed: 'ended the process that was reading it. It will be tried once more.',
  quarantined:
    'ended the process that was reading it twice, so it is left alone. Replace it, or release it to try again.',
  internal: 'could not be handled because of a fault in Matinee. The log tells more under the error id.',
};

/** Thrown inside media hosts; hosts turn it into a plain `{ ok: false, failure }`. `message` is for developers only. */
export class MediaError extends Error {
  readonly failure: MediaFailure;

  constructor(failure: MediaFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MediaError';
    this.failure = failure;
  }
}
