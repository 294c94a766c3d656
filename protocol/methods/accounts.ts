/** Signing in and out, sessions, people. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { NewPassword, Session, User, UserName, Viewer } from '../schema/account.ts';
import { ROLES } from '../permission.ts';
import { Count, Id } from '../schema/scalar.ts';

const Password = v.pipe(v.string(), v.maxLength(256));
const nothing = v.object({});

export const session = {
  create: defineCall({
    id: 20,
    name: 'session.create',
    since: 1,
    summary: 'Signs in with name and password; the reply sets the session cookie.',
    permission: 'public',
    input: v.object({ name: v.pipe(v.string(), v.maxLength(64)), password: Password }),
    output: v.object({ viewer: Viewer }),
    failures: {
      /** Name or password is wrong; which of the two is not said. */
      wrongCredentials: nothing,
      lockedOut: v.object({ retryAfterMs: Count }),
    },
    http: { method: 'POST', path: '/session' },
    statusByFailure: { wrongCredentials: 401, lockedOut: 429 },
    only: 'http',
  }),
  current: defineCall({
    id: 21,
    name: 'session.current',
    since: 1,
    summary: 'Who is signed in here.',
    permission: 'self',
    input: nothing,
    output: v.object({ viewer: Viewer, session: Session }),
    failures: {},
    http: { method: 'GET', path: '/session' },
  }),
  end: defineCall({
    id: 22,
    name: 'session.end',
    since: 1,
    summary: 'Signs out here: the session ends, its sockets close, its media URLs stop working.',
    permission: 'self',
    input: nothing,
    output: nothing,
    failures: {},
    http: { method: 'DELETE', path: '/session' },
    only: 'http',
  }),
  list: defineCall({
    id: 23,
    name: 'session.list',
    since: 1,
    summary: 'The places where this person is signed in, the latest first.',
    permission: 'self',
    input: nothing,
    output: v.object({ sessions: v.array(Session) }),
    failures: {},
    http: { method: 'GET', path: '/sessions' },
  }),
  endOne: defineCall({
    id: 24,
    name: 'session.endOne',
    since: 1,
    summary: 'Signs out one of this person’s other places.',
    permission: 'self',
    input: v.object({ sessionId: Id }),
    output: nothing,
    failures: {},
    http: { method: 'DELETE', path: '/sessions/{sessionId}' },
  }),
  endAll: defineCall({
    id: 25,
    name: 'session.endAll',
    since: 1,
    summary: 'Signs out everywhere, here too unless `keepCurrent` is true.',
    permission: 'self',
    input: v.object({ keepCurrent: v.optional(v.boolean(), false) }),
    output: v.object({ ended: Count }),
    failures: {},
    http: { method: 'DELETE', path: '/sessions' },
  }),
};

export const account = {
  changePassword: defineCall({
    id: 26,
    name: 'account.changePassword',
    since: 1,
    summary: 'Changes the password and signs out everywhere else.',
    permission: 'self',
    input: v.object({ currentPassword: Password, newPassword: NewPassword }),
    output: nothing,
    failures: { wrongCredentials: nothing, lockedOut: v.object({ retryAfterMs: Count }) },
    http: { method: 'POST', path: '/account/password' },
    statusByFailure: { wrongCredentials: 403, lockedOut: 429 },
  }),
};

export const users = {
  list: defineCall({
    id: 30,
    name: 'users.list',
    since: 1,
    summary: 'Everyone who has an account.',
    permission: 'users:manage',
    input: nothing,
    output: v.object({ users: v.array(User) }),
    failures: {},
    http: { method: 'GET', path: '/users' },
  }),
  create: defineCall({
    id: 31,
    name: 'users.create',
    since: 1,
    summary: 'Creates an account.',
    permission: 'users:manage',
    input: v.object({ name: UserName, password: NewPassword, role: v.optional(v.picklist(ROLES), 'user') }),
    output: v.object({ user: User }),
    failures: { nameTaken: v.object({ name: v.string() }) },
    http: { method: 'POST', path: '/users' },
  }),
  remove: defineCall({
    id: 32,
    name: 'users.remove',
    since: 1,
    summary: 'Removes an account with its sessions and its progress.',
    permission: 'users:manage',
    input: v.object({ userId: Id }),
    output: nothing,
    failures: {
      /** A server without an admin could not be run by anyone. */
      lastAdmin: nothing,
    },
    http: { method: 'DELETE', path: '/users/{userId}' },
  }),
};
