import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { Job } from '../schema/job.ts';
import { Id } from '../schema/scalar.ts';

export const jobsFeed = defineFeed({
  id: 4,
  name: 'jobs',
  since: 1,
  summary: 'Long tasks with their progress.',
  permission: 'jobs:read',
  key: null,
  snapshot: v.object({ jobs: v.array(Job) }),
  entry: v.variant('kind', [v.object({ kind: v.literal('job'), id: Id, job: v.nullable(Job) })]),
});
