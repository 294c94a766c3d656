/**
 * Who is signed in. Owns: a cache of sessions by token and by id, and the listeners that close what a session opened.
 *
 * Every request and every media segment asks here, so an answer must not cost a query. The cache trades memory for that; it is
 * right because sessions end only through this class, in this process.
 */
import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '#engine/base/clock.ts';
import { PERMISSIONS_BY_ROLE } from '#protocol/permission.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import type { AccountStore, SessionRow, UserRow } from './ports.ts';

/** How often use of a session is written down [ACC9]. */
const TOUCH_EVERY_MS = 5 * 60_000;
const MAX_CACHED = 20_000;

export interface SignedIn {
  readonly sessionId: string;
  readonly viewer: Viewer;
}

interface Cached extends SignedIn {
  readonly session: SessionRow;
  readonly tokenKey: string;
  expiresAtMs: number;
  touchedAtMs: number;
}

export class SessionRegistry {
  readonly #store: AccountStore;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #lifetimeMs: number;
  readonly #newId: () => string;
  readonly #byToken = new LRUCache<string, Cached>({ max: MAX_CACHED, dispose: (cached) => this.#forget(cached) });
  readonly #byId = new Map<string, Cached>();
  readonly #listeners = new Set<(sessionIds: readonly string[]) => void>();
  /** Ended while a look-up of them was on its way to the database and back: that look-up must not revive them [ACC10]. */
  readonly #ended = new LRUCache<string, true>({ max: MAX_CACHED });

  constructor(options: { store: AccountStore; clock: Pick<Clock, 'nowMs'>; lifetimeMs: number; newId: () => string }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#lifetimeMs = options.lifetimeMs;
    this.#newId = options.newId;
  }

  /** Opens a session and returns its token, which exists nowhere else [ACC8]. */
  async open(user: UserRow, device: string): Promise<{ token: string; sessionId: string }> {
    const token = randomBytes(32).toString('base64url');
    const sessionId = this.#newId();
    const expiresAtMs = this.#clock.nowMs() + this.#lifetimeMs;
    await this.#store.addSession({ id: sessionId, userId: user.id, tokenHash: hashOf(token), device, expiresAtMs });
    return { token, sessionId };
  }

  /** The session of a token, `null` where there is none or it has ended. */
  async authenticate(token: string): Promise<SignedIn | null> {
    if (!/^[\w-]{43}$/.test(token)) return null;
    const tokenHash = hashOf(token);
    const tokenKey = tokenHash.toString('base64');
    const cached = this.#byToken.get(tokenKey) ?? (await this.#load(tokenHash, tokenKey));
    if (!cached) return null;
    const nowMs = this.#clock.nowMs();
    if (cached.expiresAtMs <= nowMs) {
      this.#byToken.delete(tokenKey);
      return null;
    }
    if (nowMs - cached.touchedAtMs >= TOUCH_EVERY_MS) {
      cached.touchedAtMs = nowMs;
      cached.expiresAtMs = nowMs + this.#lifetimeMs;
      await this.#store.touchSession(cached.sessionId, cached.expiresAtMs);
    }
    return cached;
  }

  /** Whether a session that a media URL is bound to is still open. */
  async isAlive(sessionId: string): Promise<boolean> {
    const cached = this.#byId.get(sessionId);
    if (cached) return cached.expiresAtMs > this.#clock.nowMs();
    return !this.#ended.has(sessionId) && this.#store.sessionExists(sessionId);
  }

  /** Ends sessions of one person: all, one, or all but one. Returns the ids that ended. */
  async end(userId: string, which: { only?: string; except?: string } = {}): Promise<string[]> {
    const ended = await this.#store.endSessions(userId, which);
    this.announceEnd(ended);
    return ended;
  }

  /** Drops sessions that the store has already ended, and tells whoever holds something open for them. */
  announceEnd(sessionIds: readonly string[]): void {
    if (sessionIds.length === 0) return;
    for (const id of sessionIds) {
      this.#ended.set(id, true);
      const cached = this.#byId.get(id);
      if (cached) this.#byToken.delete(cached.tokenKey);
    }
    for (const listener of this.#listeners) listener(sessionIds);
  }

  onEnd(listener: (sessionIds: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #load(tokenHash: Uint8Array, tokenKey: string): Promise<Cached | null> {
    const found = await this.#store.sessionByToken(tokenHash);
    if (!found || this.#ended.has(found.session.id)) return null;
    const { session, user } = found;
    const cached: Cached = {
      sessionId: session.id,
      viewer: toViewer(user),
      session,
      tokenKey,
      expiresAtMs: session.expiresAtMs,
      touchedAtMs: session.lastSeenAtMs,
    };
    this.#byToken.set(tokenKey, cached);
    this.#byId.set(session.id, cached);
    return cached;
  }

  #forget(cached: Cached): void {
    if (this.#byId.get(cached.sessionId) === cached) this.#byId.delete(cached.sessionId);
  }
}

export function toViewer(user: UserRow): Viewer {
  return { id: user.id, name: user.name, role: user.role, permissions: [...PERMISSIONS_BY_ROLE[user.role]] };
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
