import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { Marker } from '../schema/moments.ts';
import { Id } from '../schema/scalar.ts';

export const momentsFeed = defineFeed({
  id: 7,
  name: 'moments',
  since: 1,
  summary: 'Where the intro, the recap and the credits of a movie’s files are.',
  permission: 'playback:play',
  key: 'movieId',
  snapshot: v.object({ files: v.array(v.object({ fileId: Id, markers: v.array(Marker) })) }),
  /** `id` is the file’s. */
  entry: v.variant('kind', [v.object({ kind: v.literal('markers'), id: Id, markers: v.array(Marker) })]),
});
