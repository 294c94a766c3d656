/** Taking movies along: the file as it is, or a copy that is made for it. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import {
  Download,
  DownloadFileOffer,
  DownloadHindrance,
  DownloadLink,
  DownloadRoom,
  DownloadState,
  DownloadWish,
  PersonsDownload,
} from '../schema/downloads.ts';
import { Count, Id } from '../schema/scalar.ts';

/** As many as may wait. */
export const MAX_DOWNLOAD_PARTS = 50;

const ofDownload = { downloadId: Id };
const unique = <T>(items: readonly T[]): boolean => new Set(items).size === items.length;

/** It would be more than this person, or the server, has room for. */
const noRoom = v.object({
  /** `person`: what they have already is too much. `server`: everybody's is. */
  whose: v.picklist(['person', 'server']),
  usedBytes: Count,
  limitBytes: Count,
  neededBytes: Count,
});
/** As many as a person may have at once wait already. */
const tooManyDownloads = v.object({ limit: Count });
/** Nothing can be made of the file now. */
const notPreparable = v.object({ hindrance: DownloadHindrance });
/** The file has no such quality, track or subtitles, or none that fit into an MP4 of that quality. */
const notOffered = v.object({ what: v.picklist(['quality', 'audioTrack', 'subtitles']) });
/** The copy is in another state, and has to be `ready` for this. */
const notReady = v.object({ state: DownloadState });
/** The file is not on its disk. */
const notThere = v.object({});

export const downloads = {
  options: defineCall({
    id: 250,
    name: 'downloads.options',
    since: 1,
    summary: 'What can be downloaded of a movie: its files as they are, and the copies that can be made of them.',
    permission: 'movies:download',
    input: v.object({
      movieId: Id,
      /** One of its files, also an extra; absent: all that are the movie. */
      fileId: v.optional(Id),
    }),
    output: v.object({ files: v.array(DownloadFileOffer), room: DownloadRoom }),
    failures: {},
    http: { method: 'GET', path: '/movies/{movieId}/downloads' },
  }),
  request: defineCall({
    id: 251,
    name: 'downloads.request',
    since: 1,
    summary: 'Asks for a copy of a file as MP4. Asking again for the same gives the same download.',
    permission: 'movies:download',
    input: v.object({
      movieId: Id,
      ...DownloadWish.entries,
      /** Made by the client for each press of the button: a call that is sent twice gives one download. */
      key: v.optional(Id),
    }),
    output: v.object({ download: Download }),
    failures: { notPreparable, noRoom, tooManyDownloads, notOffered },
    http: { method: 'POST', path: '/downloads' },
    statusByFailure: { noRoom: 507 },
  }),
  requestParts: defineCall({
    id: 260,
    name: 'downloads.requestParts',
    since: 1,
    summary:
      'Asks for copies of several files of a movie, such as all parts that it is cut into: all of them, or none where one can’t be had.',
    permission: 'movies:download',
    input: v.object({
      movieId: Id,
      parts: v.pipe(
        v.array(DownloadWish),
        v.minLength(1),
        v.maxLength(MAX_DOWNLOAD_PARTS),
        v.check((parts) => unique(parts.map(({ fileId }) => fileId)), 'must name each file once'),
      ),
    }),
    /** In the order of the parts. */
    output: v.object({ downloads: v.array(Download) }),
    failures: { notPreparable, noRoom, tooManyDownloads, notOffered },
    http: { method: 'POST', path: '/movies/{movieId}/downloads' },
    statusByFailure: { noRoom: 507 },
  }),
  cancel: defineCall({
    id: 252,
    name: 'downloads.cancel',
    since: 1,
    summary:
      'Stops making a copy. One that nobody else wants is not made; nothing happens to one that has ended already.',
    permission: 'movies:download',
    input: v.object(ofDownload),
    output: v.object({ download: Download }),
    failures: {},
    http: { method: 'POST', path: '/downloads/{downloadId}/cancel' },
  }),
  remove: defineCall({
    id: 253,
    name: 'downloads.remove',
    since: 1,
    summary: 'Removes a download from the person’s list, stopping it where it is being made, and frees its room.',
    permission: 'movies:download',
    input: v.object(ofDownload),
    output: v.object({}),
    failures: {},
    http: { method: 'DELETE', path: '/downloads/{downloadId}' },
  }),
  retry: defineCall({
    id: 254,
    name: 'downloads.retry',
    since: 1,
    summary:
      'Makes again what failed, was cancelled, or has expired. Nothing happens to one that waits, is being made or is ready.',
    permission: 'movies:download',
    input: v.object(ofDownload),
    output: v.object({ download: Download }),
    failures: { notPreparable, noRoom, tooManyDownloads },
    http: { method: 'POST', path: '/downloads/{downloadId}/retry' },
    statusByFailure: { noRoom: 507 },
  }),
  link: defineCall({
    id: 255,
    name: 'downloads.link',
    since: 1,
    summary: 'Gives a signed address of a copy that is ready. Ask again whenever a new one is needed.',
    permission: 'movies:download',
    input: v.object(ofDownload),
    output: DownloadLink,
    failures: { notReady },
    http: { method: 'POST', path: '/downloads/{downloadId}/link' },
  }),
  original: defineCall({
    id: 256,
    name: 'downloads.original',
    since: 1,
    summary: 'Gives a signed address of a movie’s file as it is, to be saved.',
    permission: 'movies:download',
    input: v.object({ movieId: Id, fileId: Id }),
    output: DownloadLink,
    failures: { notThere },
    http: { method: 'POST', path: '/movies/{movieId}/files/{fileId}/download' },
  }),
  list: defineCall({
    id: 257,
    name: 'downloads.list',
    since: 1,
    summary: 'The downloads of this person, the latest first.',
    permission: 'movies:download',
    input: v.object({}),
    output: v.object({ downloads: v.array(Download), room: DownloadRoom }),
    failures: {},
    http: { method: 'GET', path: '/downloads' },
  }),
  everyones: defineCall({
    id: 258,
    name: 'downloads.everyones',
    since: 1,
    summary: 'The downloads of all people, the latest first.',
    permission: 'server:manage',
    input: v.object({ limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(500)), 200) }),
    output: v.object({
      downloads: v.array(PersonsDownload),
      /** Bytes of all prepared copies on the disk, and of those that are being made. */
      usedBytes: Count,
      limitBytes: Count,
    }),
    failures: {},
    http: { method: 'GET', path: '/downloads/everyone' },
  }),
  drop: defineCall({
    id: 259,
    name: 'downloads.drop',
    since: 1,
    summary: 'Removes a download of anybody.',
    permission: 'server:manage',
    input: v.object(ofDownload),
    output: v.object({}),
    failures: {},
    http: { method: 'DELETE', path: '/downloads/everyone/{downloadId}' },
  }),
};
