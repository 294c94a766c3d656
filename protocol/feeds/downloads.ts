import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { Download, DownloadRoom } from '../schema/downloads.ts';
import { Id } from '../schema/scalar.ts';

export const downloadsFeed = defineFeed({
  id: 25,
  name: 'downloads',
  since: 1,
  summary: 'The copies that this person asked for: how far each is, and the room that is left.',
  permission: 'movies:download',
  key: null,
  /** The latest first. */
  snapshot: v.object({ downloads: v.array(Download), room: DownloadRoom }),
  entry: v.variant('kind', [
    /** `null`: it was removed. */
    v.object({ kind: v.literal('download'), id: Id, download: v.nullable(Download) }),
    v.object({ kind: v.literal('room'), id: v.literal('mine'), room: DownloadRoom }),
  ]),
});
