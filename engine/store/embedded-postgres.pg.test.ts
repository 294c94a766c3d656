import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { clusterProcesses } from './embedded-postgres-cluster.ts';
import type { EmbeddedPostgresState } from './embedded-postgres.ts';
import { EmbeddedPostgres } from './embedded-postgres.ts';
import { connectPostgres } from './postgres/connect.ts';

const base = mkdtempSync(join(tmpdir(), 'matinee pg '));
const running = new Set<EmbeddedPostgres>();
afterEach(async () => {
  for (const server of running) await server.stop();
  running.clear();
});
afterAll(() => rmSync(base, { recursive: true }));

let count = 0;
const fresh = (): string => join(base, `folder ${(count += 1)}`, 'postgres');
const password = 'the-administrator';

async function start(folder: string, adminPassword: string = password): Promise<EmbeddedPostgres> {
  // Flushing costs a second for each initdb and proves nothing here; what must survive a kill is in the kernel's hands.
  const server = await EmbeddedPostgres.start({ folder, password: adminPassword, initdbArguments: ['--no-sync'] });
  running.add(server);
  return server;
}

function stateOf(server: EmbeddedPostgres, wanted: EmbeddedPostgresState): Promise<void> {
  return new Promise((resolve) => {
    const end = server.onState((state) => {
      if (state !== wanted) return;
      end();
      resolve();
    });
  });
}

/** Runs `start` in a process of its own and kills that when `isFarEnough`. */
async function startAndKill(folder: string, isFarEnough: () => Promise<boolean> | boolean): Promise<void> {
  const code = `
    import { EmbeddedPostgres } from ${JSON.stringify(join(import.meta.dirname, 'embedded-postgres.ts'))};
    await EmbeddedPostgres.start({ folder: ${JSON.stringify(folder)}, password: ${JSON.stringify(password)} });
    console.log('up');`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let isUp = false;
  child.stdout.once('data', () => {
    isUp = true;
  });
  while (!(isUp || (await isFarEnough()))) await new Promise((resolve) => setImmediate(resolve));
  child.kill('SIGKILL');
  await exited;
}

