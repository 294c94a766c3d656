import { Check, ChevronDown, Play, RotateCcw, TriangleAlert } from 'lucide-preact';
import { useEffect, useMemo } from 'preact/hooks';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { MovieDetail, MovieFileDetail } from '#client/store/movie.ts';
import type { VideoTrack } from '#protocol/schema/media.ts';
import { failureText, mediaFailureText } from '../failure-text.ts';
import { useAttempt, useCinema, useLobby } from '../house.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { MoviePicture } from '../parts/picture.tsx';
import { StatePage, Waiting } from '../parts/state-page.tsx';
import { seenShare } from '../parts/tile.tsx';
import {
  audioTrackName,
  bitrate,
  channelsName,
  clockTime,
  codecName,
  containerName,
  dayOf,
  fileSize,
  hdrName,
  languageName,
  movieLength,
  resolutionName,
  timeOfDay,
} from '../wording.ts';
import styles from './movie.module.css';

function bestFile(movie: MovieDetail): MovieFileDetail | null {
  return movie.files.find((file) => file.state === 'playable') ?? movie.files[0] ?? null;
}

function videoName(track: VideoTrack): string {
  const rate = track.frameRate === null ? null : track.frameRate.num / track.frameRate.den;
  return [
    `${codecName(track.codec)}${track.profile === null ? '' : ` ${track.profile}`}`,
    `${track.width} × ${track.height}`,
    rate === null ? null : `${Number(rate.toFixed(3))} frames a second${track.isVariableFrameRate ? ', varying' : ''}`,
    track.bitDepth === null ? null : `${track.bitDepth} bit`,
    track.hdr === null
      ? null
      : `${hdrName(track.hdr)}${track.dolbyVision === null ? '' : ` profile ${track.dolbyVision.profile}`}`,
    track.isInterlaced ? 'interlaced' : null,
  ]
    .filter((part) => part !== null)
    .join(' · ');
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
      {facts.map((fact) => (
        <span key={fact}>{fact}</span>
      ))}
    </p>
  );
}

function Languages({ movie }: { readonly movie: MovieDetail }) {
  const media = bestFile(movie)?.media;
  if (media == null) return null;
  const subtitles = [...new Set(media.subtitles.map((track) => languageName(track.language) ?? 'Unknown language'))];
  const audio = [...new Set(media.audio.map((track) => audioTrackName(track)))];
  return (
    <dl class={styles.languages}>
      <div>
        <dt>Sound</dt>
        <dd>
          {audio.length === 0
            ? 'None'
            : audio.map((name) => (
                <span key={name} dir="auto">
                  {name}
                </span>
              ))}
        </dd>
      </div>
      <div>
        <dt>Subtitles</dt>
        <dd>{subtitles.length === 0 ? 'None' : subtitles.join(', ')}</dd>
      </div>
      {media.chapters.length > 1 && (
        <div>
          <dt>Chapters</dt>
          <dd>{media.chapters.length}</dd>
        </div>
      )}
    </dl>
  );
}

