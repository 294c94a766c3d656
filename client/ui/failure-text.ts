/**
 * The one place where failures become what a person reads: what happened, and what to do next. Every code of the contract has its
 * sentence here, and the compiler and `failure-text.test.ts` notice when one is missing.
 */
import type { contract } from '#protocol/index.ts';
import type { Call, Infer, Schema } from '#protocol/contract.ts';
import type { COMMON_FAILURES, Failure } from '#protocol/errors.ts';
import type { collections } from '#protocol/methods/collections.ts';
import type { downloads } from '#protocol/methods/downloads.ts';
import type { metadata } from '#protocol/methods/metadata.ts';
import type { RadarrTrouble } from '#protocol/schema/radarr.ts';
import { counted, fileSize, spokenDuration } from './wording.ts';

type Group = (typeof contract)[keyof typeof contract] | typeof metadata | typeof collections | typeof downloads;
type AnyCall = Group extends infer G ? (G extends unknown ? G[keyof G] : never) : never;
type DeclaredFailures = AnyCall extends infer C ? (C extends Call ? C['failures'] : never) : never;
type UnionKeys<T> = T extends unknown ? keyof T & string : never;
type DeclaredCode = UnionKeys<DeclaredFailures>;
type DeclaredData<Code extends DeclaredCode, F = DeclaredFailures> =
  F extends Readonly<Record<Code, infer S>> ? (S extends Schema ? Infer<S> : never) : never;
/** What TMDB could not be asked for. */
type Away = 'noKey' | 'badKey' | 'away';
type CommonCode = keyof typeof COMMON_FAILURES;
type CommonData<Code extends CommonCode> = Infer<(typeof COMMON_FAILURES)[Code]>;

type Texts = { readonly alreadyUndone: () => string } & {
  readonly [Code in CommonCode]: (data: CommonData<Code>) => string;
} & {
  readonly [Code in DeclaredCode]: (data: DeclaredData<Code>) => string;
} & {
  /** Made by the client itself: there is no line to the server. */
  readonly disconnected: () => string;
  /** Made by the client itself: what came back is not what the contract says. */
  readonly mismatch: () => string;
};

const PERMISSION_TEXT: Readonly<Record<string, string>> = {
  'movies:download': 'download movies',
  'movies:edit': 'change what is known of movies',
  'libraries:manage': 'manage libraries',
  'jobs:manage': 'stop running tasks',
  'jobs:read': 'see running tasks',
  'users:manage': 'manage people',
  'server:manage': 'manage the server',
};

