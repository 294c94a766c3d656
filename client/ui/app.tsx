import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { Cinema } from '#client/store/cinema.ts';
import type { Route } from '#client/store/navigation.ts';
import type { Link, Memory, Server } from '#client/store/ports.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import { failureText } from './failure-text.ts';
import { CinemaContext, LobbyContext, useLobby } from './house.ts';
import type { Lobby } from './house.ts';
import { lazyScreen } from './lazy.tsx';
import { Button, ButtonLink } from './parts/button.tsx';
import { LineBanner } from './parts/line-banner.tsx';
import { NoticeStack } from './parts/notices.tsx';
import { Shell } from './parts/shell.tsx';
import { StatePage, Waiting } from './parts/state-page.tsx';
import { HomeScreen } from './screens/home.tsx';

const movies = lazyScreen(() => import('./screens/movies.tsx').then((module) => module.MoviesScreen));
const movie = lazyScreen(() => import('./screens/movie.tsx').then((module) => module.MovieScreen));
/** Nothing of another screen is wanted before this one is there. */
const remoteBar = lazyScreen(() => import('./parts/remote-bar.tsx').then((module) => module.RemoteBar), {
  isQuiet: true,
});
const lessonsWatch = lazyScreen(() => import('./parts/lessons-watch.tsx').then((module) => module.LessonsWatch), {
  isQuiet: true,
});
const player = lazyScreen(() =>
  import('./screens/player/player.tsx').then(({ PlayerScreen, prepare }) => {
    prepare();
    return PlayerScreen;
  }),
);
const person = lazyScreen(() => import('./screens/person.tsx').then((module) => module.PersonScreen));
const collections = lazyScreen(() => import('./screens/collections.tsx').then((module) => module.CollectionsScreen));
const collection = lazyScreen(() => import('./screens/collection.tsx').then((module) => module.CollectionScreen));
const review = lazyScreen(() => import('./screens/review.tsx').then((module) => module.ReviewScreen));
const downloads = lazyScreen(() => import('./screens/downloads.tsx').then((module) => module.DownloadsScreen));
/** Nobody has a copy made before this one is there. */
const downloadsWatch = lazyScreen(() => import('./parts/downloads-watch.tsx').then((module) => module.DownloadsWatch), {
  isQuiet: true,
});
const search = lazyScreen(() => import('./screens/search.tsx').then((module) => module.SearchScreen));
const settings = lazyScreen(() => import('./screens/settings/settings.tsx').then((module) => module.SettingsScreen));
const welcome = lazyScreen(() => import('./screens/welcome.tsx').then((module) => module.WelcomeScreen));
const claim = lazyScreen(() => import('./screens/claim.tsx').then((module) => module.ClaimScreen));
const signIn = lazyScreen(() => import('./screens/sign-in.tsx').then((module) => module.SignInScreen));

/** Screens that come in parts of their own. Home is not among them: it is what most people see first. */
const LAZY: Readonly<Partial<Record<Route['screen'], { preload(): void }>>> = {
  movies,
  movie,
  play: player,
  person,
  collections,
  collection,
  review,
  downloads,
  search,
  settings,
  welcome,
};

const TITLES: Readonly<Record<Route['screen'], string>> = {
  home: 'Matinee',
  welcome: 'Welcome · Matinee',
  movies: 'Movies · Matinee',
  search: 'Search · Matinee',
  movie: 'Movie · Matinee',
  play: 'Playing · Matinee',
  person: 'Person · Matinee',
  collections: 'Collections · Matinee',
  collection: 'Collection · Matinee',
  review: 'Review · Matinee',
  downloads: 'Downloads · Matinee',
  settings: 'Settings · Matinee',
  notFound: 'Not found · Matinee',
};

function NotFound() {
  return (
    <StatePage
      title="No such seat"
      actions={
        <ButtonLink look="bright" to={{ screen: 'home' }}>
          Back to the house
        </ButtonLink>
      }
    >
      <p>This address leads nowhere. It may have been mistyped, or what it showed is gone.</p>
    </StatePage>
  );
}

