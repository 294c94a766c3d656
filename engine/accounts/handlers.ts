/** The calls of `setup`, `session`, `account` and `users`. Rules: SPEC.md. */
import type { Clock } from '#engine/base/clock.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { account, session, setup, users } from '#protocol/index.ts';
import type { User } from '#protocol/schema/account.ts';
import { deviceName } from './device-name.ts';
import { hashPassword, verifyPassword } from './password.ts';
import type { AccountStore, UserRow } from './ports.ts';
import { SessionRegistry, toViewer } from './session-registry.ts';
import { SetupCode } from './setup-code.ts';
import { SignInThrottle } from './sign-in-throttle.ts';

const EXPIRED_SWEEP_MS = 60 * 60_000;

export interface AccountsOptions {
  readonly store: AccountStore;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly sessionLifetimeMs: number;
  /** The first admin from the configuration [ACC6]. */
  readonly firstAdmin: { name: string; password: string } | null;
  /** Shows a setup code to the person at the console: at the start, and when guesses have used one up. */
  readonly printSetupCode: (code: string) => void;
}

export interface Accounts extends Disposable {
  readonly sessions: SessionRegistry;
  readonly isSetUp: () => Promise<boolean>;
  readonly handlers: {
    readonly setup: Handlers<typeof setup>;
    readonly session: Handlers<typeof session>;
    readonly account: Handlers<typeof account>;
    readonly users: Handlers<typeof users>;
  };
}

/** Builds accounts, and makes or asks for the first admin. */
export async function createAccounts(options: AccountsOptions): Promise<Accounts> {
  const { store, clock, newId } = options;
  const sessions = new SessionRegistry({ store, clock, newId, lifetimeMs: options.sessionLifetimeMs });
  const throttle = new SignInThrottle(clock);
  let code: SetupCode | null = null;

  if (!(await store.hasUsers())) {
    if (options.firstAdmin) {
      const { name, password } = options.firstAdmin;
      await store.addFirstAdmin({ id: newId(), name, role: 'admin', passwordHash: await hashPassword(password) });
    } else {
      code = new SetupCode(options.printSetupCode);
      options.printSetupCode(code.text);
    }
  }

  const sweep = clock.every(EXPIRED_SWEEP_MS, () => void store.removeExpiredSessions().catch(() => undefined)).unref();

  const setupHandlers: Handlers<typeof setup> = {
    async createAdmin(input, context) {
      if (!code) return context.fail('alreadySetUp', {}, 'This server has been set up already: sign in.');
      const match = code.matches(input.code);
      if (!match.isRight) {
        return context.fail('wrongCode', { attemptsLeft: match.attemptsLeft }, 'This is not the setup code.');
      }
      const passwordHash = await hashPassword(input.password);
      const user = await store.addFirstAdmin({ id: newId(), name: input.name, role: 'admin', passwordHash });
      code = null;
      if (!user) return context.fail('alreadySetUp', {}, 'This server has been set up already: sign in.');
      const { token } = await sessions.open(user, deviceName(context.agent));
      context.setSessionToken(token);
      return { user: toUser(user) };
    },
  };

  const sessionHandlers: Handlers<typeof session> = {
    async create({ name, password }, context) {
      const retryAfterMs = throttle.retryAfterMs(name, context.address);
      if (retryAfterMs > 0) return context.fail('lockedOut', { retryAfterMs }, 'Too many wrong passwords.');
      const found = await store.credentials(name);
      if (!(await verifyPassword(password, found?.passwordHash ?? null)) || !found) {
        throttle.recordFailure(name, context.address);
        return context.fail('wrongCredentials', {}, 'Name or password is wrong.');
      }
      throttle.recordSuccess(name, context.address);
      const { token } = await sessions.open(found.user, deviceName(context.agent));
      context.setSessionToken(token);
      return { viewer: toViewer(found.user) };
    },
    async current(_input, { viewer, sessionId, fail }) {
      const own = (await store.sessions(viewer.id)).find(({ id }) => id === sessionId);
      if (!own) return fail('unauthenticated', {});
      return { viewer, session: toSession(own, sessionId) };
    },
    async end(_input, context) {
      await sessions.end(context.viewer.id, { only: context.sessionId });
      context.setSessionToken(null);
      return {};
    },
    async list(_input, { viewer, sessionId }) {
      return { sessions: (await store.sessions(viewer.id)).map((row) => toSession(row, sessionId)) };
    },
    async endOne(input, { viewer, fail }) {
      const ended = await sessions.end(viewer.id, { only: input.sessionId });
      if (ended.length === 0) return fail('notFound', { what: 'session', id: input.sessionId });
      return {};
    },
    async endAll({ keepCurrent }, { viewer, sessionId }) {
      const ended = await sessions.end(viewer.id, keepCurrent ? { except: sessionId } : {});
      return { ended: ended.length };
    },
  };

  const accountHandlers: Handlers<typeof account> = {
    async changePassword({ currentPassword, newPassword }, context) {
      const { viewer, sessionId, address, fail } = context;
      const retryAfterMs = throttle.retryAfterMs(viewer.name, address);
      if (retryAfterMs > 0) return fail('lockedOut', { retryAfterMs }, 'Too many wrong passwords.');
      const found = await store.credentialsOf(viewer.id);
      if (!found || !(await verifyPassword(currentPassword, found.passwordHash))) {
        throttle.recordFailure(viewer.name, address);
        return fail('wrongCredentials', {}, 'The current password is wrong.');
      }
      await store.setPassword(viewer.id, await hashPassword(newPassword));
      await sessions.end(viewer.id, { except: sessionId });
      return {};
    },
  };

  const userHandlers: Handlers<typeof users> = {
    async list() {
      return { users: (await store.users()).map(toUser) };
    },
    async create({ name, password, role }, { fail }) {
      const user = await store.addUser({ id: newId(), name, role, passwordHash: await hashPassword(password) });
      if (!user) return fail('nameTaken', { name }, `Somebody is called “${name}” already.`);
      return { user: toUser(user) };
    },
    async remove({ userId }, { fail }) {
      const outcome = await store.removeUser(userId);
      if (outcome === 'notFound') return fail('notFound', { what: 'user', id: userId });
      if (outcome === 'lastAdmin') return fail('lastAdmin', {}, 'This is the only admin.');
      sessions.announceEnd(outcome.ended);
      return {};
    },
  };

  return {
    sessions,
    isSetUp: () => (code ? Promise.resolve(false) : store.hasUsers()),
    handlers: { setup: setupHandlers, session: sessionHandlers, account: accountHandlers, users: userHandlers },
    [Symbol.dispose]: () => sweep[Symbol.dispose](),
  };
}

const toUser = ({ id, name, role, createdAtMs }: UserRow): User => ({ id, name, role, createdAt: createdAtMs });

const toSession = (
  row: { id: string; device: string; createdAtMs: number; lastSeenAtMs: number; expiresAtMs: number },
  currentId: string,
) => ({
  id: row.id,
  device: row.device,
  createdAt: row.createdAtMs,
  lastSeenAt: row.lastSeenAtMs,
  expiresAt: row.expiresAtMs,
  isCurrent: row.id === currentId,
});