export const FAILURE_TEXTS: Texts = {
  badRequest: ({ issues }) =>
    issues[0] === undefined
      ? 'The server could not make sense of that. Check what you entered.'
      : `Check what you entered: ${fieldName(issues[0].path)}${issues[0].message}.`,
  unauthenticated: () => 'You are signed out. Sign in again to go on.',
  forbidden: ({ permission }) =>
    `Your account may not ${PERMISSION_TEXT[permission] ?? 'do that'}. Ask the person who runs this server.`,
  notFound: ({ what }) => `This ${what} is not there any more. It may have been removed a moment ago.`,
  unknownMethod: () => 'This page and the server are of different versions. Reload the page.',
  overloaded: ({ retryAfterMs }) => `The server has too much to do just now. Try again ${inAWhile(retryAfterMs)}.`,
  rateLimited: ({ retryAfterMs }) => `That was too much at once. Try again ${inAWhile(retryAfterMs)}.`,
  timeout: ({ afterMs }) =>
    `The server did not finish within ${spokenDuration(afterMs)}. Try again; if it stays so, its disk or network may be slow.`,
  cancelled: () => 'That was cancelled.',
  internal: ({ errorId }) =>
    `Something went wrong inside the server. Try again; its log tells more under the error id ${errorId}.`,
  disconnected: () => 'The server can’t be reached just now. This page connects again by itself.',
  mismatch: () =>
    'What came back makes no sense: this page and the server are of different versions, or something stands between them. Reload the page.',

  wrongCredentials: () => 'That name and password don’t belong together. Check both, and whether Caps Lock is on.',
  lockedOut: ({ retryAfterMs }) =>
    `Too many wrong passwords. To keep guessers out, signing in is paused; try again ${inAWhile(retryAfterMs)}.`,
  alreadySetUp: () => 'This server has an admin already. Reload the page to sign in.',
  wrongCode: ({ attemptsLeft }) =>
    attemptsLeft > 0
      ? `That is not the code the server printed. ${attemptsLeft === 1 ? 'One try is' : `${attemptsLeft} tries are`} left before it makes a new one.`
      : 'That is not the code, and it is used up. Look at the server’s output for the new one.',
  nameTaken: ({ name }) => `Someone here is already called ${name}. Choose another name.`,
  switchedOff: () => 'Hardware is switched off by the setting “hardware”. Set it to auto, and start the server again.',
  lastAdmin: () => 'This is the only admin. Make someone else an admin first, or nobody could run the server.',
  unknownFeed: () => 'This page and the server are of different versions. Reload the page.',
  tooManySubscriptions: ({ limit }) => `This page watches more than ${limit} things at once. Reload it.`,
  tooManyScreens: ({ limit }) => `You have ${limit} screens open, which is as many as can be told apart. Close one.`,
  screenRefused: ({ name }) =>
    `“${name}” does not let itself be controlled. It can be allowed there, in the player’s settings.`,
  screenSilent: ({ name }) => `“${name}” did not answer. It may be asleep: wake it and try again.`,
  // The folder picker, which alone meets it, says more: folder-text.ts.
  folderProblem: ({ check }) =>
    `${check.path} can’t be a library as it is. Choose it again to see what stands in the way.`,
  alreadyEnded: ({ job }) => `“${job.subject}” had finished already.`,
  queueAway: () =>
    'The server that keeps what is to be done in the background can’t be reached just now. Try again when it is back; the health page tells more.',
  // The player, which alone meets it, says more: media-text.ts.
  notPlayable: () => 'This movie can’t be played, because its file can’t be used. The movie’s page says why.',
  // The player waits in the line instead, unless there is none.
  tooManyTranscodes: ({ limit }) =>
    limit === 0
      ? 'This movie would have to be converted for this device, and this server converts nothing. Try a device or browser that plays its file as it is.'
      : `The server is already converting ${counted(limit, 'movie')} for other screens, which is as much as it is allowed. Try again when one has ended.`,

  alreadyUndone: () => 'This change was taken back already.',
  notInFile: ({ durationMs }) =>
    `That is not in this movie: a mark begins before it ends, and the file ends after ${spokenDuration(durationMs)}.`,
  wrongKind: ({ kind }) => WRONG_KIND_TEXTS[kind],
  keyRefused: () => 'TMDB does not know this key. Copy it again from your TMDB account, without spaces around it.',
  notReachable: (data) => AWAY_TEXTS['reason' in data ? data.reason : 'away'],
  setByEnvironment: () =>
    'The key is set where the server is started (MATINEE_TMDB_API_KEY or TMDB_API_KEY). Change it there, or take it away to set one here.',
  unknownMovie: ({ tmdbId }) => `TMDB has no movie with the number ${tmdbId}. Search again and pick another.`,
  nothingLeft: () => 'These are all files of the movie, so nothing would be split off. Leave at least one file.',
  notWritable: ({ path }) =>
    `${path} could not be written. Give the account Matinee runs under permission to write there, or let NFO files go to the data folder.`,

  keyNeeded: () => 'That is another server. Enter its own API key as well: the one kept here is not sent to it.',
  badMapping: ({ from, problem }) =>
    problem === 'twice'
      ? `Radarr’s folder ${from} is mapped twice. Keep one of the two.`
      : problem === 'from'
        ? `“${from}” is not a whole path. Write it as Radarr shows it, beginning with / or with a drive’s letter.`
        : `The folder here for ${from} is not a whole path. Begin with the first /, without “..”.`,
  radarrTrouble: (trouble) => radarrTroubleText(trouble),

  noRoom: ({ whose, neededBytes }) =>
    `There is no room for about ${fileSize(neededBytes)} more ${whose === 'person' ? 'among your downloads' : 'on the server'}. Remove some, or choose a smaller quality.`,
  tooManyDownloads: ({ limit }) =>
    `${counted(limit, 'download')} of yours wait already. Let one become ready, or cancel one.`,
  // What stands in the way is said where a copy is asked for: download-words.ts.
  notPreparable: () => 'No copy of this file can be prepared just now. Choose Download on the movie’s page to see why.',
  notOffered: () => 'The movie’s file has changed and no longer has what you chose. Choose again.',
  notReady: ({ state }) =>
    state === 'queued' || state === 'preparing'
      ? 'This copy is not ready yet.'
      : 'This copy is not kept any more. Have it prepared again.',
  notThere: () => 'The movie’s file is not on the server’s disk just now. Try again when the disk is back.',
};