describe('the embedded Postgres', () => {
  it('starts, keeps what was written, and stops without a trace', async () => {
    const folder = fresh();
    const first = await start(folder);
    const sql = connectPostgres(first.address, { applicationName: 'test', max: 2 });
    const [facts] = await sql`
      select current_setting('data_checksums') as checksums, current_setting('server_encoding') as encoding,
        current_setting('fsync') as fsync, current_setting('password_encryption') as passwords, current_user::text as who`;
    expect(facts).toEqual({
      checksums: 'on',
      encoding: 'UTF8',
      fsync: 'on',
      passwords: 'scram-sha-256',
      who: 'matinee',
    });
    await sql`create table kept as select 42 as n`;
    await sql.end();
    await first.stop();
    expect(first.state).toBe('stopped');
    expect(await clusterProcesses(join(folder, '18'))).toEqual([]);
    expect(existsSync(join(folder, '18/postmaster.pid'))).toBe(false);

    const second = await start(folder);
    const again = connectPostgres(second.address, { applicationName: 'test', max: 1 });
    expect(await again`select n from kept`).toEqual([{ n: 42 }]);
    await again.end();
    // [EPG5] The password of the engine's role is new.
    expect(second.address.password).not.toBe(first.address.password);
    const stale = connectPostgres(
      { ...second.address, password: first.address.password },
      { applicationName: 'x', max: 1 },
    );
    await expect(stale`select 1`).rejects.toMatchObject({ code: '28P01' });
    await stale.end();
  });

  it('[EPG4] comes back on the same address when it is killed, and loses nothing that was acknowledged', async () => {
    const server = await start(fresh());
    const sql = connectPostgres(server.address, { applicationName: 'test', max: 1 });
    await sql`create table row (n int)`;
    const acknowledged: number[] = [];
    let isWriting = true;
    const writing = (async () => {
      for (let n = 0; isWriting; n += 1) {
        // A row whose answer was lost may be there or not; it is not counted.
        await sql`insert into row values (${n})`.then(
          () => acknowledged.push(n),
          () => {},
        );
      }
    })();
    for (let round = 0; round < 2; round += 1) {
      const known = acknowledged.length;
      while (acknowledged.length < known + 50) await new Promise((resolve) => setImmediate(resolve));
      const back = stateOf(server, 'running');
      process.kill(server.pid!, 'SIGKILL');
      await back;
    }
    isWriting = false;
    await writing;
    const kept = new Set((await sql<{ n: number }[]>`select n from row`).map(({ n }) => n));
    expect(acknowledged.filter((n) => !kept.has(n))).toEqual([]);
    await sql.end();
  });

  it('[EPG4] gives up when it keeps dying', async () => {
    const server = await start(fresh());
    const states: EmbeddedPostgresState[] = [];
    server.onState((state) => states.push(state));
    const failed = stateOf(server, 'failed');
    for (let death = 1; death <= 6; death += 1) {
      const next = death === 6 ? failed : stateOf(server, 'running');
      process.kill(server.pid!, 'SIGKILL');
      await next;
    }
    expect(states.filter((state) => state === 'restarting')).toHaveLength(6);
    expect(states.at(-1)).toBe('failed');
  });

  it('[EPG6] stops while sessions are open and busy', async () => {
    const folder = fresh();
    const server = await start(folder);
    const sql = connectPostgres(server.address, { applicationName: 'test', max: 1 });
    const busy = sql`select pg_sleep(600)`;
    const ended = expect(busy).rejects.toThrow();
    await server.stop();
    await ended;
    expect(await clusterProcesses(join(folder, '18'))).toEqual([]);
    await sql.end({ timeout: 0 });
  });

  it('[EPG1] stops the one that a killed engine left running', async () => {
    const folder = fresh();
    await startAndKill(folder, () => false);
    const orphans = await clusterProcesses(join(folder, '18'));
    expect(orphans.length).toBeGreaterThan(1);
    const server = await start(folder);
    const now = await clusterProcesses(join(folder, '18'));
    expect(now.filter((pid) => orphans.includes(pid))).toEqual([]);
    expect(now).toContain(server.pid);
  });

  it('[EPG1] is not fooled by a lock file that names a stranger', async () => {
    const folder = fresh();
    await (await start(folder)).stop();
    writeFileSync(join(folder, '18/postmaster.pid'), `${process.pid}\n/proc/self/cwd\n1\n5432\n.\n\n1 1\nready   \n`);
    writeFileSync(join(folder, '18/.s.PGSQL.5432.lock'), `${process.pid}\n`);
    expect((await start(folder)).state).toBe('running');
  });

  it('[EPG2] begins again after an initdb that was killed', async () => {
    const folder = fresh();
    const isHalfway = () =>
      existsSync(folder) && readdirSync(folder).some((name) => existsSync(join(folder, name, 'pg_wal')));
    await startAndKill(folder, isHalfway);
    expect(readdirSync(folder).filter((name) => name.startsWith('draft-') && !name.endsWith('-password'))).toHaveLength(
      1,
    );
    await start(folder);
    expect(readdirSync(folder).filter((name) => name.startsWith('draft-'))).toEqual([]);
  });

  it('listens on the loopback where a socket’s path would be too long', async () => {
    const folder = join(base, 'long'.repeat(30), 'postgres');
    mkdirSync(folder, { recursive: true });
    const server = await start(folder);
    expect(server.address.host).toBe('127.0.0.1');
    const sql = connectPostgres(server.address, { applicationName: 'test', max: 1 });
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
    const back = stateOf(server, 'running');
    process.kill(server.pid!, 'SIGKILL');
    await back;
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }]);
    await sql.end();
  });
});

describe('[EPG3] a folder that is not ours', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['another Postgres', { PG_VERSION: '18\n' }, /data directory of another Postgres/],
    [
      'a newer Postgres',
      { '19/PG_VERSION': '19\n' },
      /made by Postgres 19; this Matinee brings Postgres 18. Start the newer/,
    ],
    ['an older Postgres', { '17/PG_VERSION': '17\n' }, /made by Postgres 17; .* cannot read it/],
    ['a cluster without our mark', { '18/PG_VERSION': '18\n' }, /is not a database that Matinee made\./],
    ['a cluster without a version', { '18/matinee-cluster.json': '{}' }, /\(no PG_VERSION in it\)/],
    [
      'a cluster of another version under our name',
      { '18/PG_VERSION': '16\n', '18/matinee-cluster.json': '{}' },
      /made by Postgres 16; this Matinee brings Postgres 18/,
    ],
  ])('with %s is refused and not touched', async (_, files, message) => {
    const folder = fresh();
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    await expect(start(folder)).rejects.toThrow(message);
    for (const [path, text] of Object.entries(files)) expect(readFileSync(join(folder, path), 'utf8')).toBe(text);
  });

  it('with another password is refused, and nothing stays running', async () => {
    const folder = fresh();
    await (await start(folder)).stop();
    await expect(start(folder, 'another')).rejects.toThrow(/does not accept the password in the data folder's secrets/);
    expect(await clusterProcesses(join(folder, '18'))).toEqual([]);
  });

  it('that is damaged is told with the end of the log', async () => {
    const folder = fresh();
    await (await start(folder)).stop();
    rmSync(join(folder, '18/global/pg_control'));
    await expect(start(folder)).rejects.toThrow(/does not start \(code \d+\)[\s\S]*pg_control/);
  });
});
