/** The server itself, and the first admin. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { NewPassword, User, UserName } from '../schema/account.ts';
import { HealthItem } from '../schema/health.ts';
import { Count, ShortText, Timestamp } from '../schema/scalar.ts';

export const server = {
  info: defineCall({
    id: 1,
    name: 'server.info',
    since: 1,
    summary: 'Who this server is, and whether it has been set up.',
    permission: 'public',
    input: v.object({}),
    output: v.object({
      name: ShortText,
      version: ShortText,
      protocol: v.object({ min: Count, max: Count }),
      /** False until the first admin exists: then only `setup.createAdmin` is of use. */
      isSetUp: v.boolean(),
      serverTime: Timestamp,
    }),
    failures: {},
    http: { method: 'GET', path: '/server' },
  }),
  health: defineCall({
    id: 2,
    name: 'server.health',
    since: 1,
    summary: 'What the person who runs the server should know, worst first.',
    permission: 'server:manage',
    input: v.object({}),
    output: v.object({ items: v.array(HealthItem) }),
    failures: {},
    http: { method: 'GET', path: '/server/health' },
  }),
};

export const setup = {
  createAdmin: defineCall({
    id: 10,
    name: 'setup.createAdmin',
    since: 1,
    summary: 'Creates the first admin with the one-time setup code that the server printed at its start, and signs in.',
    permission: 'public',
    input: v.object({ code: v.pipe(v.string(), v.maxLength(64)), name: UserName, password: NewPassword }),
    output: v.object({ user: User }),
    failures: {
      /** There is an admin already. */
      alreadySetUp: v.object({}),
      wrongCode: v.object({ attemptsLeft: Count }),
    },
    http: { method: 'POST', path: '/setup' },
    statusByFailure: { wrongCode: 403 },
    only: 'http',
  }),
};