function FileRow({
  file,
  movie,
  isOnly,
}: {
  readonly file: MovieFileDetail;
  readonly movie: MovieDetail;
  readonly isOnly: boolean;
}) {
  const { library } = useCinema();
  const { session, notices } = useLobby();
  const attempt = useAttempt();
  const { media } = file;
  const video = media?.video[0];
  const shortSide = video === undefined ? null : resolutionName(Math.min(video.width, video.height));
  const reason = file.state === 'missing' ? 'missing' : file.state === 'unplayable' ? file.failure : null;
  return (
    <li class={styles.file}>
      <details>
        <summary>
          <ChevronDown class={styles.chevron} aria-hidden="true" />
          <span class={styles.fileName} dir="auto">
            {file.name}
          </span>
          <span class={styles.fileFacts}>
            {[shortSide, file.container === null ? null : containerName(file.container), fileSize(file.sizeBytes)]
              .filter((part) => part !== null)
              .join(' · ')}
          </span>
        </summary>
        <dl class={styles.details}>
          {file.path !== null && (
            <div>
              <dt>Path</dt>
              <dd>
                <code dir="auto">{file.path}</code>
              </dd>
            </div>
          )}
          {media !== null && (
            <>
              {media.video.map((track) => (
                <div key={track.index}>
                  <dt>Picture</dt>
                  <dd>{videoName(track)}</dd>
                </div>
              ))}
              {media.audio.map((track) => (
                <div key={track.index}>
                  <dt>Sound</dt>
                  <dd dir="auto">
                    {audioTrackName(track)}
                    {track.disposition.default && ' · default'}
                  </dd>
                </div>
              ))}
              {media.subtitles.map((track) => (
                <div key={track.index}>
                  <dt>Subtitles</dt>
                  <dd dir="auto">
                    {[
                      languageName(track.language) ?? 'Unknown language',
                      codecName(track.codec),
                      track.disposition.forced ? 'forced' : null,
                      track.disposition.hearingImpaired ? 'for the hard of hearing' : null,
                      track.title,
                    ]
                      .filter((part) => part !== null)
                      .join(' · ')}
                  </dd>
                </div>
              ))}
              {media.bitrateBps !== null && (
                <div>
                  <dt>Bitrate</dt>
                  <dd>{bitrate(media.bitrateBps)}</dd>
                </div>
              )}
            </>
          )}
          <div>
            <dt>Added</dt>
            <dd>{dayOf(file.addedAt)}</dd>
          </div>
        </dl>
      </details>
      {reason !== null && (
        <p class={styles.trouble}>
          <TriangleAlert aria-hidden="true" />
          <span>This file {mediaFailureText(reason)}</span>
          {session.may('libraries:manage') && file.state === 'unplayable' && (
            <Button
              onClick={() =>
                void attempt(async () => {
                  const result = await library.retryFile(file.id);
                  notices.show(
                    result.isPlayable
                      ? `${file.name} can be played now.`
                      : `${file.name} ${mediaFailureText(result.failure)}`,
                    result.isPlayable ? 'plain' : 'bad',
                  );
                })
              }
            >
              Try again
            </Button>
          )}
        </p>
      )}
      {!isOnly && file.state === 'playable' && (
        <ButtonLink
          look="quiet"
          to={{ screen: 'play', movieId: movie.id, fileId: file.id, isFromStart: false }}
          icon={<Play aria-hidden="true" />}
        >
          Play this file
        </ButtonLink>
      )}
    </li>
  );
}

function MoviePage({
  movie,
  carried,
}: {
  readonly movie: MovieDetail;
  readonly carried: ReturnType<ReturnType<typeof useCinema>['progress']['of']>;
}) {
  const { progress: progressStore } = useCinema();
  const attempt = useAttempt();
  const progress = progressStore.of(movie.id, carried);
  const share = seenShare(progress);
  const isWatched = progress?.isWatched ?? false;
  const file = bestFile(movie);
  const leftMs = movie.durationMs === null ? null : movie.durationMs - (progress?.positionMs ?? 0);

  return (
    <article>
      <div class={styles.backdrop} aria-hidden="true">
        <span class={styles.picture}>
          <MoviePicture movie={movie} isEager isBackdrop />
        </span>
      </div>
      <div class={styles.top}>
        <h1 class={styles.title} dir="auto">
          {movie.title}
        </h1>
        <Facts movie={movie} />
        {share !== null && progress !== null && (
          <p class={styles.seen}>
            <span class={styles.line} aria-hidden="true">
              <span style={{ inlineSize: `${(share * 100).toFixed(1)}%` }} />
            </span>
            {movieLength(progress.durationMs - progress.positionMs)} left
          </p>
        )}
        {movie.isPlayable ? (
          <>
            <div class={styles.actions} data-spatial>
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
            </div>
            {leftMs !== null && <p class={styles.ends}>Would end at {timeOfDay(Date.now() + leftMs)}</p>}
          </>
        ) : (
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
      </div>
      <div class={styles.below}>
        <Languages movie={movie} />
        {movie.files.length > 0 && (
          <section aria-labelledby="files">
            <h2 id="files">{movie.files.length === 1 ? 'File' : 'Files'}</h2>
            <ul class={styles.files}>
              {movie.files.map((one) => (
                <FileRow key={one.id} file={one} movie={movie} isOnly={movie.files.length === 1} />
              ))}
            </ul>
          </section>
        )}
      </div>
    </article>
  );
}

export function MovieScreen({ movieId }: { readonly movieId: string }) {
  const cinema = useCinema();
  const { navigation } = useLobby();
  const store = useMemo(() => cinema.movie(movieId), [cinema, movieId]);
  useEffect(() => () => store.dispose(), [store]);
  const movie = store.movie.value;
  const failure = store.failure.value;

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
    if (failure === null) return <Waiting />;
    return (
      <StatePage title="This page can’t be shown">
        <p>{failureText(failure)}</p>
      </StatePage>
    );
  }
  return <MoviePage movie={movie} carried={store.progress.value} />;
}
