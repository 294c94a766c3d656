import { ChevronDown, Play, TriangleAlert } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { LibraryCare } from '#client/store/library-care.ts';
import type { MovieDetail, MovieFileDetail } from '#client/store/movie.ts';
import { resolutionOf } from '#protocol/resolution.ts';
import type { VideoTrack } from '#protocol/schema/media.ts';
import type { Sidecar } from '#protocol/schema/movie.ts';
import { EXTRA_NAMES, extraName } from '../../extra-words.ts';
import { useAttempt, useCinema, useLobby } from '../../house.ts';
import { lazyScreen } from '../../lazy.tsx';
import { mediaFailureText } from '../../media-text.ts';
import { Button, ButtonLink } from '../../parts/button.tsx';
import {
  audioTrackName,
  bitrate,
  codecName,
  containerName,
  dayOf,
  fileSize,
  hdrName,
  languageName,
  movieLength,
  resolutionName,
} from '../../wording.ts';
import styles from './files.module.css';

const subtitleFiles = lazyScreen(() => import('./subtitle-files.tsx').then(({ SubtitleFiles }) => SubtitleFiles), {
  isQuiet: true,
});

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

function sidecarName(sidecar: Sidecar): string {
  return [
    languageName(sidecar.language) ?? 'Unknown language',
    sidecar.format.toUpperCase(),
    sidecar.isForced ? 'forced' : null,
    sidecar.isHearingImpaired ? 'for the hard of hearing' : null,
    'in a file beside it',
  ]
    .filter((part) => part !== null)
    .join(' · ');
}

function Tracks({ file }: { readonly file: MovieFileDetail }) {
  const { media } = file;
  return (
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
        </>
      )}
      {file.sidecars.map((sidecar) => (
        <div key={sidecar.id}>
          <dt>Subtitles</dt>
          <dd dir="auto">{sidecarName(sidecar)}</dd>
        </div>
      ))}
      {media?.bitrateBps != null && (
        <div>
          <dt>Bitrate</dt>
          <dd>{bitrate(media.bitrateBps)}</dd>
        </div>
      )}
      <div>
        <dt>Added</dt>
        <dd>{dayOf(file.addedAt)}</dd>
      </div>
    </dl>
  );
}

interface FileRowProps {
  readonly file: MovieFileDetail;
  readonly movie: MovieDetail;
  readonly isOnly: boolean;
}

function FileRow({ file, movie, isOnly }: FileRowProps) {
  const { server } = useCinema();
  const { session, notices } = useLobby();
  const attempt = useAttempt();
  const [isOpen, setOpen] = useState(false);
  const { media } = file;
  const video = media?.video[0];
  const size = resolutionName(resolutionOf(video));
  const reason = file.state === 'missing' ? 'missing' : file.state === 'unplayable' ? file.failure : null;
  const names = [file.edition, file.part === null ? null : `Part ${file.part}`].filter((name) => name !== null);
  return (
    <li class={styles.file}>
      <div class={styles.line}>
        {!isOnly && file.state === 'playable' && (
          <ButtonLink
            look="quiet"
            class={styles.play}
            to={{ screen: 'play', movieId: movie.id, fileId: file.id, isFromStart: false }}
            icon={<Play aria-hidden="true" fill="currentColor" />}
            aria-label={`Play this file: ${file.name}`}
          />
        )}
        <details onToggle={(event) => setOpen(event.currentTarget.open)}>
          <summary>
            <span class={styles.names}>
              {names.length > 0 && <strong dir="auto">{names.join(' · ')}</strong>}
              <span class={styles.fileName} dir="auto">
                {file.name}
              </span>
            </span>
            <span class={styles.fileFacts}>
              {[
                size,
                video?.hdr == null ? null : hdrName(video.hdr),
                file.container === null ? null : containerName(file.container),
                fileSize(file.sizeBytes),
              ]
                .filter((part) => part !== null)
                .join(' · ')}
            </span>
            <ChevronDown class={styles.chevron} aria-hidden="true" />
          </summary>
          <Tracks file={file} />
          {isOpen && session.may('playback:play') && file.state === 'playable' && (
            <subtitleFiles.Screen movieId={movie.id} fileId={file.id} />
          )}
        </details>
      </div>
      {reason !== null && (
        <p class={styles.trouble}>
          <TriangleAlert aria-hidden="true" />
          <span>This file {mediaFailureText(reason)}</span>
          {session.may('libraries:manage') && file.state === 'unplayable' && (
            <Button
              onClick={() =>
                void attempt(async () => {
                  const result = await new LibraryCare(server).retryFile(file.id);
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
    </li>
  );
}

/** The movie's own files: versions of it, or its parts. */
export function Files({ movie }: { readonly movie: MovieDetail }) {
  const files = movie.files.filter(({ extra }) => extra === null);
  if (files.length === 0) return null;
  const heading = files.length === 1 ? 'File' : files.some(({ part }) => part !== null) ? 'Parts' : 'Versions';
  return (
    <section aria-labelledby="files">
      <h2 id="files">{heading}</h2>
      <ul class={styles.files} data-spatial>
        {files.map((file) => (
          <FileRow key={file.id} file={file} movie={movie} isOnly={files.length === 1} />
        ))}
      </ul>
    </section>
  );
}

/** Trailers, deleted scenes and what else lies beside the movie. */
export function Extras({ movie }: { readonly movie: MovieDetail }) {
  const extras = movie.files.flatMap((file) => (file.extra === null ? [] : [{ file, extra: file.extra }]));
  if (extras.length === 0) return null;
  return (
    <section aria-labelledby="extras">
      <h2 id="extras">Extras</h2>
      <ul class={styles.extras} data-spatial>
        {extras.map(({ file, extra }) => (
          <li key={file.id}>
            {file.state === 'playable' ? (
              <ButtonLink
                class={styles.extra}
                to={{ screen: 'play', movieId: movie.id, fileId: file.id, isFromStart: false }}
                icon={<Play aria-hidden="true" fill="currentColor" />}
              >
                <span class={styles.extraTitle} dir="auto">
                  {extraName(extra)}
                </span>
                <small>
                  {[
                    extra.title === '' ? null : EXTRA_NAMES[extra.kind],
                    file.media?.durationMs == null ? null : movieLength(file.media.durationMs),
                  ]
                    .filter((part) => part !== null)
                    .join(' · ')}
                </small>
              </ButtonLink>
            ) : (
              <p class={styles.trouble}>
                <TriangleAlert aria-hidden="true" />
                <span>
                  {file.name} {mediaFailureText(file.state === 'missing' ? 'missing' : file.failure)}
                </span>
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
