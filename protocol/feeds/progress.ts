import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { Progress } from '../schema/progress.ts';
import { Id } from '../schema/scalar.ts';

export const progressFeed = defineFeed({
  id: 3,
  name: 'progress',
  since: 1,
  summary: 'Where this person is in each movie: the 2,000 latest at first, then every change on any of their devices.',
  permission: 'self',
  key: null,
  snapshot: v.object({ progress: v.array(Progress) }),
  entry: v.variant('kind', [v.object({ kind: v.literal('progress'), id: Id, progress: Progress })]),
});
