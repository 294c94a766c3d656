import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { createUuidFactory } from '#engine/base/ids.ts';
import { createAccountStore } from '#engine/store/postgres/account-store.ts';
import { testContext, testViewer } from '#test/support/call-context.ts';
import { createTestDatabase } from '#test/support/postgres.ts';
import type { TestDatabase } from '#test/support/postgres.ts';
import { createAccounts } from './handlers.ts';
import type { Accounts, AccountsOptions } from './handlers.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const PASSWORD = 'correct horse';

let database: TestDatabase;
let clock: FakeClock;
let codes: string[];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.sql`truncate app_user cascade`;
  // The database compares expiry with its own clock, so this one starts from the same time.
  clock = new FakeClock(Date.now());
  codes = [];
});

function open(overrides: Partial<AccountsOptions> = {}): Promise<Accounts> {
  return createAccounts({
    store: createAccountStore(database.sql),
    clock,
    newId: createUuidFactory(clock),
    sessionLifetimeMs: 30 * DAY_MS,
    firstAdmin: null,
    printSetupCode: (code) => codes.push(code),
    ...overrides,
  });
}

const withAdmin = () => open({ firstAdmin: { name: 'Ada', password: PASSWORD } });

async function signIn(accounts: Accounts, name = 'Ada', password = PASSWORD, address = '192.0.2.1') {
  const context = testContext({ address });
  await accounts.handlers.session.create({ name, password }, context);
  const signedIn = await accounts.sessions.authenticate(context.token!);
  return { token: context.token!, ...signedIn! };
}

describe('the first admin', () => {
  it('[ACC3] is made with the printed code, which is then worth nothing', async () => {
    const accounts = await open();
    expect(await accounts.isSetUp()).toBe(false);
    const context = testContext();
    const code = codes[0]!.toLowerCase().replace('-', ' ');
    const { user } = await accounts.handlers.setup.createAdmin({ code, name: 'Ada', password: PASSWORD }, context);
    expect(user).toMatchObject({ name: 'Ada', role: 'admin' });
    expect((await accounts.sessions.authenticate(context.token!))?.viewer.name).toBe('Ada');
    expect(await accounts.isSetUp()).toBe(true);
    await expect(
      accounts.handlers.setup.createAdmin({ code, name: 'Eve', password: PASSWORD }, testContext()),
    ).rejects.toMatchObject({ code: 'alreadySetUp' });
  });

  it('[ACC3] no code is printed once somebody has an account', async () => {
    await withAdmin();
    await open();
    expect(codes).toEqual([]);
  });

  it('[ACC4] ten wrong codes replace the code', async () => {
    const accounts = await open();
    const attempt = (code: string) =>
      accounts.handlers.setup.createAdmin({ code, name: 'Ada', password: PASSWORD }, testContext());
    for (let left = 9; left >= 0; left--) {
      await expect(attempt('0000-000')).rejects.toMatchObject({ code: 'wrongCode', data: { attemptsLeft: left } });
    }
    expect(codes).toHaveLength(2);
    await expect(attempt(codes[0]!)).rejects.toMatchObject({ code: 'wrongCode' });
    await expect(attempt(codes[1]!)).resolves.toMatchObject({ user: { name: 'Ada' } });
  });

  it('[ACC5] two setups at once make one admin', async () => {
    const accounts = await open();
    const attempt = (name: string) =>
      accounts.handlers.setup.createAdmin({ code: codes[0]!, name, password: PASSWORD }, testContext());
    const outcomes = await Promise.allSettled([attempt('Ada'), attempt('Eve')]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await accounts.handlers.users.list({}, testContext())).users).toHaveLength(1);
  });

  it('[ACC6] comes from the configuration once', async () => {
    const accounts = await withAdmin();
    expect(codes).toEqual([]);
    const again = await open({ firstAdmin: { name: 'Eve', password: 'other password' } });
    expect((await again.handlers.users.list({}, testContext())).users.map(({ name }) => name)).toEqual(['Ada']);
    await expect(signIn(accounts)).resolves.toMatchObject({ viewer: { role: 'admin' } });
  });
});

