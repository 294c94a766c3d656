/** Long tasks. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Job, JobFailureItem } from '../schema/job.ts';
import { Count, Id } from '../schema/scalar.ts';

/** The server that keeps what is to be done cannot be reached just now. */
const queueAway = v.object({});
/** All of the line where it is left out. */
const failureIds = v.optional(v.pipe(v.array(JobFailureItem.entries.id), v.minLength(1), v.maxLength(1_000)));

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
    summary: 'Asks a job to stop; what it has done so far stays. A line stops what runs and drops what waits.',
    permission: 'jobs:manage',
    input: v.object({ jobId: Id }),
    output: v.object({ job: Job }),
    failures: {
      /** It had ended already. */
      alreadyEnded: v.object({ job: Job }),
      queueAway,
    },
    http: { method: 'POST', path: '/jobs/{jobId}/cancel' },
  }),
  failures: defineCall({
    id: 122,
    name: 'jobs.failures',
    since: 1,
    summary: 'What failed for good in a line of work, the latest first.',
    permission: 'jobs:read',
    input: v.object({ jobId: Id, limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(1_000)), 50) }),
    output: v.object({ failures: v.array(JobFailureItem) }),
    failures: { queueAway },
    http: { method: 'GET', path: '/jobs/{jobId}/failures' },
  }),
  retry: defineCall({
    id: 123,
    name: 'jobs.retry',
    since: 1,
    summary: 'Does again, before everything else of its kind, what failed in a line of work.',
    permission: 'jobs:manage',
    input: v.object({ jobId: Id, failureIds }),
    /** How many were ordered again. */
    output: v.object({ count: Count }),
    failures: { queueAway },
    http: { method: 'POST', path: '/jobs/{jobId}/retry' },
  }),
  dismiss: defineCall({
    id: 124,
    name: 'jobs.dismiss',
    since: 1,
    summary: 'Forgets what failed in a line of work.',
    permission: 'jobs:manage',
    input: v.object({ jobId: Id, failureIds }),
    output: v.object({}),
    failures: { queueAway },
    http: { method: 'POST', path: '/jobs/{jobId}/dismiss' },
  }),
};
