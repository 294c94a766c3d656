/** Where the person is in the client. The address holds all of it, so that reload, bookmark and the back button work. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { COLLECTION_KINDS } from '#protocol/schema/collection.ts';
import type { MovieFilter } from '#protocol/schema/movie-filter.ts';
import { MOVIE_SORTS, SORT_ORDERS } from '#protocol/schema/movie-sort.ts';
import type { MovieSort, SortOrder } from '#protocol/schema/movie-sort.ts';
import { readFilter, writeFilter } from './filter-address.ts';

export type { MovieSort, SortOrder };

/** What the grid shows. */
export interface MovieQuery {
  readonly search: string;
  readonly sort: MovieSort;
  /** `null`: the order that suits the sort. */
  readonly order: SortOrder | null;
  /** Which of the random orders. */
  readonly seed: number;
  /** A property that is absent is no limit. */
  readonly filter: MovieFilter;
}

export const ALL_MOVIES: MovieQuery = { search: '', sort: 'title', order: null, seed: 0, filter: {} };

/** The grid of everything that fits a filter: where a genre, a decade, or a person's name leads. */
export const moviesWith = (filter: MovieFilter): Route => ({ screen: 'movies', query: { ...ALL_MOVIES, filter } });

export type CollectionKind = (typeof COLLECTION_KINDS)[number];

export const SETTINGS_SECTIONS = [
  'libraries',
  'metadata',
  'radarr',
  'activity',
  'people',
  'playback',
  'account',
  'hardware',
  'server',
] as const;
export type SettingsSection = (typeof SETTINGS_SECTIONS)[number];

export type Route =
  | { readonly screen: 'home' }
  | { readonly screen: 'welcome' }
  | { readonly screen: 'movies'; readonly query: MovieQuery }
  | { readonly screen: 'search'; readonly query: MovieQuery }
  | { readonly screen: 'movie'; readonly movieId: string }
  | {
      readonly screen: 'play';
      readonly movieId: string;
      readonly fileId: string | null;
      readonly isFromStart: boolean;
    }
  | { readonly screen: 'person'; readonly personId: string }
  | { readonly screen: 'collections'; readonly kind: CollectionKind | null }
  | { readonly screen: 'collection'; readonly collectionId: string }
  | { readonly screen: 'review' }
  | { readonly screen: 'downloads' }
  | { readonly screen: 'settings'; readonly section: SettingsSection | null }
  | { readonly screen: 'notFound' };

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function oneOf<const T extends readonly string[]>(set: T, value: string | null | undefined): T[number] | null {
  return set.find((member) => member === value) ?? null;
}

function parseQuery(params: URLSearchParams): MovieQuery {
  const seed = Number(params.get('seed') ?? '0');
  return {
    search: (params.get('q') ?? '').slice(0, 500),
    sort: oneOf(MOVIE_SORTS, params.get('sort')) ?? 'title',
    order: oneOf(SORT_ORDERS, params.get('order')),
    seed: Number.isInteger(seed) && seed >= 0 && seed <= 4_294_967_295 ? seed : 0,
    filter: readFilter(params),
  };
}

/** Reads an address; whatever is not one of ours is `notFound`. `path` may carry a query. */
export function parseRoute(path: string): Route {
  // Joined as text: as a relative reference, `//host` would name another server.
  const url = new URL(`http://matinee.invalid${path}`);
  const [first = '', second, ...rest] = url.pathname.split('/').filter((part) => part !== '');
  if (rest.length > 0) return { screen: 'notFound' };
  if (second === undefined) {
    if (first === '') return { screen: 'home' };
    if (first === 'welcome') return { screen: 'welcome' };
    if (first === 'movies') return { screen: 'movies', query: parseQuery(url.searchParams) };
    if (first === 'search') return { screen: 'search', query: parseQuery(url.searchParams) };
    if (first === 'collections') {
      return { screen: 'collections', kind: oneOf(COLLECTION_KINDS, url.searchParams.get('kind')) };
    }
    if (first === 'review') return { screen: 'review' };
    if (first === 'downloads') return { screen: 'downloads' };
    if (first === 'settings') return { screen: 'settings', section: null };
    return { screen: 'notFound' };
  }
  if (first === 'movies' && ID.test(second)) return { screen: 'movie', movieId: second };
  if (first === 'people' && ID.test(second)) return { screen: 'person', personId: second };
  if (first === 'collections' && ID.test(second)) return { screen: 'collection', collectionId: second };
  if (first === 'play' && ID.test(second)) {
    const fileId = url.searchParams.get('file');
    return {
      screen: 'play',
      movieId: second,
      fileId: fileId !== null && ID.test(fileId) ? fileId : null,
      isFromStart: url.searchParams.has('from-start'),
    };
  }
  const section = first === 'settings' ? oneOf(SETTINGS_SECTIONS, second) : null;
  return section === null ? { screen: 'notFound' } : { screen: 'settings', section };
}