describe('signing in', () => {
  it('[ACC1] keeps passwords as Argon2id with the parameters of OWASP’s first choice', async () => {
    await withAdmin();
    const [row] = await database.sql<{ hash: string }[]>`select password_hash as hash from app_user`;
    expect(row!.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  });

  it('[ACC2] says the same of a wrong name and of a wrong password, and takes names without case', async () => {
    const accounts = await withAdmin();
    await expect(signIn(accounts, 'ada')).resolves.toBeDefined();
    await expect(signIn(accounts, 'Ada', 'wrong')).rejects.toMatchObject({ code: 'wrongCredentials', data: {} });
    await expect(signIn(accounts, 'Nobody', PASSWORD)).rejects.toMatchObject({ code: 'wrongCredentials', data: {} });
  });

  it('[ACC7] locks a name and address after five wrong passwords, not other addresses', async () => {
    const accounts = await withAdmin();
    for (let n = 0; n < 5; n++) {
      await expect(signIn(accounts, 'Ada', 'wrong')).rejects.toMatchObject({ code: 'wrongCredentials' });
      await clock.advance(MINUTE_MS);
    }
    await expect(signIn(accounts)).rejects.toMatchObject({ code: 'lockedOut', data: { retryAfterMs: 10 * MINUTE_MS } });
    await expect(signIn(accounts, 'Ada', PASSWORD, '192.0.2.2')).resolves.toBeDefined();
    await clock.advance(10 * MINUTE_MS);
    await expect(signIn(accounts)).resolves.toBeDefined();
  });

  it('[ACC8] keeps no token in the database', async () => {
    const accounts = await withAdmin();
    const { token } = await signIn(accounts);
    const rows = await database.sql<{ text: string }[]>`select session::text as text from session`;
    expect(rows).toHaveLength(1);
    expect(rows[0]!.text).not.toContain(token);
    expect(rows[0]!.text).not.toContain(Buffer.from(token, 'base64url').toString('hex'));
  });

  it('[ACC9] a session ends without use and lives on with it', async () => {
    const accounts = await withAdmin();
    const used = await signIn(accounts);
    const unused = await signIn(accounts);
    await clock.advance(20 * DAY_MS);
    expect(await accounts.sessions.authenticate(used.token)).not.toBeNull();
    await clock.advance(20 * DAY_MS);
    expect(await accounts.sessions.authenticate(used.token)).not.toBeNull();
    expect(await accounts.sessions.authenticate(unused.token)).toBeNull();
  });

  it.each(['', 'x', 'a'.repeat(43), `${'a'.repeat(42)}=`, 'a'.repeat(100_000)])(
    'refuses token %.20s',
    async (token) => {
      const accounts = await withAdmin();
      expect(await accounts.sessions.authenticate(token)).toBeNull();
    },
  );
});

describe('signing out', () => {
  it('[ACC10] closes what the session opened, and opens nothing with it any more', async () => {
    const accounts = await withAdmin();
    const { token, viewer, sessionId } = await signIn(accounts);
    const ended: string[] = [];
    accounts.sessions.onEnd((ids) => ended.push(...ids));
    const context = testContext({ viewer, sessionId });
    await accounts.handlers.session.end({}, context);
    expect(context.token).toBeNull();
    expect(ended).toEqual([sessionId]);
    expect(await accounts.sessions.authenticate(token)).toBeNull();
    expect(await accounts.sessions.isAlive(sessionId)).toBe(false);
  });

  it('[ACC10] a look-up that was on its way does not revive an ended session', async () => {
    const accounts = await withAdmin();
    const { token, viewer, sessionId } = await signIn(accounts);
    const fresh = await withAdmin(); // nothing cached
    const looking = fresh.sessions.authenticate(token);
    await fresh.sessions.end(viewer.id, { only: sessionId });
    await looking;
    expect(await fresh.sessions.authenticate(token)).toBeNull();
  });

  it('[ACC11] everywhere, or everywhere else, and only one’s own', async () => {
    const accounts = await withAdmin();
    await accounts.handlers.users.create({ name: 'Bob', password: PASSWORD, role: 'user' }, testContext());
    const [here, there, bob] = [await signIn(accounts), await signIn(accounts), await signIn(accounts, 'Bob')];
    const context = testContext(here);
    await expect(accounts.handlers.session.endOne({ sessionId: bob.sessionId }, context)).rejects.toMatchObject({
      code: 'notFound',
    });
    expect(await accounts.handlers.session.endAll({ keepCurrent: true }, context)).toEqual({ ended: 1 });
    expect(await accounts.sessions.authenticate(there.token)).toBeNull();
    expect(await accounts.sessions.authenticate(here.token)).not.toBeNull();
    await accounts.handlers.session.endAll({ keepCurrent: false }, context);
    expect(await accounts.sessions.authenticate(here.token)).toBeNull();
    expect(await accounts.sessions.authenticate(bob.token)).not.toBeNull();
  });

  it('[ACC12] a changed password ends the other sessions', async () => {
    const accounts = await withAdmin();
    const [here, there] = [await signIn(accounts), await signIn(accounts)];
    const change = { currentPassword: PASSWORD, newPassword: 'another password' };
    await expect(
      accounts.handlers.account.changePassword({ ...change, currentPassword: 'wrong' }, testContext(here)),
    ).rejects.toMatchObject({ code: 'wrongCredentials' });
    await accounts.handlers.account.changePassword(change, testContext(here));
    expect(await accounts.sessions.authenticate(here.token)).not.toBeNull();
    expect(await accounts.sessions.authenticate(there.token)).toBeNull();
    await expect(signIn(accounts)).rejects.toMatchObject({ code: 'wrongCredentials' });
    await expect(signIn(accounts, 'Ada', 'another password')).resolves.toBeDefined();
  });

  it('[ACC13] removing a person ends their sessions; the last admin stays', async () => {
    const accounts = await withAdmin();
    const ada = await signIn(accounts);
    const { user } = await accounts.handlers.users.create(
      { name: 'Bob', password: PASSWORD, role: 'user' },
      testContext(),
    );
    await expect(
      accounts.handlers.users.create({ name: 'BOB', password: PASSWORD, role: 'user' }, testContext()),
    ).rejects.toMatchObject({ code: 'nameTaken' });
    const bob = await signIn(accounts, 'Bob');
    await accounts.handlers.users.remove({ userId: user.id }, testContext());
    expect(await accounts.sessions.authenticate(bob.token)).toBeNull();
    await expect(
      accounts.handlers.users.remove(
        { userId: ada.viewer.id },
        testContext({ viewer: testViewer(ada.viewer.id, 'admin') }),
      ),
    ).rejects.toMatchObject({ code: 'lastAdmin' });
  });
});
