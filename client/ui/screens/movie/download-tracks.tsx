/** What is to be in a copy: its sound and its subtitles. */
import { isDrawnOn } from '#client/store/download-wish.ts';
import type { DownloadWish } from '#client/store/download-wish.ts';
import type { DownloadFileOffer, DownloadSubtitleOffer } from '#protocol/schema/downloads.ts';
import { CheckRow, CheckRows } from '../../parts/check-row.tsx';
import { codecName, trackLabel } from '../../wording.ts';
import styles from './download.module.css';

interface TracksProps<T extends string | number> {
  readonly title: string;
  readonly tracks: readonly {
    readonly key: T;
    readonly name: string;
    readonly note: string | null;
    readonly isBarred?: boolean;
  }[];
  readonly chosen: readonly T[];
  readonly onChosen: (chosen: readonly T[]) => void;
}

function Tracks<T extends string | number>({ title, tracks, chosen, onChosen }: TracksProps<T>) {
  return (
    <fieldset class={styles.tracks}>
      <legend>{title}</legend>
      <CheckRows>
        {tracks.map(({ key, name, note, isBarred = false }) => (
          <CheckRow
            key={key}
            isChecked={chosen.includes(key)}
            isBarred={isBarred}
            onChecked={(isChecked) => onChosen(isChecked ? [...chosen, key] : chosen.filter((one) => one !== key))}
          >
            <span>
              <bdi>{name}</bdi>
              {note !== null && <small>{note}</small>}
            </span>
          </CheckRow>
        ))}
      </CheckRows>
    </fieldset>
  );
}

const originOf = ({ source }: DownloadSubtitleOffer): string | null =>
  source === 'embedded' ? null : source === 'sidecar' ? 'From a file beside the movie' : 'Handed in';

function subtitleNote(subtitle: DownloadSubtitleOffer): string | null {
  if (subtitle.problem === 'unreadable') return 'Nobody here can read them';
  const notes = [originOf(subtitle), subtitle.format === 'styled' ? 'Without their styles' : null];
  return notes.filter((note) => note !== null).join(' · ') || null;
}

interface BurnedProps {
  readonly subtitles: readonly DownloadSubtitleOffer[];
  readonly isPossible: boolean;
  readonly chosen: string | null;
  readonly onChosen: (chosen: string | null) => void;
}

/** Subtitles that are drawn pictures: one of them can become a part of the picture. */
function Burned({ subtitles, isPossible, chosen, onChosen }: BurnedProps) {
  const rows: readonly (readonly [id: string | null, name: string, note: string | null])[] = [
    [null, 'None', null],
    ...subtitles.map((subtitle) => [subtitle.id, trackLabel(subtitle), originOf(subtitle)] as const),
  ];
  return (
    <fieldset class={styles.tracks}>
      <legend>Subtitles in the picture</legend>
      <p class={styles.hint}>
        {isPossible
          ? 'These are drawn pictures, which an MP4 can only hold as a part of its own picture: they can’t be turned off.'
          : 'These are drawn pictures, which can only become a part of a picture that is made anew. Choose a quality below full for them.'}
      </p>
      <CheckRows>
        {rows.map(([id, name, note]) => (
          <CheckRow
            key={id ?? ''}
            oneOf="burned"
            isChecked={(isPossible ? chosen : null) === id}
            isBarred={!isPossible && id !== null}
            onChecked={() => onChosen(id)}
          >
            <span>
              <bdi>{name}</bdi>
              {note !== null && <small>{note}</small>}
            </span>
          </CheckRow>
        ))}
      </CheckRows>
    </fieldset>
  );
}

interface Props {
  readonly file: DownloadFileOffer;
  readonly wish: DownloadWish;
  readonly onChange: (more: Partial<DownloadWish>) => void;
}

/** Nothing for a file that comes as it is, with all that is in it. */
export function DownloadTracks({ file, wish, onChange }: Props) {
  if (wish.form === 'original') return null;
  const drawn = file.subtitles.filter(({ problem }) => problem === 'pictures');
  const others = file.subtitles.filter(({ problem }) => problem !== 'pictures');
  return (
    <>
      {file.audioTracks.length > 0 && (
        <Tracks
          title="Sound"
          tracks={file.audioTracks.map((track) => ({
            key: track.trackIndex,
            name: trackLabel(track),
            note: track.isCopied ? null : `${codecName(track.codec)} becomes AAC, which every device plays`,
          }))}
          chosen={wish.audioTracks}
          onChosen={(audioTracks) => onChange({ audioTracks })}
        />
      )}
      {others.length > 0 && (
        <Tracks
          title="Subtitles"
          tracks={others.map((track) => ({
            ...{ key: track.id, name: trackLabel(track), note: subtitleNote(track), isBarred: track.problem !== null },
          }))}
          chosen={wish.subtitles}
          onChosen={(subtitles) => onChange({ subtitles })}
        />
      )}
      {drawn.length > 0 && (
        <Burned
          subtitles={drawn}
          isPossible={isDrawnOn(file, wish.form)}
          chosen={wish.burned}
          onChosen={(burned) => onChange({ burned })}
        />
      )}
    </>
  );
}
