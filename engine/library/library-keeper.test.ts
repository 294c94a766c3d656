import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { Actor } from '#engine/runtime/actor.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import { LibraryKeeper } from './library-keeper.ts';
import type { KeeperMessage, KeeperOptions, LibraryState } from './library-keeper.ts';
import type { HealthPort, JobPort, KnownFile, LibraryRow, RootLook, SeenFile, WatchMode, WatchNews } from './ports.ts';

const START_MS = Date.UTC(2026, 5, 1);
const LIBRARY: LibraryRow = { id: 'lib', name: 'Movies', path: '/movies', rootIdentity: null, lastScanAtMs: null };

/** A library whose disk, database, jobs and kernel are in this object. */
class World {
  readonly clock = new FakeClock(START_MS);
  readonly files = new Map<string, SeenFile>();
  readonly rows = new Map<string, KnownFile>();
  readonly walks: string[][] = [];
  readonly jobs: { id: string; state: string; message: string | undefined; note: string | undefined }[] = [];
  readonly health = new Map<string, Parameters<HealthPort['set']>[0]>();
  readonly states: LibraryState[] = [];
  readonly failures: unknown[] = [];
  touches = 0;
  stats = 0;
  root: RootLook = { kind: 'there', identity: '1', isEmpty: false };
  watching: { listener: (news: WatchNews) => void; isClosed: boolean }[] = [];
  /** What a walk waits for before it ends. */
  gate: Promise<void> = Promise.resolve();
  /** What a watch waits for before it stands. */
  watchGate: Promise<void> = Promise.resolve();
  actor!: Actor<KeeperMessage>;

  put(path: string, sizeBytes = 10, mtimeMs = this.clock.nowMs() - 60_000): void {
    this.files.set(path, { path, sizeBytes, mtimeUs: mtimeMs * 1_000, inode: path });
  }

  open(watchMode: WatchMode = 'auto'): this {
    const jobs: JobPort = {
      run: async (_spec, work) => {
        const job = {
          id: `job ${this.jobs.length + 1}`,
          state: 'running',
          message: undefined as string | undefined,
          note: undefined as string | undefined,
        };
        this.jobs.push(job);
        const ended = work({
          id: job.id,
          signal: new AbortController().signal,
          progress: ({ note }) => {
            job.note = note ?? undefined;
          },
        }).then(
          () => {
            job.state = 'succeeded';
            return job;
          },
          (error: Error) => {
            job.state = 'failed';
            job.message = error.message;
            return job;
          },
        );
        return { job, ended };
      },
    };
    const within = (path: string, scope: string) => scope === '' || path === scope || path.startsWith(`${scope}/`);
    const ports: KeeperOptions['ports'] = {
      clock: this.clock,
      log: silentLog,
      jobs,
      health: { set: (item) => this.health.set(item.id, item), clear: (id) => void this.health.delete(id) },
      libraries: {
        list: async () => [LIBRARY],
        touch: async () => {
          this.touches++;
        },
      },
      watcher: {
        watch: async (_root, mode, listener) => {
          await this.watchGate;
          if (this.root.kind === 'unavailable') throw new Error(this.root.code);
          const watch = { listener, isClosed: false };
          this.watching.push(watch);
          return {
            mode: mode === 'poll' ? 'polling' : 'events',
            [Symbol.asyncDispose]: async () => {
              watch.isClosed = true;
            },
          };
        },
      },
      walker: {
        look: async () => this.root,
        stat: async (_root, paths) => {
          this.stats += paths.length;
          return paths.map((path) => this.files.get(path) ?? null);
        },
        walk: (_root, scopes, signal) => this.#walk(scopes, signal, within),
      },
      hashes: { identify: async (paths) => paths.map((path) => ({ hash: path })) },
      media: {
        probe: async () => ({ ok: true, media: mediaInfo(), keyframesUs: null }),
        release: async () => false,
      },
      store: {
        filesAt: async (_id, paths) =>
          new Map(paths.flatMap((path) => (this.rows.has(path) ? [[path, this.rows.get(path)!]] : []))),
        filesByHash: async () => [],
        write: async (_id, writes) => {
          for (const { file } of writes) {
            this.rows.set(file.path, {
              ...file,
              id: file.path,
              libraryId: 'lib',
              movieId: 'm',
              contentHash: file.path,
              state: 'playable',
              failure: null,
              wasProbed: true,
            });
          }
          return [];
        },
        presentFiles: async (_id, scope) =>
          [...this.rows.values()]
            .filter(({ path, state }) => state !== 'missing' && within(path, scope))
            .map(({ id, path }) => ({ id, path })),
        homes: async (_id, names) => names.map(() => null),
        videosIn: async () => [],
        sidecars: async () => [],
        writeSidecars: async () => undefined,
        markMissing: async (_id, ids) => {
          for (const id of ids) this.rows.set(id, { ...this.rows.get(id)!, state: 'missing' });
        },
        replaceIssues: async () => undefined,
        finish: async () => undefined,
        purge: async () => undefined,
      },
    };
    const tell = (message: KeeperMessage): void => {
      if (!this.actor.isStopped) this.actor.tell(message);
    };
    const create = () =>
      new LibraryKeeper({
        library: LIBRARY,
        ports,
        watchMode,
        jobFailure: (message) => new Error(message),
        tell,
        onState: (state) => this.states.push(state),
        onScanned: () => undefined,
      });
    this.actor = new Actor(create, {
      name: 'keeper',
      clock: this.clock,
      onFailure: (error) => this.failures.push(error),
    });
    return this;
  }

