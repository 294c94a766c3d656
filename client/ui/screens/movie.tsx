import { Check, CircleQuestionMark, Download, ExternalLink, Play, RotateCcw, Star, TriangleAlert } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ALL_MOVIES, moviesWith } from '#client/store/navigation.ts';
import { MovieStore } from '#client/store/movie.ts';
import type { MovieDetail, MovieFileDetail } from '#client/store/movie.ts';
import { SimilarStore } from '#client/store/similar.ts';
import { failureText } from '../failure-text.ts';
import { useAttempt, useCinema, useLobby } from '../house.ts';
import { whenIdle } from '../idle.ts';
import { mediaFailureText } from '../media-text.ts';
import { lazyScreen } from '../lazy.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Link } from '../parts/link.tsx';
import { Logo, MoviePicture, Poster } from '../parts/picture.tsx';
import { ShareLine } from '../parts/share-line.tsx';
import { Shelf } from '../parts/shelf.tsx';
import { StatePage } from '../parts/state-page.tsx';
import { seenShare } from '../parts/tile.tsx';
import { titleLogo } from '../picture-source.ts';
import {
  audioTrackName,
  channelsName,
  clockTime,
  count,
  dayOf,
  hdrName,
  languageName,
  movieLength,
  resolutionName,
  timeOfDay,
} from '../wording.ts';
import { Extras, Files } from './movie/files.tsx';
import { MovieMenu } from './movie/menu.tsx';
import { Credits, Faces } from './movie/people.tsx';
import styles from './movie.module.css';

const downloadDialog = lazyScreen(() => import('./movie/download.tsx').then((module) => module.DownloadDialog), {
  isQuiet: true,
});

/** The best of the movie's own files; an extra is not the movie. */
function bestFile(movie: MovieDetail): MovieFileDetail | null {
  const own = movie.files.filter(({ extra }) => extra === null);
  return own.find((file) => file.state === 'playable') ?? own[0] ?? null;
}

