/** Downloads as people read of them. Pure: what is offered and what became of it in, words out. */
import type { MovieDetail } from '#client/store/movie.ts';
import type {
  Download,
  DownloadFailure,
  DownloadFileOffer,
  DownloadHindrance,
  DownloadObstacle,
  DownloadQuality,
  DownloadQualityOffer,
  DownloadRoom,
} from '#protocol/schema/downloads.ts';
import { resolutionOf } from '#protocol/resolution.ts';
import { EXTRA_NAMES } from './extra-words.ts';
import {
  codecName,
  containerName,
  counted,
  dayOf,
  fileSize,
  hdrName,
  resolutionName,
  spokenDuration,
} from './wording.ts';

const QUALITY_NAMES: Readonly<Record<DownloadQuality, string>> = {
  copy: 'full quality',
  '2160p': '4K',
  '1440p': '1440p',
  '1080p': '1080p',
  '720p': '720p',
  '480p': '480p',
  '360p': '360p',
  '240p': '240p',
};

/** `HEVC`, `10-bit colour`: what a device may stumble over, in words for people who know their devices. */
function obstacleNames(
  obstacles: readonly DownloadObstacle[],
  file: DownloadFileOffer,
  hdr: MovieDetail['hdr'],
): readonly string[] {
  const codec = file.qualities.find(({ quality }) => quality === 'copy')?.codec ?? null;
  const container = file.original?.container ?? null;
  const names: Readonly<Record<DownloadObstacle, string>> = {
    container: container === null ? 'its wrapping' : containerName(container),
    videoCodec: codec === null ? 'its picture’s format' : codecName(codec),
    videoBitDepth: '10-bit colour',
    hdr: hdr === null ? 'HDR' : hdrName(hdr),
    interlaced: 'an interlaced picture',
    audioCodec:
      [...new Set(file.audioTracks.map((track) => codecName(track.codec)))].join(', ') || 'its sound’s format',
  };
  return obstacles.map((obstacle) => names[obstacle]);
}

const everywhere = 'Plays on nearly every device.';

/** What is good to know before one takes the file as it is. */
export function originalNote(file: DownloadFileOffer, hdr: MovieDetail['hdr']): string {
  const obstacles = file.original?.obstacles ?? [];
  if (obstacles.length === 0) return `The file as it is. ${everywhere}`;
  return `The file as it is. Not every device plays ${anded(obstacleNames(obstacles, file, hdr))}; VLC does.`;
}

/** What is good to know before one asks for a copy. */
export function qualityNote(quality: DownloadQualityOffer, file: DownloadFileOffer, hdr: MovieDetail['hdr']): string {
  if (quality.method === 'encode') return `${everywhere} Takes a while to prepare.`;
  const caution =
    quality.obstacles.length === 0
      ? everywhere
      : `Not every device plays ${anded(obstacleNames(quality.obstacles, file, hdr))}.`;
  return `${quality.codec === null ? 'The sound' : 'The picture'} as it is, in an MP4. Quick. ${caution}`;
}

const sizeName = (widthPx: number | null, heightPx: number | null): string | null =>
  widthPx === null || heightPx === null
    ? null
    : resolutionName(resolutionOf({ width: widthPx, height: heightPx, pixelAspect: { num: 1, den: 1 } }));

/** `MP4, full quality`, `MP4, 720p`. */
export function qualityTitle(quality: DownloadQuality): string {
  return `MP4, ${QUALITY_NAMES[quality]}`;
}

const HINDRANCES: Readonly<Record<DownloadHindrance, string>> = {
  missing: 'Its file is not on the server’s disk just now, so nothing can be downloaded.',
  unplayable: 'No copy can be prepared, because the server can’t read the file to its end.',
  noTracks: 'No copy can be prepared: the file has neither picture nor sound that fits into one.',
  turnedOff: 'This server prepares no copies. The file can be had as it is.',
};

export function hindranceText(hindrance: DownloadHindrance): string {
  return HINDRANCES[hindrance];
}

/** `Director’s Cut · Part 1 of 2 · 1080p · 4.2 GB`: what tells one file of a movie from the others. */
export function fileTitle(file: DownloadFileOffer): string {
  const own = file.qualities.find(({ quality }) => quality === 'copy');
  const parts = [
    file.extra === null ? null : EXTRA_NAMES[file.extra],
    file.edition,
    partName(file.part),
    sizeName(own?.widthPx ?? null, own?.heightPx ?? null),
    file.original === null ? null : fileSize(file.original.sizeBytes),
  ].filter((part) => part !== null);
  return parts.length === 0 ? 'A file that is away' : parts.join(' · ');
}

/** `Director’s Cut · Both parts · 8.4 GB`: the movie as a whole. */
export function partsTitle(files: readonly DownloadFileOffer[]): string {
  const sizeBytes = files.reduce((sum, { original }) => sum + (original?.sizeBytes ?? 0), 0);
  const all = files.length === 2 ? 'Both parts' : `All ${files.length} parts`;
  const parts = [files[0]?.edition ?? null, all, sizeBytes === 0 ? null : fileSize(sizeBytes)];
  return parts.filter((part) => part !== null).join(' · ');
}

export const partName = (part: Download['part']): string | null =>
  part === null ? null : `Part ${part.number} of ${part.count}`;

/** `Heat (1995)`, with the part where it is one of several. */
export function downloadTitle({ title, part }: Pick<Download, 'title' | 'part'>): string {
  return part === null ? title : `${title}, part ${part.number} of ${part.count}`;
}

