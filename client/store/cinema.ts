/** Everything a signed-in person sees, made when they sign in and thrown away when they leave, so that nothing of one person is left for the next. */
import type { Viewer } from '#protocol/schema/account.ts';
import { HealthStore } from './health.ts';
import { HomeStore } from './home.ts';
import { LibraryStore } from './library.ts';
import type { Link, Memory, Server } from './ports.ts';
import { ProgressStore } from './progress.ts';

interface Kept {
  readonly key: string;
  readonly store: { dispose(): void };
}

export class Cinema {
  readonly viewer: Viewer;
  readonly server: Server;
  readonly link: Link;
  readonly library: LibraryStore;
  readonly progress: ProgressStore;
  readonly home: HomeStore;
  /** `null` for people who may not see them. */
  readonly health: HealthStore | null;
  readonly #kept = new Map<string, Kept>();

  constructor(server: Server, link: Link, memory: Memory, viewer: Viewer) {
    this.viewer = viewer;
    this.server = server;
    this.link = link;
    this.library = new LibraryStore(server);
    this.progress = new ProgressStore(server, link, memory, viewer.id);
    this.home = new HomeStore(server, link, this.library, this.progress);
    this.health = viewer.permissions.includes('server:manage') ? new HealthStore(server) : null;
  }

  /** What a screen leaves here, so that coming back to it is instant and in its old place. One of each kind: another key takes its place. */
  kept<T extends { dispose(): void }>(kind: string, key: string, make: () => T): T {
    const held = this.#kept.get(kind);
    // One kind is one type: whoever keeps it names it.
    if (held?.key === key) return held.store as T;
    held?.store.dispose();
    const store = make();
    this.#kept.set(kind, { key, store });
    return store;
  }

  dispose(): void {
    for (const { store } of this.#kept.values()) store.dispose();
    this.home.dispose();
    this.progress.dispose();
    this.library.dispose();
    this.health?.dispose();
  }
}