const WRONG_KIND_TEXTS = {
  series: 'A series has the order of its releases. Make a list of your own to order movies by hand.',
  manual: 'This is a list that was made by hand: it has movies of its own, and no filter.',
  smart: 'A smart collection holds what its filter finds. Change the filter instead.',
} as const;

/** Why TMDB can't be asked, and what to do about it. */
export const AWAY_TEXTS: Readonly<Record<Away, string>> = {
  noKey: 'TMDB can’t be asked without a key. An admin can add one under Settings, Metadata.',
  badKey: 'TMDB refuses the key it was given. An admin can set a new one under Settings, Metadata.',
  away: 'TMDB can’t be reached just now. Try again in a few minutes; everything else goes on.',
};

const RADARR_TROUBLE_TEXTS: Readonly<Record<RadarrTrouble['reason'], (detail: string | null) => string>> = {
  notSet: () => 'Enter Radarr’s address and API key first.',
  badKey: () => 'Radarr refuses the API key. Copy it again from Radarr: Settings, General, Security.',
  away: (detail) =>
    `${detail === 'ENOTFOUND' ? 'The server knows nobody of that name' : 'Nothing answers at that address'}. Check that Radarr runs, and that the server can reach it by that name: in a container, “localhost” is the container itself.`,
  slow: () => 'Radarr did not answer in time. It may be busy or starting; try again in a moment.',
  redirected: () =>
    'That address leads on to another one. Enter the one it ends at: mind https, and the URL base that is set in Radarr.',
  notRadarr: () =>
    'Something answers there, but not Radarr. Check the port and the URL base; a sign-in page in front of it must let the API through.',
  tooOld: (detail) => `Radarr ${detail ?? ''} is too old: version 3 or later is needed.`,
  broken: (detail) =>
    `Radarr itself reports a fault${detail === null ? '' : ` (${detail})`}. Its own log, under System, says more.`,
};

/** Why Radarr could not be asked, and what to do. */
export function radarrTroubleText({ reason, detail }: RadarrTrouble): string {
  return RADARR_TROUBLE_TEXTS[reason](detail);
}

/** The sentence for a failure of any call. A code from a newer server gets the plainest true sentence. */
export function failureText(failure: Failure): string {
  const text = (FAILURE_TEXTS as Readonly<Record<string, ((data: never) => string) | undefined>>)[failure.code];
  return text === undefined
    ? 'The server refused that for a reason this page does not know. Reload the page to update it.'
    : text(failure.data as never);
}

function fieldName(pointer: string): string {
  const name = pointer.split('/').findLast((part) => part !== '' && Number.isNaN(Number(part)));
  return name === undefined ? '' : `${name.replace(/([A-Z])/g, ' $1').toLowerCase()} `;
}

function inAWhile(ms: number): string {
  return ms < 1_500 ? 'in a moment' : `in ${spokenDuration(ms)}`;
}
