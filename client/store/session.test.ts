import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { server as serverCalls, session as sessionCalls, setup } from '#protocol/index.ts';
import { Failure, commonFailure } from '#protocol/errors.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import { MemoryServer } from '#test/support/memory-server.ts';
import { SessionStore } from './session.ts';

const viewer: Viewer = {
  id: '01900000-0000-7000-8000-000000000001',
  name: 'Ada',
  role: 'admin',
  permissions: ['self', 'jobs:read'],
};
const about = { name: 'Attic', version: '1.2.3', protocol: { min: 1, max: 1 }, isSetUp: true, serverTime: 1 };
const nobody = (): never => {
  throw commonFailure('unauthenticated', {});
};

describe('the way in', () => {
  let server: MemoryServer;
  let store: SessionStore;
  beforeEach(() => {
    vi.useFakeTimers();
    server = new MemoryServer();
    store = new SessionStore(server, server.link);
    server.answer(serverCalls.info, () => about);
    server.answer(sessionCalls.current, nobody);
  });
  afterEach(() => vi.useRealTimers());

  it('a server without an admin asks to be claimed, and its first admin is signed in at once', async () => {
    server.answer(serverCalls.info, () => ({ ...about, isSetUp: false }));
    await store.start();
    expect(store.state.value).toEqual({ kind: 'unclaimed' });
    server.answer(setup.createAdmin, () => ({
      user: { id: viewer.id, name: 'Ada', role: 'admin' as const, createdAt: 1 },
    }));
    server.answer(sessionCalls.current, () => ({
      viewer,
      session: { id: viewer.id, device: '', createdAt: 1, lastSeenAt: 1, expiresAt: 1, isCurrent: true },
    }));
    await store.createAdmin(' 12-34 ', 'Ada', 'long enough');
    expect(server.sentOf(setup.createAdmin)[0]).toMatchObject({ way: 'request', input: { code: '12-34' } });
    expect(store.viewer.value).toEqual(viewer);
    expect(server.link.state.value.kind).toBe('live');
  });

  it('without a session the door is shown, and a wrong password leaves it shut', async () => {
    await store.start();
    expect(store.state.value).toEqual({ kind: 'signedOut', hasEnded: false });
    server.answer(sessionCalls.create, () => Promise.reject(new Failure('wrongCredentials', {})));
    await expect(store.signIn('ada', 'nope')).rejects.toMatchObject({ code: 'wrongCredentials' });
    expect(store.viewer.value).toBeNull();
    server.answer(sessionCalls.create, () => ({ viewer }));
    await store.signIn('ada', 'right');
    expect(store.may('jobs:read')).toBe(true);
    expect(store.may('users:manage')).toBe(false);
  });

  it('a server that does not answer is asked again by itself', async () => {
    const failure = new Failure('disconnected', {});
    server.answer(serverCalls.info, () => Promise.reject(failure));
    await store.start();
    expect(store.state.value).toEqual({ kind: 'unreachable', failure });
    server.answer(serverCalls.info, () => about);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(store.state.value.kind).toBe('signedOut');
  });

  it('a session that was ended elsewhere leads back to the door, and says so', async () => {
    server.answer(sessionCalls.create, () => ({ viewer }));
    await store.signIn('ada', 'right');
    server.setLink({ kind: 'signedOut' });
    expect(store.state.value).toEqual({ kind: 'signedOut', hasEnded: true });
  });

  it('signing out closes the line', async () => {
    server.answer(sessionCalls.create, () => ({ viewer }));
    server.answer(sessionCalls.end, () => ({}));
    await store.signIn('ada', 'right');
    await store.signOut();
    expect(store.state.value).toEqual({ kind: 'signedOut', hasEnded: false });
    expect(server.link.state.value.kind).toBe('closed');
  });
});
