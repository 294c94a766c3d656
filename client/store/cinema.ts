/** Everything a signed-in person sees, made when they sign in and thrown away when they leave, so that nothing of one person is left for the next. */
import type { Viewer } from '#protocol/schema/account.ts';
import { FolderChoice } from './folder-choice.ts';
import { HealthStore } from './health.ts';
import { HomeStore } from './home.ts';
import { JobsStore } from './jobs.ts';
import { LibraryStore } from './library.ts';
import { MovieList } from './movie-list.ts';
import { MovieStore } from './movie.ts';
import { routePath } from './navigation.ts';
import type { MovieQuery } from './navigation.ts';
import { PeopleStore } from './people.ts';
import { PlacesStore } from './places.ts';
import type { Link, Memory, Server } from './ports.ts';
import { ProgressStore } from './progress.ts';
import { RadarrLink } from './radarr.ts';

export class Cinema {
  readonly viewer: Viewer;
  readonly server: Server;
  readonly link: Link;
  readonly library: LibraryStore;
  readonly progress: ProgressStore;
  readonly home: HomeStore;
  /** `null` for people who may not see them. */
  readonly jobs: JobsStore | null;
  readonly health: HealthStore | null;
  /** The grid that was shown last, kept so that coming back to it is instant and in its old place. */
  #list: { readonly key: string; readonly list: MovieList } | null = null;

  constructor(server: Server, link: Link, memory: Memory, viewer: Viewer) {
    this.viewer = viewer;
    this.server = server;
    this.link = link;
    this.library = new LibraryStore(server);
    this.progress = new ProgressStore(server, link, memory, viewer.id);
    this.home = new HomeStore(server, link, this.library, this.progress);
    this.jobs = viewer.permissions.includes('jobs:read') ? new JobsStore(server) : null;
    this.health = viewer.permissions.includes('server:manage') ? new HealthStore(server) : null;
  }

  movieList(query: MovieQuery): MovieList {
    const key = routePath({ screen: 'movies', query });
    if (this.#list?.key !== key) {
      this.#list?.list.dispose();
      this.#list = { key, list: new MovieList(this.server, this.link, this.library, this.progress, query) };
    }
    return this.#list.list;
  }

  /** The caller disposes of it. */
  movie(movieId: string): MovieStore {
    return new MovieStore(this.server, this.link, movieId);
  }

  /** The caller disposes of it. */
  folderChoice(): FolderChoice {
    return new FolderChoice(this.server);
  }

  people(): PeopleStore {
    return new PeopleStore(this.server);
  }

  /** The caller disposes of it. */
  radarr(): RadarrLink {
    return new RadarrLink(this.server);
  }

  places(): PlacesStore {
    return new PlacesStore(this.server);
  }

  dispose(): void {
    this.#list?.list.dispose();
    this.home.dispose();
    this.progress.dispose();
    this.library.dispose();
    this.jobs?.dispose();
    this.health?.dispose();
  }
}
