import { Info, Play, Plus } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import type { MovieDetail } from '#client/store/movie.ts';
import { ALL_MOVIES, moviesWith } from '#client/store/navigation.ts';
import type { MovieQuery } from '#client/store/navigation.ts';
import type { Tile } from '#client/store/movie-list.ts';
import { failureText } from '../failure-text.ts';
import { useAwayFolder, useCinema, useLobby } from '../house.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Link } from '../parts/link.tsx';
import { Logo, MoviePicture } from '../parts/picture.tsx';
import { Row } from '../parts/row.tsx';
import { ShareLine } from '../parts/share-line.tsx';
import { Shelf } from '../parts/shelf.tsx';
import { StatePage, Waiting } from '../parts/state-page.tsx';
import { moviesCounted, seenShare } from '../parts/tile.tsx';
import { titleLogo } from '../picture-source.ts';
import { choosePicture } from '../transition.ts';
import { clockTime, hdrName, movieLength, resolutionName } from '../wording.ts';
import styles from './home.module.css';

/** One movie, as large as the room allows: what was being watched, or else what is new. */
function Marquee({ tile, isContinuing }: { readonly tile: Tile; readonly isContinuing: boolean }) {
  const { progress: progressStore, home } = useCinema();
  const progress = progressStore.of(tile.id, tile.progress);
  const share = seenShare(progress);
  const [about, setAbout] = useState<MovieDetail | null>(null);
  useEffect(() => {
    let isOver = false;
    home.about(tile.id).then(
      (movie) => {
        if (!isOver) setAbout(movie);
      },
      (error: unknown) => {
        // What the tile tells is enough to stand here.
        if (!isFailure(error)) throw error;
      },
    );
    return () => {
      isOver = true;
    };
  }, [tile.id, tile.title, tile.picture?.url]);
  const logo = about === null ? null : titleLogo(about);
  const line = about === null ? null : (about.tagline ?? about.overview);
  const facts = [
    tile.year,
    tile.durationMs === null ? null : movieLength(tile.durationMs),
    resolutionName(tile.resolution),
    tile.hdr === null ? null : hdrName(tile.hdr),
  ].filter((fact) => fact !== null);
  return (
    <section class={styles.marquee} aria-labelledby="marquee-title">
      <div class={styles.stage} aria-hidden="true">
        <span class={styles.picture} data-movie={tile.id}>
          <MoviePicture movie={{ ...tile, backdrop: about?.backdrop ?? null }} isEager isBackdrop />
        </span>
      </div>
      <div class={styles.words}>
        <p class={styles.kicker}>{isContinuing ? 'Where you left off' : 'New in the house'}</p>
        <h1 id="marquee-title" class={styles.title} data-logo={logo !== null} dir="auto">
          {logo === null ? tile.title : <Logo logo={logo} title={tile.title} />}
        </h1>
        <p class={styles.facts}>
          {facts.map((fact) => (
            <span key={fact}>{fact}</span>
          ))}
        </p>
        {line !== null && line !== '' && (
          <p class={styles.teaser} dir="auto">
            {line}
          </p>
        )}
        {share !== null && progress !== null && (
          <div class={styles.seen}>
            <ShareLine share={share} class={styles.line} />
            <span>{movieLength(progress.durationMs - progress.positionMs)} left</span>
          </div>
        )}
        <div class={styles.actions} data-spatial>
          <ButtonLink
            look="bright"
            to={{ screen: 'play', movieId: tile.id, fileId: null, isFromStart: false }}
            icon={<Play aria-hidden="true" fill="currentColor" />}
            data-spatial-start=""
          >
            {share !== null && progress !== null ? `Resume at ${clockTime(progress.positionMs)}` : 'Play'}
          </ButtonLink>
          <ButtonLink
            to={{ screen: 'movie', movieId: tile.id }}
            icon={<Info aria-hidden="true" />}
            onClick={() => choosePicture(document.querySelector<HTMLElement>(`.${styles.picture!}`))}
          >
            About
          </ButtonLink>
        </div>
      </div>
    </section>
  );
}