function Screens() {
  const { navigation } = useLobby();
  const route = navigation.route.value;
  const isFirst = useRef(true);

  // A new screen begins at its top and is announced; coming back begins where it was left.
  const place =
    route.screen === 'movie' || route.screen === 'play'
      ? `${route.screen} ${route.movieId}`
      : route.screen === 'person'
        ? route.personId
        : route.screen === 'collection'
          ? route.collectionId
          : route.screen;
  useLayoutEffect(() => {
    document.title = TITLES[route.screen];
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    window.scrollTo(0, navigation.scrollTarget);
    if (document.activeElement === document.body || document.activeElement?.closest('main') != null) {
      document.getElementById('content')?.focus({ preventScroll: true });
    }
  }, [place]);

  switch (route.screen) {
    case 'play':
      return <player.Screen route={route} />;
    case 'welcome':
      return <welcome.Screen />;
    case 'home':
      return (
        <Shell>
          <HomeScreen />
        </Shell>
      );
    case 'movies':
      return (
        <Shell>
          <movies.Screen query={route.query} />
        </Shell>
      );
    case 'search':
      return (
        <Shell>
          <search.Screen query={route.query} />
        </Shell>
      );
    case 'movie':
      return (
        <Shell>
          <movie.Screen key={route.movieId} movieId={route.movieId} />
        </Shell>
      );
    case 'settings':
      return (
        <Shell>
          <settings.Screen section={route.section} />
        </Shell>
      );
    case 'review':
      return (
        <Shell>
          <review.Screen />
        </Shell>
      );
    case 'downloads':
      return (
        <Shell>
          <downloads.Screen />
        </Shell>
      );
    case 'person':
      return (
        <Shell>
          <person.Screen key={route.personId} personId={route.personId} />
        </Shell>
      );
    case 'collections':
      return (
        <Shell>
          <collections.Screen kind={route.kind} />
        </Shell>
      );
    case 'collection':
      return (
        <Shell>
          <collection.Screen key={route.collectionId} collectionId={route.collectionId} />
        </Shell>
      );
    case 'notFound':
      return (
        <Shell>
          <NotFound />
        </Shell>
      );
  }
}

interface House {
  readonly server: Server;
  readonly link: Link;
  readonly memory: Memory;
}

function SignedIn({ house, viewer }: { readonly house: House; readonly viewer: Viewer }) {
  const cinema = useMemo(() => new Cinema(house.server, house.link, house.memory, viewer), [viewer.id]);
  useEffect(() => () => cinema.dispose(), [cinema]);

  useEffect(() => {
    // Nobody presses an arrow key before the first screen is there.
    const stops: (() => void)[] = [];
    let isOver = false;
    void Promise.all([import('./spatial.ts'), import('./gamepad.ts')]).then(
      ([{ enableSpatialKeys }, { enableGamepads }]) => {
        if (!isOver) stops.push(enableSpatialKeys(), enableGamepads());
      },
      // Without it the keys do what they do on any page.
      () => undefined,
    );
    return () => {
      isOver = true;
      for (const stop of stops) stop();
    };
  }, []);

  return (
    <CinemaContext.Provider value={cinema}>
      <Screens />
      <remoteBar.Screen />
      <lessonsWatch.Screen />
      {viewer.permissions.includes('movies:download') && <downloadsWatch.Screen />}
    </CinemaContext.Provider>
  );
}

/** Closed lines that a person must do something about. `null` while the line is up, or mends itself. */
function ClosedLine() {
  const { link } = useLobby();
  const reload = (
    <Button look="bright" onClick={() => location.reload()}>
      Reload the page
    </Button>
  );
  switch (link.state.value.kind) {
    case 'outdated':
      return (
        <StatePage title="There is a newer Matinee" isWhole actions={reload}>
          <p>The server was updated while this page was open. Reload it to get the matching version.</p>
        </StatePage>
      );
    case 'refused':
      return (
        <StatePage title="The line was closed" isWhole actions={reload}>
          <p>
            The server could not make sense of what this page sent. Reload it; if that does not help, the server’s log
            says more.
          </p>
        </StatePage>
      );
    case 'closed':
    case 'connecting':
    case 'live':
    case 'lost':
    case 'signedOut':
      return null;
  }
}

function Entrance({ house }: { readonly house: House }) {
  const { session } = useLobby();
  const state = session.state.value;
  const closed = ClosedLine();
  if (closed !== null) return closed;
  switch (state.kind) {
    case 'starting':
      return <Waiting label="Finding the server" />;
    case 'unreachable':
      return (
        <StatePage
          title="Nobody at the door"
          isWhole
          actions={
            <Button look="bright" onClick={() => void session.start()}>
              Try now
            </Button>
          }
        >
          <p>{failureText(state.failure)}</p>
          <p>If it was just started, give it a moment.</p>
        </StatePage>
      );
    case 'unclaimed':
      return <claim.Screen />;
    case 'signedOut':
      return <signIn.Screen hasEnded={state.hasEnded} />;
    case 'signedIn':
      return (
        <>
          <SignedIn house={house} viewer={state.viewer} />
          <LineBanner />
        </>
      );
  }
}

interface Props {
  readonly lobby: Omit<Lobby, 'prepare'>;
  readonly house: House;
}

export function App({ lobby, house }: Props) {
  const whole = useMemo<Lobby>(() => ({ ...lobby, prepare: ({ screen }) => LAZY[screen]?.preload() }), [lobby]);
  return (
    <LobbyContext.Provider value={whole}>
      <Entrance house={house} />
      <NoticeStack />
    </LobbyContext.Provider>
  );
}
