/** A server of ours for one round: started as a person starts it, with a person signed in who follows its feeds. */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '#client/net/connection.ts';
import { createHttpCalls } from '#client/net/http-calls.ts';
import { liveUrl, webSocketOpener } from '#client/net/socket.ts';
import { jobsFeed, libraryFeed } from '#protocol/feeds.ts';
import { jobs, libraries, movies, session } from '#protocol/index.ts';
import type { Job } from '#protocol/schema/job.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';
import type { Speed } from './peers.ts';
import { treeSeconds } from './processor-tree.ts';

const ADMIN = { name: 'bench', password: 'a password for the bench' };

export class ScannedServer implements AsyncDisposable {
  readonly #folder: string;
  readonly #engine: RunningEngine;
  readonly #connection: Connection;
  readonly #jobs = new Map<string, Job>();
  readonly #waiting = new Set<() => void>();
  /** Cards that the feed brought, as every open screen would have got them. */
  readonly shownMovies = new Set<string>();

  /** Starts it with an empty library, after it has scanned and forgotten another one. */
  static async start(warmFiles: string): Promise<ScannedServer> {
    const folder = await mkdtemp(join(tmpdir(), 'matinee-bench-scan-'));
    mkdirSync(join(folder, 'empty'));
    symlinkSync(join(folder, 'empty'), join(folder, 'library'));
    const engine = await startEngine({
      dataFolder: join(folder, 'data'),
      flags: ['--watch', 'off', '--log-level', 'warn'],
      environment: { MATINEE_ADMIN_NAME: ADMIN.name, MATINEE_ADMIN_PASSWORD: ADMIN.password },
    });
    let token = '';
    const http = createHttpCalls({
      serverUrl: engine.url,
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        for (const cookie of response.headers.getSetCookie()) {
          token = /^(?:__Host-)?matinee_session=([^;]*)/.exec(cookie)?.[1] ?? token;
        }
        return response;
      },
    });
    await http.request(session.create, ADMIN);
    const connection = new Connection({
      openSocket: webSocketOpener(liveUrl(engine.url), () => ({ authorization: `Bearer ${token}` })),
      client: { name: 'bench', version: '1' },
    });
    connection.start();
    const server = new ScannedServer(folder, engine, connection);
    await server.#followFeeds();
    const { library } = await connection.call(libraries.add, { path: warmFiles, name: 'Warm' });
    await server.#scansEnded(1);
    // Its pictures are of no use once it is gone; cancelling them would cost a host that is warm now.
    await connection.call(libraries.remove, { libraryId: library.id });
    await server.#until(() => [...server.#jobs.values()].every(({ endedAt }) => endedAt !== null));
    await connection.call(libraries.add, { path: join(folder, 'library') });
    await server.#scansEnded(2);
    return server;
  }

  private constructor(folder: string, engine: RunningEngine, connection: Connection) {
    this.#folder = folder;
    this.#engine = engine;
    this.#connection = connection;
  }

  /** Puts `folder` where the library is: nothing of it is known yet. */
  mount(folder: string): void {
    rmSync(join(this.#folder, 'library'));
    symlinkSync(folder, join(this.#folder, 'library'));
  }

  /** From the call until its job is said to have succeeded. Throws where it found not all of them playable. */
  async scan(expectedFiles: number): Promise<Speed> {
    const startSeconds = treeSeconds(this.#engine.pid);
    const startMs = performance.now();
    const { jobIds } = await this.#connection.call(libraries.scan, {});
    await this.#until(() => jobIds.every((id) => this.#jobs.get(id)?.endedAt != null));
    const seconds = (performance.now() - startMs) / 1_000;
    const usedSeconds = treeSeconds(this.#engine.pid) - startSeconds;
    const failed = jobIds.map((id) => this.#jobs.get(id)).find((job) => job?.state !== 'succeeded');
    if (failed) throw new Error(`the scan did not succeed: ${JSON.stringify(failed)}`);
    const [library] = (await this.#connection.call(libraries.list, {})).libraries;
    if (library?.fileCount !== expectedFiles || library.issueCount > 0) {
      throw new Error(`not all of ${expectedFiles} files were found playable: ${JSON.stringify(library)}`);
    }
    return { filesPerSecond: expectedFiles / seconds, processorMs: (usedSeconds * 1_000) / expectedFiles };
  }

  /** Milliseconds that one window of the grid takes, over the socket. */
  async browse(offset: number): Promise<number> {
    const startMs = performance.now();
    await this.#connection.call(movies.list, { offset, limit: 50 });
    return performance.now() - startMs;
  }

  /** Pictures are made after a scan, which takes a while: what is measured next does without them. */
  async stopPictures(): Promise<void> {
    const { jobs: latest } = await this.#connection.call(jobs.list, { limit: 10 });
    for (const { id, kind, endedAt } of latest) {
      // It may end by itself meanwhile.
      if (kind === 'pictures' && endedAt === null) {
        await this.#connection.call(jobs.cancel, { jobId: id }).catch(() => undefined);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.stop();
    await this.#engine.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #followFeeds(): Promise<void> {
    const first = Promise.withResolvers<void>();
    this.#connection.follow(jobsFeed, null, {
      onSnapshot: (snapshot) => {
        for (const job of snapshot.jobs) this.#jobs.set(job.id, job);
        first.resolve();
        this.#wake();
      },
      onEntries: (entries) => {
        for (const { id, job } of entries) {
          const known = this.#jobs.get(id);
          if (job) this.#jobs.set(id, job);
          // Of work that waits in the queue there is a line only while there is some.
          else if (known) this.#jobs.set(id, { ...known, endedAt: known.endedAt ?? known.createdAt });
        }
        this.#wake();
      },
      onRefused: first.reject,
    });
    this.#connection.follow(libraryFeed, null, {
      onSnapshot: () => undefined,
      onEntries: (entries) => {
        for (const entry of entries) if (entry.kind === 'movie' && entry.movie) this.shownMovies.add(entry.id);
      },
      onRefused: first.reject,
    });
    await first.promise;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await promise;
      this.#waiting.delete(resolve);
    }
  }

  async #scansEnded(count: number): Promise<void> {
    await this.#until(() => {
      const scans = [...this.#jobs.values()].filter(({ kind }) => kind === 'scan');
      return scans.filter(({ endedAt }) => endedAt !== null).length >= count;
    });
  }
}