function EmptyHouse() {
  const { session } = useLobby();
  const { library } = useCinema();
  const away = useAwayFolder();
  const scanning = (library.libraries.value ?? []).some(({ scan }) => scan !== null);
  if (scanning) {
    return (
      <StatePage title="The first reels are on their way">
        <p>Your folders are being looked through. Movies appear here as they are found.</p>
      </StatePage>
    );
  }
  const hasLibraries = (library.libraries.value ?? []).length > 0;
  if (away !== null) {
    return (
      <StatePage
        title="A folder can’t be used"
        actions={
          <ButtonLink look="bright" to={{ screen: 'settings', section: 'libraries' }}>
            Look at the libraries
          </ButtonLink>
        }
      >
        <p>{away.title}</p>
        <p>{away.action}</p>
      </StatePage>
    );
  }
  return session.may('libraries:manage') ? (
    <StatePage
      title={hasLibraries ? 'No movies found' : 'The house is empty'}
      actions={
        hasLibraries ? (
          <ButtonLink look="bright" to={{ screen: 'settings', section: 'libraries' }}>
            Look at the libraries
          </ButtonLink>
        ) : (
          <ButtonLink look="bright" to={{ screen: 'welcome' }} icon={<Plus aria-hidden="true" />}>
            Add a folder of movies
          </ButtonLink>
        )
      }
    >
      <p>
        {hasLibraries
          ? 'No movie was found in the folders. The libraries page says what was met instead.'
          : 'Tell Matinee where your movies are, and the show can begin.'}
      </p>
    </StatePage>
  ) : (
    <StatePage title="Nothing is showing yet">
      <p>No movies have been added. The person who runs this server can add a folder.</p>
    </StatePage>
  );
}

function Decades({ decades }: { readonly decades: readonly { readonly year: number; readonly count: number }[] }) {
  return (
    <Row title="Through the decades" shape="wide" length={decades.length}>
      {decades.map(({ year, count: amount }) => (
        <li key={year}>
          <Link
            to={moviesWith({ yearFrom: year, yearTo: year + 9 })}
            class={styles.decade}
            style={{ '--tone': String((year * 3.7) % 360) }}
          >
            <span>{year}s</span>
            <small>{moviesCounted(amount)}</small>
          </Link>
        </li>
      ))}
    </Row>
  );
}

/** Where a row goes on: the grid, ordered as the row is. */
function All({ query }: { readonly query: MovieQuery }) {
  return (
    <Link to={{ screen: 'movies', query }} class={styles.rest}>
      See all
    </Link>
  );
}

/** Below everything, for the one who can do something about it: why there are no posters yet. */
function NoKey() {
  const { health } = useCinema();
  const item = health?.items.value?.find(({ id, severity }) => id === 'tmdb' && severity === 'info');
  if (item === undefined) return null;
  return (
    <p class={styles.noKey} data-spatial>
      <span>With a free key for TMDB your movies get their posters, casts and collections.</span>
      <ButtonLink to={{ screen: 'settings', section: 'metadata' }}>Add a key</ButtonLink>
    </p>
  );
}

export function HomeScreen() {
  const { home, library } = useCinema();
  const rows = home.rows.value;
  const failure = home.failure.value;
  if (rows === null) {
    return failure === null ? (
      <>
        <h1 class="unseen">Matinee</h1>
        <Waiting />
      </>
    ) : (
      <StatePage title="The foyer is closed" actions={<Button onClick={() => home.retry()}>Try again</Button>}>
        <p>{failureText(failure)}</p>
      </StatePage>
    );
  }
  if (rows.continueWatching.length + rows.recentlyAdded.length === 0) return <EmptyHouse />;
  const featured =
    rows.continueWatching[0] ??
    rows.recentlyAdded.find((tile) => tile.isPlayable && tile.poster !== null) ??
    rows.recentlyAdded.find((tile) => tile.isPlayable);
  const total = library.movieCount.value ?? rows.movieCount;
  return (
    <>
      {featured === undefined ? (
        <h1 class="unseen">Matinee</h1>
      ) : (
        <Marquee key={featured.id} tile={featured} isContinuing={featured === rows.continueWatching[0]} />
      )}
      {rows.continueWatching.length > 0 && (
        <Shelf title="Continue watching" tiles={rows.continueWatching} isContinuing />
      )}
      {rows.recentlyAdded.length > 0 && (
        <Shelf
          title="Recently added"
          tiles={rows.recentlyAdded}
          aside={<All query={{ ...ALL_MOVIES, sort: 'added' }} />}
        />
      )}
      {rows.topRated.length > 2 && (
        <Shelf title="Top rated" tiles={rows.topRated} aside={<All query={{ ...ALL_MOVIES, sort: 'rating' }} />} />
      )}
      {rows.random.length > 2 && <Shelf title="Why not tonight" tiles={rows.random} />}
      {rows.decades.length > 1 && <Decades decades={rows.decades} />}
      <NoKey />
      <p class={styles.all} data-spatial>
        <Link to={{ screen: 'movies', query: ALL_MOVIES }}>All {moviesCounted(total)}</Link>
      </p>
    </>
  );
}
