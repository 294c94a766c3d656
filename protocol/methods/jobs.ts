/** Long tasks. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Job } from '../schema/job.ts';
import { Count, Id } from '../schema/scalar.ts';

export const jobs = {
  list: defineCall({
    id: 120,
    name: 'jobs.list',
    since: 1,
    summary: 'Jobs that wait or run, then those that ended, the latest first.',
    permission: 'jobs:read',
    input: v.object({ limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(200)), 50) }),
    output: v.object({ jobs: v.array(Job) }),
    failures: {},
    http: { method: 'GET', path: '/jobs' },
  }),
  cancel: defineCall({
    id: 121,
    name: 'jobs.cancel',
    since: 1,
    summary: 'Asks a job to stop; what it has done so far stays.',
    permission: 'jobs:manage',
    input: v.object({ jobId: Id }),
    output: v.object({ job: Job }),
    failures: {
      /** It had ended already. */
      alreadyEnded: v.object({ job: Job }),
    },
    http: { method: 'POST', path: '/jobs/{jobId}/cancel' },
  }),
};
