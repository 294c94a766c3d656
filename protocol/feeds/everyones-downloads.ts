import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { PersonsDownload } from '../schema/downloads.ts';
import { Count, Id } from '../schema/scalar.ts';

const room = {
  /** Bytes of all prepared copies on the disk, and of those that are being made. */
  usedBytes: Count,
  limitBytes: Count,
};

export const everyonesDownloadsFeed = defineFeed({
  id: 26,
  name: 'everyonesDownloads',
  since: 1,
  summary: 'The copies that all people asked for: how far each is, for whom, and the room that is left.',
  permission: 'server:manage',
  key: null,
  /** The latest first, as many as a screen shows; what becomes of older ones is told as well. */
  snapshot: v.object({ downloads: v.array(PersonsDownload), ...room }),
  entry: v.variant('kind', [
    /** `null`: it was removed. */
    v.object({ kind: v.literal('download'), id: Id, download: v.nullable(PersonsDownload) }),
    v.object({ kind: v.literal('room'), id: v.literal('all'), ...room }),
  ]),
});