function Facts({ movie }: { readonly movie: MovieDetail }) {
  const audio = bestFile(movie)?.media?.audio ?? [];
  const most = Math.max(0, ...audio.map(({ channels }) => channels));
  const facts = [
    movie.year,
    movie.durationMs === null ? null : movieLength(movie.durationMs),
    resolutionName(movie.resolution),
    movie.hdr === null ? null : hdrName(movie.hdr),
    most > 0 ? channelsName(most) : null,
  ].filter((fact) => fact !== null);
  return (
    <p class={styles.facts}>
      {movie.certification !== null && (
        <span class={styles.certification}>
          <span class="unseen">Certified </span>
          {movie.certification}
        </span>
      )}
      {facts.map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
    </p>
  );
}

const RATING_SOURCES: Readonly<Record<string, string>> = {
  tmdb: 'TMDB',
  imdb: 'IMDb',
  metacritic: 'Metacritic',
  rottenTomatoes: 'Rotten Tomatoes',
};

function Ratings({ movie }: { readonly movie: MovieDetail }) {
  if (movie.ratings.length === 0) return null;
  return (
    <ul class={styles.ratings} aria-label="Ratings">
      {movie.ratings.map(({ source, value, votes }) => (
        <li key={source} title={votes === null ? undefined : `${count(votes)} votes`}>
          <Star aria-hidden="true" fill="currentColor" />
          <strong>{value.toFixed(1)}</strong> {RATING_SOURCES[source] ?? source}
        </li>
      ))}
    </ul>
  );
}

/** Sound, subtitles, and what else somebody may want to know of a movie. */
function About({ movie }: { readonly movie: MovieDetail }) {
  const media = bestFile(movie)?.media ?? null;
  const sidecars = bestFile(movie)?.sidecars ?? [];
  const subtitles = [
    ...new Set(
      [...(media?.subtitles ?? []), ...sidecars].map((track) => languageName(track.language) ?? 'Unknown language'),
    ),
  ];
  const audio = [...new Set((media?.audio ?? []).map((track) => audioTrackName(track)))];
  const rows: readonly (readonly [string, readonly string[]])[] = [
    [
      'Original title',
      movie.originalTitle === null || movie.originalTitle === movie.title ? [] : [movie.originalTitle],
    ],
    ['Released', movie.releaseDate === null ? [] : [dayOf(Date.parse(`${movie.releaseDate}T12:00:00`))]],
    ['Language', [languageName(movie.originalLanguage)].filter((name) => name !== null)],
    ['Sound', media === null ? [] : audio.length === 0 ? ['None'] : audio],
    ['Subtitles', media === null ? [] : [subtitles.length === 0 ? 'None' : subtitles.join(', ')]],
    ['Chapters', media !== null && media.chapters.length > 1 ? [String(media.chapters.length)] : []],
  ];
  const terms = [
    { label: 'Studios', of: movie.studios, property: 'studioIds' },
    { label: 'Countries', of: movie.countries, property: 'countryIds' },
    { label: 'Keywords', of: movie.keywords.slice(0, 20), property: 'keywordIds' },
    { label: 'Tags', of: movie.tags, property: 'tagIds' },
  ] as const;
  // A file that can't be read says nothing.
  if (rows.every(([, words]) => words.length === 0) && terms.every(({ of }) => of.length === 0)) return null;
  return (
    <section aria-labelledby="about">
      <h2 id="about">About</h2>
      <dl class={styles.about} data-spatial>
        {rows.map(
          ([label, words]) =>
            words.length > 0 && (
              <div key={label}>
                <dt>{label}</dt>
                <dd>
                  {words.map((word) => (
                    <span key={word} dir="auto">
                      {word}
                    </span>
                  ))}
                </dd>
              </div>
            ),
        )}
        {terms.map(
          ({ label, of, property }) =>
            of.length > 0 && (
              <div key={label}>
                <dt>{label}</dt>
                <dd class={styles.terms}>
                  {of.map(({ id, name }) => (
                    <Link key={id} to={moviesWith({ [property]: [id] })}>
                      <bdi>{name}</bdi>
                    </Link>
                  ))}
                </dd>
              </div>
            ),
        )}
      </dl>
    </section>
  );
}

interface PageProps {
  readonly movie: MovieDetail;
  readonly carried: ReturnType<ReturnType<typeof useCinema>['progress']['of']>;
}

function MoviePage({ movie, carried }: PageProps) {
  const cinema = useCinema();
  const { progress: progressStore } = cinema;
  const attempt = useAttempt();
  const { session, prepare } = useLobby();
  const mayEdit = session.may('movies:edit');
  const [isDownloading, setDownloading] = useState(false);
  // Also what can't be played may be wanted elsewhere.
  const mayDownload =
    session.may('movies:download') && movie.files.some(({ extra, state }) => extra === null && state !== 'missing');
  // Taken for another movie, it is like others.
  const similar = useMemo(
    () => new SimilarStore(cinema.server, cinema.link, movie.id),
    [cinema, movie.id, movie.match.state],
  );
  useEffect(() => () => similar.dispose(), [similar]);
  useEffect(() => {
    document.title = `${movie.title} · Matinee`;
  }, [movie.title]);
  // Whoever opens a movie's page is about to play it, and a finger or a remote control points at nothing before it presses.
  useEffect(
    () =>
      movie.isPlayable
        ? whenIdle(() => prepare({ screen: 'play', movieId: movie.id, fileId: null, isFromStart: false }))
        : undefined,
    [movie.id, movie.isPlayable, prepare],
  );
  const progress = progressStore.of(movie.id, carried);
  const share = seenShare(progress);
  const isWatched = progress?.isWatched ?? false;
  const file = bestFile(movie);
  const logo = titleLogo(movie);
  const leftMs = movie.durationMs === null ? null : movie.durationMs - (progress?.positionMs ?? 0);

  return (
    <article>
      <div class={styles.backdrop} aria-hidden="true">
        <span class={styles.picture}>
          <MoviePicture movie={movie} isEager isBackdrop />
        </span>
      </div>
      <div class={styles.top}>
        <span class={styles.poster} aria-hidden="true">
          <Poster movie={movie} isEager sizes="(min-width: 62rem) 17rem, 30vw" />
        </span>
        <div class={styles.words}>
          <h1 class={styles.title} data-logo={logo !== null} dir="auto">
            {logo !== null && <Logo logo={logo} />}
            <span>{movie.title}</span>
          </h1>
          {movie.tagline !== null && movie.tagline !== '' && (
            <p class={styles.tagline} dir="auto">
              {movie.tagline}
            </p>
          )}
          <Facts movie={movie} />
          <Ratings movie={movie} />
          {share !== null && progress !== null && (
            <p class={styles.seen}>
              <ShareLine share={share} class={styles.line} />
              {movieLength(progress.durationMs - progress.positionMs)} left
            </p>
          )}
          <div class={styles.actions} data-spatial>
            {movie.isPlayable && (
              <>
                <ButtonLink
                  look="bright"
                  to={{ screen: 'play', movieId: movie.id, fileId: null, isFromStart: false }}
                  icon={<Play aria-hidden="true" fill="currentColor" />}
                  data-spatial-start=""
                >
                  {share !== null && progress !== null ? `Resume at ${clockTime(progress.positionMs)}` : 'Play'}
                </ButtonLink>
                {share !== null && (
                  <ButtonLink
                    to={{ screen: 'play', movieId: movie.id, fileId: null, isFromStart: true }}
                    icon={<RotateCcw aria-hidden="true" />}
                  >
                    From the beginning
                  </ButtonLink>
                )}
                <Button
                  aria-pressed={isWatched}
                  icon={<Check aria-hidden="true" />}
                  class={isWatched ? styles.watched : undefined}
                  onClick={() => void attempt(() => progressStore.setWatched(movie.id, !isWatched))}
                >
                  {isWatched ? 'Watched' : 'Mark as watched'}
                </Button>
              </>
            )}
            {mayDownload && (
              <Button
                aria-haspopup="dialog"
                icon={<Download aria-hidden="true" />}
                onClick={() => setDownloading(true)}
              >
                Download
              </Button>
            )}
            {movie.trailerUrl !== null && (
              <a class={styles.trailer} href={movie.trailerUrl} target="_blank" rel="noopener noreferrer">
                <ExternalLink aria-hidden="true" />
                <span>
                  Trailer
                  <span class="unseen">, opens {siteOf(movie.trailerUrl)} in a new tab</span>
                  <small aria-hidden="true"> on {siteOf(movie.trailerUrl)}</small>
                </span>
              </a>
            )}
            <MovieMenu movie={movie} />
            {isDownloading && <downloadDialog.Screen movie={movie} onClose={() => setDownloading(false)} />}
          </div>
          {movie.isPlayable && leftMs !== null && (
            <p class={styles.ends}>Would end at {timeOfDay(Date.now() + leftMs)}</p>
          )}
          {!movie.isPlayable && (
            <div class={styles.unplayable} role="note">
              <TriangleAlert aria-hidden="true" />
              <p>
                <strong>This movie can’t be played.</strong>{' '}
                {file === null
                  ? 'It has no file any more.'
                  : `${movie.files.length > 1 ? 'Its best file' : 'Its file'} ${mediaFailureText(file.state === 'missing' ? 'missing' : file.failure)}`}
              </p>
            </div>
          )}
          {mayEdit && movie.isPlayable && (movie.match.state === 'unmatched' || movie.match.state === 'doubtful') && (
            <p class={styles.doubt}>
              <CircleQuestionMark aria-hidden="true" />
              <span>
                {movie.match.state === 'doubtful'
                  ? 'Matinee is not sure which movie this is.'
                  : 'Matinee does not know which movie this is.'}{' '}
                <Link to={{ screen: 'review' }}>Review</Link>
              </span>
            </p>
          )}
          {movie.isHidden && (
            <p class={styles.hidden} data-spatial>
              This movie is put away: it is in no list.{' '}
              {mayEdit && <Link to={moviesWith({ isHidden: true })}>All that is put away</Link>}
            </p>
          )}
          {movie.overview !== null && movie.overview !== '' && (
            <p class={styles.overview} dir="auto">
              {movie.overview}
            </p>
          )}
          {movie.genres.length > 0 && (
            <ul class={styles.genres} aria-label="Genres" data-spatial>
              {movie.genres.map(({ id, name }) => (
                <li key={id}>
                  <Link to={moviesWith({ genreIds: [id] })}>{name}</Link>
                </li>
              ))}
            </ul>
          )}
          <Credits movie={movie} />
          {movie.collections.length > 0 && (
            <p class={styles.collections} data-spatial>
              Part of{' '}
              {movie.collections.map(({ id, name }, index) => (
                <span key={id}>
                  {index > 0 && ', '}
                  <Link to={{ screen: 'collection', collectionId: id }}>
                    <bdi>{name}</bdi>
                  </Link>
                </span>
              ))}
            </p>
          )}
        </div>
      </div>
      <Faces movie={movie} />
      {similar.tiles.value.length > 0 && <Shelf title="More like this" tiles={similar.tiles.value} />}
      <div class={styles.below}>
        <Extras movie={movie} />
        <Files movie={movie} />
        <About movie={movie} />
      </div>
    </article>
  );
}

/** `youtube.com` */
function siteOf(url: string): string {
  try {
    return new URL(url).hostname.replace(/^www\./, '');
  } catch {
    return 'another site';
  }
}

/** The shape of the page before the movie is known. */
function MoviePlaceholder() {
  return (
    <div class={styles.top} role="status">
      <span class="unseen">Loading</span>
      <span class={styles.poster} data-blank />
      <span class={styles.blankWords} aria-hidden="true">
        <span />
        <span />
        <span />
      </span>
    </div>
  );
}

export function MovieScreen({ movieId }: { readonly movieId: string }) {
  const cinema = useCinema();
  const { navigation } = useLobby();
  const store = useMemo(() => new MovieStore(cinema.server, cinema.link, movieId), [cinema, movieId]);
  useEffect(() => () => store.dispose(), [store]);
  const movie = store.movie.value;
  const failure = store.failure.value;
  const movedTo = store.movedTo.value;
  useEffect(() => {
    if (movedTo !== null) navigation.go({ screen: 'movie', movieId: movedTo }, { replace: true });
  }, [movedTo]);

  if (store.isGone.value) {
    return (
      <StatePage
        title="Not in the programme"
        actions={
          <Button look="bright" onClick={() => navigation.back({ screen: 'movies', query: ALL_MOVIES })}>
            Back
          </Button>
        }
      >
        <p>This movie is not here any more. Its file may have been moved or removed.</p>
      </StatePage>
    );
  }
  if (movie === null) {
    if (failure === null) return <MoviePlaceholder />;
    return (
      <StatePage title="This page can’t be shown">
        <p>{failureText(failure)}</p>
      </StatePage>
    );
  }
  return <MoviePage movie={movie} carried={store.progress.value} />;
}
