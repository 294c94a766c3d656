/** What accounts need from a store. */
import type { Role } from '#protocol/permission.ts';

export interface UserRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAtMs: number;
}

export interface SessionRow {
  readonly id: string;
  readonly userId: string;
  readonly device: string;
  readonly createdAtMs: number;
  readonly lastSeenAtMs: number;
  readonly expiresAtMs: number;
}

export interface NewUser {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string;
}

export interface AccountStore {
  hasUsers(): Promise<boolean>;
  /** Adds the admin if nobody has an account yet; `null` where somebody has. Two at once: one wins [ACC5]. */
  addFirstAdmin(user: NewUser): Promise<UserRow | null>;
  /** `null` where the name is taken, without regard to case. */
  addUser(user: NewUser): Promise<UserRow | null>;
  users(): Promise<UserRow[]>;
  /** `lastAdmin` and `notFound` change nothing. `ended` are the ids of the sessions that went with the person. */
  removeUser(userId: string): Promise<'lastAdmin' | 'notFound' | { ended: string[] }>;
  credentials(name: string): Promise<{ user: UserRow; passwordHash: string } | null>;
  credentialsOf(userId: string): Promise<{ passwordHash: string } | null>;
  setPassword(userId: string, passwordHash: string): Promise<void>;

  addSession(session: {
    id: string;
    userId: string;
    tokenHash: Uint8Array;
    device: string;
    expiresAtMs: number;
  }): Promise<void>;
  sessionByToken(tokenHash: Uint8Array): Promise<{ session: SessionRow; user: UserRow } | null>;
  sessions(userId: string): Promise<SessionRow[]>;
  /** Whether a session exists and has not expired. */
  sessionExists(sessionId: string): Promise<boolean>;
  touchSession(sessionId: string, expiresAtMs: number): Promise<void>;
  /** Ends the sessions of one person, all or one or all but one; returns the ids that ended. */
  endSessions(userId: string, which: { only?: string; except?: string }): Promise<string[]>;
  removeExpiredSessions(): Promise<void>;
}