  async *#walk(scopes: readonly string[], signal: AbortSignal, within: (path: string, scope: string) => boolean) {
    this.walks.push([...scopes]);
    const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    aborted.catch(() => undefined);
    await Promise.race([this.gate, aborted]);
    const files = [...this.files.values()].filter(({ path }) => scopes.some((scope) => within(path, scope)));
    yield { files, subtitles: [], issues: [], unseen: [] };
  }

  /** Starts it and waits for the first scan. */
  async start(): Promise<this> {
    this.actor.tell({ kind: 'start' });
    await this.advance(200);
    return this;
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    // A scan is a chain of promises on fake ports: some turns of the loop, and writes that wait for a timer.
    for (let turn = 0; turn < 10; turn++) await this.clock.advance(turn < 3 ? 100 : 0);
  }

  tellChanged(...paths: string[]): void {
    this.watching.at(-1)!.listener({ kind: 'changed', paths });
  }

  scan(): Promise<string> {
    return this.actor.ask<string>((reply) => ({ kind: 'scan', reply }), 60_000);
  }

  get state(): LibraryState {
    return this.states.at(-1)!;
  }
}

let world: World;
beforeEach(() => {
  world = new World();
  world.put('a/Heat (1995).mkv');
});

describe('a library that is kept', () => {
  it('[KEEP1] is watched, then scanned as a whole', async () => {
    let walksWhenWatched = -1;
    world.open();
    const { watching } = world;
    world.watching = new Proxy(watching, {
      set(target, key, value) {
        if (key === '0') walksWhenWatched = world.walks.length;
        return Reflect.set(target, key, value);
      },
    });
    await world.start();
    expect(walksWhenWatched).toBe(0);
    expect(world.walks).toEqual([['']]);
    expect([...world.rows.keys()]).toEqual(['a/Heat (1995).mkv']);
    expect(world.state).toEqual({ watching: 'events', scan: null });
    expect(world.jobs).toEqual([
      { id: 'job 1', state: 'succeeded', message: undefined, note: '1 file seen, 1 new or changed, 0 gone' },
    ]);
    expect(world.failures).toEqual([]);
  });

  it('[KEEP1] a watch that takes long does not hold up the first scan, and another scan closes the gap', async () => {
    const gate = Promise.withResolvers<void>();
    world.watchGate = gate.promise;
    await world.open().start();
    expect(world.walks).toEqual([]);
    await world.advance(2_000);
    expect(world.walks).toEqual([['']]);
    expect(world.state.watching).toBe('off');
    gate.resolve();
    await world.advance(200);
    expect(world.walks).toEqual([[''], ['']]);
    expect(world.state.watching).toBe('events');
  });

  it('[KEEP9] a watch that stands only after the end is closed', async () => {
    const gate = Promise.withResolvers<void>();
    world.watchGate = gate.promise;
    await world.open().start();
    await world.actor[Symbol.asyncDispose]();
    gate.resolve();
    await world.advance(0);
    expect(world.watching.map(({ isClosed }) => isClosed)).toEqual([true]);
  });

  it('[KEEP2] runs one scan at a time, and answers with the one that runs', async () => {
    const gate = Promise.withResolvers<void>();
    world.gate = gate.promise;
    await world.open().start();
    expect(world.state.scan?.jobId).toBe('job 1');
    const [first, second] = [world.scan(), world.scan()];
    await world.advance(0);
    gate.resolve();
    expect(await Promise.all([first, second])).toEqual(['job 1', 'job 1']);
    await world.advance(200);
    expect(world.walks).toHaveLength(1);
    const third = world.scan();
    await world.advance(200);
    expect(await third).toBe('job 2');
  });

  it('[KEEP2] a whole scan asked for while a part is looked at comes after it', async () => {
    await world.open().start();
    const gate = Promise.withResolvers<void>();
    world.gate = gate.promise;
    world.tellChanged('a');
    await world.advance(1_000);
    const asked = world.scan();
    await world.advance(0);
    expect(world.walks).toEqual([[''], ['a']]);
    gate.resolve();
    await world.advance(200);
    expect(await asked).toBe('job 3');
    expect(world.walks).toEqual([[''], ['a'], ['']]);
  });

  it('[KEEP3] looks at changed places together, once it is quiet', async () => {
    await world.open().start();
    world.put('b/Ronin (1998).mkv');
    world.tellChanged('b');
    await world.clock.advance(900);
    world.tellChanged('a/Heat (1995).mkv');
    world.files.delete('a/Heat (1995).mkv');
    await world.clock.advance(900);
    expect(world.walks).toHaveLength(1);
    await world.advance(100);
    expect(world.walks[1]).toEqual(['b', 'a/Heat (1995).mkv']);
    expect([...world.rows.values()].map(({ path, state }) => [path, state])).toEqual([
      ['a/Heat (1995).mkv', 'missing'],
      ['b/Ronin (1998).mkv', 'playable'],
    ]);
  });

  it('[KEEP3] noise does not put a look off for ever', async () => {
    await world.open().start();
    for (let second = 0; second < 24 && world.walks.length < 2; second++) {
      world.tellChanged('a');
      await world.clock.advance(500);
    }
    await world.advance(0);
    expect(world.walks).toHaveLength(2);
  });

  it('[KEEP3] very many places are looked at as a whole', async () => {
    await world.open().start();
    world.tellChanged(...Array.from({ length: 201 }, (_, index) => `folder ${index}`));
    await world.advance(1_000);
    expect(world.walks).toEqual([[''], ['']]);
  });

  it('[KEEP10] looks where somebody else knows of a change, also where nothing is watched', async () => {
    await world.open('off').start();
    world.put('b/Ronin (1998).mkv');
    world.actor.tell({ kind: 'look', paths: ['b', 'gone'] });
    await world.advance(1_000);
    expect(world.walks).toEqual([[''], ['b', 'gone']]);
    expect([...world.rows.values()].find(({ path }) => path === 'b/Ronin (1998).mkv')?.state).toBe('playable');
  });

  it('[KEEP4] looks at everything every six hours, for events can be lost', async () => {
    await world.open().start();
    await world.advance(6 * 3_600_000);
    expect(world.walks).toEqual([[''], ['']]);
    await world.advance(6 * 3_600_000);
    expect(world.walks).toHaveLength(3);
  });

  it('[KEEP4] does so only when asked where watching is off', async () => {
    await world.open('off').start();
    await world.advance(24 * 3_600_000);
    expect(world.walks).toHaveLength(1);
    expect(world.state.watching).toBe('off');
    expect(world.watching).toEqual([]);
  });

  it('[KEEP5] leaves a file alone while it grows, ever more patiently, and looks at it once it is quiet', async () => {
    await world.open().start();
    const walksBefore = world.walks.length;
    let size = 0;
    const grow = () => world.put('b/Copy (2020).mkv', ++size, world.clock.nowMs());
    grow();
    world.tellChanged('b/Copy (2020).mkv');
    // Ten minutes of copying, with an event every second.
    for (let second = 0; second < 600; second++) {
      grow();
      world.tellChanged('b/Copy (2020).mkv');
      await world.clock.advance(1_000);
    }
    expect(world.rows.has('b/Copy (2020).mkv')).toBe(false);
    expect(world.walks.length - walksBefore).toBeLessThan(4);
    // Every half minute in the end, and not every three seconds.
    expect(world.stats).toBeLessThan(40);
    await world.advance(70_000);
    expect(world.rows.has('b/Copy (2020).mkv')).toBe(true);
    expect(world.rows.get('b/Copy (2020).mkv')!.sizeBytes).toBe(size);
  });

  it('[KEEP6] says that its folder is away, looks for it, and scans it when it is back', async () => {
    await world.open().start();
    world.root = { kind: 'unavailable', code: 'ENOENT' };
    world.tellChanged('');
    await world.advance(1_000);
    expect(world.jobs.at(-1)).toMatchObject({
      state: 'failed',
      message: 'The folder of the library “Movies” is not there: /movies.',
    });
    expect(world.health.get('libraryUnavailable/lib')).toMatchObject({ severity: 'error' });
    expect([...world.rows.values()].map(({ state }) => state)).toEqual(['playable']);
    const walks = world.walks.length;
    world.tellChanged('a');
    await world.advance(60_000);
    expect(world.walks).toHaveLength(walks);
    world.root = { kind: 'there', identity: '1', isEmpty: false };
    world.put('a/Ronin (1998).mkv');
    await world.advance(15_000);
    expect(world.health.size).toBe(0);
    expect(world.watching.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    expect(world.rows.has('a/Ronin (1998).mkv')).toBe(true);
  });

  it('[KEEP6] one whose folder is away from the start is kept all the same', async () => {
    world.root = { kind: 'unavailable', code: 'EACCES' };
    await world.open().start();
    expect(world.health.get('libraryUnavailable/lib')?.action).toContain("chmod o+rx '/movies'");
    expect(world.state.watching).toBe('off');
    world.root = { kind: 'there', identity: '1', isEmpty: false };
    await world.advance(15_000);
    expect(world.state.watching).toBe('events');
    expect(world.rows.size).toBe(1);
  });

  it('[KEEP6] does not scan an emptied folder again and again', async () => {
    await world.open().start();
    world.root = { kind: 'there', identity: '1', isEmpty: true };
    await world.advance(6 * 3_600_000);
    const { length } = world.jobs;
    expect(world.health.get('libraryUnavailable/lib')?.title).toContain('None of the movies');
    await world.advance(600_000);
    expect(world.jobs).toHaveLength(length);
  });

  it('[KEEP7] says when the kernel’s limit is reached, with the command that raises it', async () => {
    await world.open().start();
    world.watching[0]!.listener({ kind: 'limit', limit: 'watches', allowed: 8_192, folders: 20_000 });
    await world.advance(0);
    expect(world.state.watching).toBe('polling');
    expect(world.health.get('watchLimit/lib')).toMatchObject({
      severity: 'warning',
      action: expect.stringContaining('fs.inotify.max_user_watches=524288') as string,
    });
    world.tellChanged('a');
    await world.advance(1_000);
    expect(world.walks).toEqual([[''], ['a']]);
  });

  it('[KEEP7] says when watching failed', async () => {
    await world.open().start();
    world.watching[0]!.listener({ kind: 'failed', error: new Error('no') });
    await world.advance(0);
    expect(world.health.get('watchLimit/lib')).toMatchObject({ title: expect.stringContaining('failed') as string });
  });

  it('[KEEP8] a scan that failed is made up for', async () => {
    world.gate = Promise.reject(new Error('the database is away'));
    world.gate.catch(() => undefined);
    await world.open().start();
    expect(world.jobs[0]!.state).toBe('failed');
    world.gate = Promise.resolve();
    await world.advance(5 * 60_000);
    expect(world.rows.size).toBe(1);
  });

  it('[KEEP9] ends with its scan, its watch, its findings and its timers', async () => {
    world.gate = new Promise(() => undefined);
    await world.open().start();
    world.watching[0]!.listener({ kind: 'limit', limit: 'instances', allowed: 128, folders: 3 });
    await world.advance(0);
    await world.actor[Symbol.asyncDispose]();
    await world.advance(0);
    expect(world.jobs[0]).toMatchObject({ state: 'failed', message: 'The library was removed.' });
    expect(world.watching[0]!.isClosed).toBe(true);
    expect(world.health.size).toBe(0);
    expect(world.clock.pendingCount).toBe(0);
    expect(world.failures).toEqual([]);
  });
});
