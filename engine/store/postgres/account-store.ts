/** People and sessions in Postgres. */
import type { AccountStore, NewUser, SessionRow, UserRow } from '#engine/accounts/ports.ts';
import type { Sql } from './connect.ts';
import { ADVISORY_LOCK } from './advisory-lock.ts';

export function createAccountStore(sql: Sql): AccountStore {
  const userColumns = sql`id, name, role, (extract(epoch from created_at) * 1000)::bigint as "createdAtMs"`;
  const sessionColumns = sql`
    session.id, session.user_id as "userId", session.device,
    (extract(epoch from session.created_at) * 1000)::bigint as "createdAtMs",
    (extract(epoch from session.last_seen_at) * 1000)::bigint as "lastSeenAtMs",
    (extract(epoch from session.expires_at) * 1000)::bigint as "expiresAtMs"`;
  const insertUser = ({ id, name, role, passwordHash }: NewUser) => sql<UserRow[]>`
    insert into app_user (id, name, role, password_hash) values (${id}, ${name}, ${role}, ${passwordHash})
    on conflict (name_key) do nothing returning ${userColumns}`;

  return {
    async hasUsers() {
      const [row] = await sql<{ found: boolean }[]>`select exists (select from app_user) as found`;
      return row?.found === true;
    },
    async addFirstAdmin({ id, name, role, passwordHash }) {
      return sql.begin(async (tx) => {
        await tx`select pg_advisory_xact_lock(${ADVISORY_LOCK.firstAdmin})`;
        const [row] = await tx<UserRow[]>`
          insert into app_user (id, name, role, password_hash)
          select ${id}, ${name}, ${role}, ${passwordHash} where not exists (select from app_user)
          returning ${userColumns}`;
        return row ?? null;
      });
    },
    async addUser(user) {
      const [row] = await insertUser(user);
      return row ?? null;
    },
    async users() {
      return [...(await sql<UserRow[]>`select ${userColumns} from app_user order by name_key`)];
    },
    async removeUser(userId) {
      return sql.begin(async (tx) => {
        // Locks all admins, so that two admins who remove each other at once do not both succeed.
        const admins = await tx<{ id: string }[]>`select id from app_user where role = 'admin' order by id for update`;
        const isAdmin = admins.some(({ id }) => id === userId);
        if (isAdmin && admins.length === 1) return 'lastAdmin' as const;
        const ended = await tx<{ id: string }[]>`delete from session where user_id = ${userId} returning id`;
        const removed = await tx`delete from app_user where id = ${userId}`;
        return removed.count === 0 ? ('notFound' as const) : { ended: ended.map(({ id }) => id) };
      });
    },
    async credentials(name) {
      const [row] = await sql<(UserRow & { passwordHash: string })[]>`
        select ${userColumns}, password_hash as "passwordHash" from app_user where name_key = lower(${name})`;
      if (!row) return null;
      const { passwordHash, ...user } = row;
      return { user, passwordHash };
    },
    async credentialsOf(userId) {
      const [row] = await sql<{ passwordHash: string }[]>`
        select password_hash as "passwordHash" from app_user where id = ${userId}`;
      return row ?? null;
    },
    async setPassword(userId, passwordHash) {
      await sql`update app_user set password_hash = ${passwordHash} where id = ${userId}`;
    },
    async addSession({ id, userId, tokenHash, device, expiresAtMs }) {
      await sql`
        insert into session (id, user_id, token_hash, device, expires_at)
        values (${id}, ${userId}, ${Buffer.from(tokenHash)}, ${device}, to_timestamp(${expiresAtMs}::double precision / 1000))`;
    },
    async sessionByToken(tokenHash) {
      const [row] = await sql<(SessionRow & { userName: string; role: UserRow['role']; userCreatedAtMs: number })[]>`
        select ${sessionColumns}, app_user.name as "userName", app_user.role,
          (extract(epoch from app_user.created_at) * 1000)::bigint as "userCreatedAtMs"
        from session join app_user on app_user.id = session.user_id
        where token_hash = ${Buffer.from(tokenHash)} and expires_at > now()`;
      if (!row) return null;
      const { userName, role, userCreatedAtMs, ...session } = row;
      return { session, user: { id: session.userId, name: userName, role, createdAtMs: userCreatedAtMs } };
    },
    async sessions(userId) {
      return [
        ...(await sql<SessionRow[]>`
          select ${sessionColumns} from session where user_id = ${userId} and expires_at > now()
          order by last_seen_at desc, id desc`),
      ];
    },
    async sessionExists(sessionId) {
      const [row] = await sql<{ found: boolean }[]>`
        select exists (select from session where id = ${sessionId} and expires_at > now()) as found`;
      return row?.found === true;
    },
    async touchSession(sessionId, expiresAtMs) {
      await sql`
        update session set last_seen_at = now(), expires_at = to_timestamp(${expiresAtMs}::double precision / 1000)
        where id = ${sessionId}`;
    },
    async endSessions(userId, { only, except }) {
      const rows = await sql<{ id: string }[]>`
        delete from session where user_id = ${userId}
          ${only === undefined ? sql`` : sql`and id = ${only}`}
          ${except === undefined ? sql`` : sql`and id <> ${except}`}
        returning id`;
      return rows.map(({ id }) => id);
    },
    async removeExpiredSessions() {
      await sql`delete from session where expires_at <= now()`;
    },
  };
}
