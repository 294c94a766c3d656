import { Clapperboard, House, Search, Settings } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { Route } from '#client/store/navigation.ts';
import { classes } from '../classes.ts';
import { useCinema, useLobby } from '../house.ts';
import { Link } from './link.tsx';
import { Wordmark } from './mark.tsx';
import styles from './shell.module.css';

interface Place {
  readonly label: string;
  readonly to: Route;
  readonly icon: ComponentChildren;
  readonly isHere: (route: Route) => boolean;
}

const PLACES: readonly Place[] = [
  {
    label: 'Home',
    to: { screen: 'home' },
    icon: <House aria-hidden="true" />,
    isHere: (route) => route.screen === 'home',
  },
  {
    label: 'Movies',
    to: { screen: 'movies', query: ALL_MOVIES },
    icon: <Clapperboard aria-hidden="true" />,
    isHere: (route) => route.screen === 'movies' || route.screen === 'movie',
  },
  {
    label: 'Settings',
    to: { screen: 'settings', section: null },
    icon: <Settings aria-hidden="true" />,
    isHere: (route) => route.screen === 'settings',
  },
];

/** Asks the movies screen to put the cursor into its search field. */
export const SEARCH_EVENT = 'matinee-search';

/** True once the page is scrolled: the bar then needs a ground of its own. */
function useScrolled(): boolean {
  const [isScrolled, setScrolled] = useState(false);
  useEffect(() => {
    const onScroll = (): void => setScrolled(scrollY > 8);
    onScroll();
    addEventListener('scroll', onScroll, { passive: true });
    return () => removeEventListener('scroll', onScroll);
  }, []);
  return isScrolled;
}

/** The frame around every screen but the player: where one is, and where one can go. A bar above, on phones a dock below. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const { navigation } = useLobby();
  const { health } = useCinema();
  const isScrolled = useScrolled();
  const route = navigation.route.value;
  const needsCare = health?.items.value?.some(({ severity }) => severity !== 'info') ?? false;

  const link = (place: Place, look: string | undefined) => (
    <Link to={place.to} class={look} aria-current={place.isHere(route) ? 'page' : undefined}>
      <span class={styles.icon}>
        {place.icon}
        {place.label === 'Settings' && needsCare && <span class={styles.dot} title="The server needs attention" />}
      </span>
      <span>{place.label}</span>
      {place.label === 'Settings' && needsCare && <span class="unseen">, the server needs attention</span>}
    </Link>
  );

  return (
    <>
      <a class={styles.skip} href="#content">
        Skip to the content
      </a>
      <header class={styles.bar} data-scrolled={isScrolled} data-spatial>
        <Link to={{ screen: 'home' }} class={styles.home} aria-label="Matinee, home">
          <Wordmark />
        </Link>
        <nav class={styles.places} aria-label="Main">
          {PLACES.slice(0, 2).map((place) => (
            <span key={place.label}>{link(place, styles.place)}</span>
          ))}
        </nav>
        <span class={styles.end}>
          <button
            type="button"
            class={styles.search}
            data-search
            onClick={() => {
              if (route.screen !== 'movies') navigation.go({ screen: 'movies', query: ALL_MOVIES });
              setTimeout(() => dispatchEvent(new Event(SEARCH_EVENT)), 60);
            }}
          >
            <Search aria-hidden="true" />
            <span>Search</span>
            <kbd aria-hidden="true">/</kbd>
          </button>
          <span class={styles.settings}>{link(PLACES[2]!, classes(styles.place, styles.iconOnly))}</span>
        </span>
      </header>
      <main id="content" class={styles.content} tabIndex={-1}>
        {children}
      </main>
      <nav class={styles.dock} aria-label="Main">
        {PLACES.map((place) => (
          <span key={place.label}>{link(place, styles.dockPlace)}</span>
        ))}
      </nav>
    </>
  );
}
