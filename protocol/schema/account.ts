/** People and their sessions. */
import * as v from 'valibot';
import { PERMISSIONS, ROLES } from '../permission.ts';
import { Id, ShortText, Timestamp } from './scalar.ts';

/** A name to sign in with: 1 to 64 characters, no control characters, no space at either end. Compared without case. */
export const UserName = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(64),
  v.regex(/^[^\p{C}\s](?:[^\p{C}]*[^\p{C}\s])?$/u, 'must not begin or end with a space, or hold control characters'),
);

/** A new password: 8 to 256 characters (ASVS 6.2.1 and 6.2.9), anything else is the person's own choice. */
export const NewPassword = v.pipe(v.string(), v.minLength(8), v.maxLength(256));

export const User = v.object({
  id: Id,
  name: ShortText,
  role: v.picklist(ROLES),
  createdAt: Timestamp,
});
export type User = v.InferOutput<typeof User>;

/** The person behind a connection, and what they may do. */
export const Viewer = v.object({
  id: Id,
  name: ShortText,
  role: v.picklist(ROLES),
  permissions: v.array(v.picklist(PERMISSIONS)),
});
export type Viewer = v.InferOutput<typeof Viewer>;

export const Session = v.object({
  id: Id,
  /** What the browser or script called itself, cut to a readable form: `Firefox on Linux`. */
  device: ShortText,
  createdAt: Timestamp,
  lastSeenAt: Timestamp,
  expiresAt: Timestamp,
  isCurrent: v.boolean(),
});
export type Session = v.InferOutput<typeof Session>;