/** `Director’s Cut · MP4, 720p · 2 sound tracks · 1.2 GB`. */
export function downloadFacts(download: Download): readonly string[] {
  const { audioTracks, subtitles, burnedSubtitle, edition, part, quality, state, sizeBytes } = download;
  const isGone = state === 'expired' || state === 'failed' || state === 'cancelled';
  return [
    edition,
    partName(part),
    qualityTitle(quality),
    audioTracks.length === 0
      ? 'no sound'
      : audioTracks.length === 1
        ? null
        : counted(audioTracks.length, 'sound track'),
    subtitles.length === 0 ? null : subtitles.length === 1 ? 'subtitles' : `${subtitles.length} subtitles`,
    burnedSubtitle === null ? null : 'subtitles in the picture',
    isGone || sizeBytes === 0 ? null : `${state === 'ready' ? '' : 'about '}${fileSize(sizeBytes)}`,
  ].filter((fact) => fact !== null);
}

const FAILURES: Readonly<Record<DownloadFailure, string>> = {
  sourceGone: 'The movie’s file is not on the server’s disk just now. Once it is back, try again.',
  sourceChanged: 'The movie’s file was replaced meanwhile. Try again to get a copy of the new one.',
  sourceDamaged: 'The movie’s file is damaged and can’t be read to its end. The file as it is can still be had.',
  cannotCopy: 'The picture can’t be put into an MP4 as it is. Choose a quality that is encoded, from the movie’s page.',
  diskFull: 'The server’s disk is full. Tell the person who runs it, then try again.',
  noRoom: 'It became larger than the room that is left for copies. Remove some, or try a smaller quality.',
  lost: 'The finished copy is not on the server’s disk any more. Try again to have it prepared anew.',
  trouble: 'Something went wrong inside the server. Try again; if it stays so, its log tells more.',
};

export function downloadFailureText(failure: DownloadFailure | null): string {
  return FAILURES[failure ?? 'trouble'];
}

/** How a copy stands, in one line below its title; what is being made says the rest beside its bar. */
export function stateLine(download: Download, nowMs: number): string {
  const { state, place, isHeld, readyAt, expiresAt, failure } = download;
  switch (state) {
    case 'queued':
      if (isHeld) return 'Waiting until those who watch need the server no more';
      if (place === null) return 'Waiting for its turn';
      return place <= 1 ? 'Next in line' : `Waiting: ${counted(place - 1, 'other')} before it`;
    case 'preparing':
      return isHeld ? 'Resting while others watch; it goes on by itself' : 'Being prepared';
    case 'ready':
      return expiresAt === null ? 'Ready' : `Ready · ${keptUntil(expiresAt, nowMs)}`;
    case 'failed':
      return downloadFailureText(failure);
    case 'cancelled':
      return 'Cancelled';
    case 'expired':
      return readyAt === null
        ? 'It is not kept any more.'
        : `It was ready on ${dayOf(readyAt)} and is not kept any more.`;
  }
}

/** The same for ears, when it changes. */
export function spokenState(download: Download): string {
  const title = `“${downloadTitle(download)}”`;
  switch (download.state) {
    case 'queued':
      return `${title} waits for its turn.`;
    case 'preparing':
      return `${title} is being prepared.`;
    case 'ready':
      return `${title} is ready to be saved.`;
    case 'failed':
      return `${title} could not be prepared. ${downloadFailureText(download.failure)}`;
    case 'cancelled':
      return `${title} is cancelled.`;
    case 'expired':
      return `${title} is not kept any more.`;
  }
}

const DAY_MS = 86_400_000;

function keptUntil(timestamp: number, nowMs: number): string {
  const leftMs = timestamp - nowMs;
  return leftMs < DAY_MS
    ? `removed in ${spokenDuration(Math.max(1, Math.round(leftMs / 60_000)) * 60_000)}`
    : `kept until ${dayOf(timestamp)}`;
}

/** `42 % · 3.1× speed · about 4 minutes left`, what is known of it; beside the bar. */
export function progressText({ progress, speed, leftMs, isHeld }: Download): string {
  if (progress === null) return 'Starting…';
  return [
    `${Math.floor(progress * 100)} %`,
    isHeld || speed === null || speed === 0 ? null : `${speed >= 10 ? Math.round(speed) : speed.toFixed(1)}× speed`,
    isHeld || leftMs === null ? null : leftText(leftMs),
  ]
    .filter((part) => part !== null)
    .join(' · ');
}

/** Rounded to what can be promised: nobody wants to see seconds jump about. */
function leftText(leftMs: number): string {
  if (leftMs < 10_000) return 'a few seconds left';
  if (leftMs < 60_000) return `about ${Math.ceil(leftMs / 10_000) * 10} seconds left`;
  const minutes = Math.ceil(leftMs / 60_000);
  if (minutes < 60) return `about ${counted(minutes, 'minute')} left`;
  // By five minutes.
  return `about ${spokenDuration(Math.ceil(minutes / 5) * 300_000)} left`;
}

/** `2.1 GB of 50 GB used`. */
export function roomText({ usedBytes, limitBytes }: DownloadRoom): string {
  return `${fileSize(usedBytes)} of ${fileSize(limitBytes)} used`;
}

/** `48 GB of your room for copies are left.` */
export function roomLeftText({ usedBytes, limitBytes }: DownloadRoom): string {
  return `Of your room for copies ${fileSize(Math.max(0, limitBytes - usedBytes))} are left.`;
}

/** `Copies are kept for 7 days after they are ready.` */
export function keptText({ keptForMs }: DownloadRoom): string {
  const days = Math.round(keptForMs / DAY_MS);
  return `Copies are kept on the server for ${days >= 1 ? counted(days, 'day') : spokenDuration(keptForMs)} after they became ready.`;
}

const anded = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)!}`;