function queryText(query: MovieQuery): string {
  const params = new URLSearchParams();
  if (query.search !== '') params.set('q', query.search);
  if (query.sort !== 'title') params.set('sort', query.sort);
  if (query.order !== null) params.set('order', query.order);
  if (query.seed !== 0) params.set('seed', String(query.seed));
  writeFilter(query.filter, params);
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** The address of a route: `parseRoute(routePath(route))` is the route again. */
export function routePath(route: Route): string {
  switch (route.screen) {
    case 'home':
      return '/';
    case 'welcome':
      return '/welcome';
    case 'movies':
      return `/movies${queryText(route.query)}`;
    case 'search':
      return `/search${queryText(route.query)}`;
    case 'movie':
      return `/movies/${route.movieId}`;
    case 'play': {
      const params = new URLSearchParams();
      if (route.fileId !== null) params.set('file', route.fileId);
      if (route.isFromStart) params.set('from-start', '');
      const text = params.toString();
      return `/play/${route.movieId}${text === '' ? '' : `?${text}`}`;
    }
    case 'person':
      return `/people/${route.personId}`;
    case 'collections':
      return route.kind === null ? '/collections' : `/collections?kind=${route.kind}`;
    case 'collection':
      return `/collections/${route.collectionId}`;
    case 'review':
      return '/review';
    case 'downloads':
      return '/downloads';
    case 'settings':
      return route.section === null ? '/settings' : `/settings/${route.section}`;
    case 'notFound':
      return '/not-found';
  }
}

/** Wraps a change of screen, so that the ui layer can animate it. Calls `change` exactly once. */
export type Transition = (change: () => void, from: Route, to: Route) => void;

interface EntryState {
  readonly index: number;
}

/**
 * The browser's history as a signal. Owns `popstate`, and the place of each history entry's scroll: screens come back where
 * they were left, also when their content loads after the jump.
 */
export class Navigation {
  readonly #route = signal<Route>({ screen: 'home' });
  readonly #scrolls = new Map<number, number>();
  #index = 0;
  #transition: Transition = (change) => change();
  #isRevisit = false;
  /** Where the page should be scrolled to once the screen is laid out. */
  scrollTarget = 0;

  constructor() {
    history.scrollRestoration = 'manual';
    const state = history.state as EntryState | null;
    this.#index = state?.index ?? 0;
    // A place that carries our mark was here before: the page was loaded again.
    this.#isRevisit = state !== null;
    history.replaceState({ index: this.#index } satisfies EntryState, '');
    this.#route.value = parseRoute(location.pathname + location.search);
    addEventListener('popstate', (event) => {
      this.#scrolls.set(this.#index, scrollY);
      this.#index = (event.state as EntryState | null)?.index ?? 0;
      this.scrollTarget = this.#scrolls.get(this.#index) ?? 0;
      this.#isRevisit = true;
      this.#show(parseRoute(location.pathname + location.search));
    });
  }

  get route(): ReadonlySignal<Route> {
    return this.#route;
  }

  /** True where the page was loaded again or history was walked: what the address says was asked for at another time. */
  get isRevisit(): boolean {
    return this.#isRevisit;
  }

  /** True when the entry before this one is ours, so that going back stays in Matinee. */
  get canGoBack(): boolean {
    return this.#index > 0;
  }

  animateWith(transition: Transition): void {
    this.#transition = transition;
  }

  go(route: Route, options: { readonly replace?: boolean } = {}): void {
    const path = routePath(route);
    this.#isRevisit = false;
    if (options.replace === true) {
      history.replaceState({ index: this.#index } satisfies EntryState, '', path);
      // A changed filter is the same screen: nothing to animate, and the scroll stays.
      if (route.screen === this.#route.value.screen) {
        this.#route.value = route;
        return;
      }
    } else {
      this.#scrolls.set(this.#index, scrollY);
      this.#index += 1;
      this.#scrolls.delete(this.#index);
      history.pushState({ index: this.#index } satisfies EntryState, '', path);
    }
    this.scrollTarget = 0;
    this.#show(route);
  }

  back(fallback: Route): void {
    if (this.canGoBack) history.back();
    else this.go(fallback, { replace: true });
  }

  #show(route: Route): void {
    const change = (): void => {
      this.#route.value = route;
    };
    this.#transition(change, this.#route.peek(), route);
  }
}
