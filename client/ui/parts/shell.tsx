import { Clapperboard, Download, House, Layers, ListChecks, Settings } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { Route } from '#client/store/navigation.ts';
import type { ReviewCount } from '#client/store/review.ts';
import { classes } from '../classes.ts';
import { useCinema, useLobby } from '../house.ts';
import { lazyScreen } from '../lazy.tsx';
import { Link } from './link.tsx';
import { Wordmark } from './mark.tsx';
import { SearchButton } from './search-button.tsx';
import styles from './shell.module.css';

interface Place {
  readonly label: string;
  readonly to: Route;
  readonly icon: ComponentChildren;
  readonly isHere: (route: Route) => boolean;
  /** At the end of the bar, as its icon alone. */
  readonly isAtEnd?: boolean;
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
    label: 'Collections',
    to: { screen: 'collections', kind: null },
    icon: <Layers aria-hidden="true" />,
    isHere: (route) => route.screen === 'collections' || route.screen === 'collection',
  },
  {
    label: 'Downloads',
    to: { screen: 'downloads' },
    icon: <Download aria-hidden="true" />,
    isHere: (route) => route.screen === 'downloads',
    isAtEnd: true,
  },
  {
    label: 'Settings',
    to: { screen: 'settings', section: null },
    icon: <Settings aria-hidden="true" />,
    isHere: (route) => route.screen === 'settings',
    isAtEnd: true,
  },
];

/** What waits there is told once the first screen is. */
const downloadsDot = lazyScreen(() => import('./downloads-watch.tsx').then((module) => module.DownloadsDot), {
  isQuiet: true,
});
const downloadsWords = lazyScreen(() => import('./downloads-watch.tsx').then((module) => module.DownloadsWords), {
  isQuiet: true,
});

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

/** How many movies wait for this person's word. Counted only for those who may give it, and after the first screen is there. */
function useReviewCount(): number {
  const cinema = useCinema();
  const { session } = useLobby();
  const mayEdit = session.may('movies:edit');
  const [counter, setCounter] = useState<ReviewCount | null>(null);
  useEffect(() => {
    if (!mayEdit) return;
    let isOver = false;
    void import('#client/store/review.ts').then(
      (module) => {
        if (isOver) return;
        setCounter(
          cinema.kept('reviewCount', '', () => new module.ReviewCount(cinema.server, cinema.link, cinema.library)),
        );
      },
      // The badge is a hint: the settings lead there too.
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [cinema, mayEdit]);
  return counter?.count.value ?? 0;
}

/** The frame around every screen but the player: where one is, and where one can go. A bar above, on phones a dock below. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const { navigation, session } = useLobby();
  const { health } = useCinema();
  const isScrolled = useScrolled();
  const route = navigation.route.value;
  const toReview = useReviewCount();
  const places = PLACES.filter(({ label }) => label !== 'Downloads' || session.may('movies:download'));
  const needsCare = health?.items.value?.some(({ severity }) => severity !== 'info') ?? false;

  const link = (place: Place, look: string | undefined) => (
    <Link to={place.to} class={look} aria-current={place.isHere(route) ? 'page' : undefined}>
      <span class={styles.icon}>
        {place.icon}
        {place.label === 'Settings' && needsCare && <span class={styles.dot} title="The server needs attention" />}
        {place.label === 'Downloads' && <downloadsDot.Screen class={styles.dot} />}
      </span>
      <span>{place.label}</span>
      {place.label === 'Downloads' && <downloadsWords.Screen />}
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
          {places
            .filter(({ isAtEnd }) => isAtEnd !== true)
            .map((place) => (
              <span key={place.label}>{link(place, styles.place)}</span>
            ))}
        </nav>
        <span class={styles.end}>
          {toReview > 0 && (
            <Link
              to={{ screen: 'review' }}
              class={styles.review}
              aria-current={route.screen === 'review' ? 'page' : undefined}
            >
              <ListChecks aria-hidden="true" />
              <span>Review</span>
              <span class={styles.badge}>
                {toReview > 999 ? '999+' : toReview}
                <span class="unseen"> to look at</span>
              </span>
            </Link>
          )}
          <SearchButton class={styles.search} />
          <span class={styles.atEnd}>
            {places
              .filter(({ isAtEnd }) => isAtEnd === true)
              .map((place) => (
                <span key={place.label} title={place.label}>
                  {link(place, classes(styles.place, styles.iconOnly))}
                </span>
              ))}
          </span>
        </span>
      </header>
      <main id="content" class={styles.content} tabIndex={-1} data-spatial>
        {children}
      </main>
      <nav class={styles.dock} aria-label="Main">
        {places.map((place) => (
          <span key={place.label}>{link(place, styles.dockPlace)}</span>
        ))}
      </nav>
    </>
  );
}
