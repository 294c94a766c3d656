import { ArrowDownToLine, Check, Clapperboard, Download as DownloadIcon } from 'lucide-preact';
import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import { firstWish, recallWish, rememberWish, wishBytes, wishRequest } from '#client/store/download-wish.ts';
import type { DownloadWish } from '#client/store/download-wish.ts';
import { isUnderWay } from '#client/store/downloads.ts';
import type { DownloadOptions, DownloadsStore } from '#client/store/downloads.ts';
import { deviceMemory } from '#client/store/memory.ts';
import type { MovieDetail } from '#client/store/movie.ts';
import { randomId } from '#client/store/random-id.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Download, DownloadFileOffer, DownloadSubtitleOffer } from '#protocol/schema/downloads.ts';
import {
  fileTitle,
  hindranceText,
  originalNote,
  progressText,
  qualityNote,
  qualityTitle,
  roomLeftText,
  stateLine,
} from '../../download-words.ts';
import { useDownloading } from '../../downloading.ts';
import { failureText } from '../../failure-text.ts';
import { useCinema, useLobby } from '../../house.ts';
import { Button, ButtonLink } from '../../parts/button.tsx';
import { CheckRow, CheckRows } from '../../parts/check-row.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Choice } from '../../parts/field.tsx';
import { codecName, containerName, fileSize, trackLabel } from '../../wording.ts';
import styles from './download.module.css';

/** The latest; all are on their own screen. */
const KNOWN_SHOWN = 3;

interface FormProps {
  readonly title: string;
  readonly note: string;
  readonly size: string;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
}

/** One way to have the movie. */
function Form({ title, note, size, isChosen, onChoose }: FormProps) {
  const id = useId();
  return (
    <button
      type="button"
      role="radio"
      aria-checked={isChosen}
      aria-labelledby={`${id}-title ${id}-size`}
      aria-describedby={`${id}-note`}
      class={styles.form}
      onClick={onChoose}
    >
      <span class={styles.tick} aria-hidden="true">
        {isChosen && <Check />}
      </span>
      <strong id={`${id}-title`}>{title}</strong>
      <span id={`${id}-size`} class={styles.size}>
        {size}
      </span>
      <span id={`${id}-note`} class={styles.formNote}>
        {note}
      </span>
    </button>
  );
}

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

function subtitleNote({ problem, source, format }: DownloadSubtitleOffer): string | null {
  if (problem === 'pictures') return 'Drawn pictures, which an MP4 can’t hold';
  if (problem === 'unreadable') return 'Nobody here can read them';
  const from = source === 'embedded' ? null : source === 'sidecar' ? 'From a file beside the movie' : 'Handed in';
  return format === 'styled' ? [from, 'Without their styles'].filter((part) => part !== null).join(' · ') : from;
}

/** What this person has of the file already, or will have. */
function Known({ downloads }: { readonly downloads: readonly Download[] }) {
  const { server } = useCinema();
  const { save } = useDownloading();
  return (
    <section class={styles.known} aria-label="Already asked for">
      <ul>
        {downloads.map((download) => (
          <li key={download.id}>
            <span>
              <strong>{qualityTitle(download.quality)}</strong>
              <small>
                {download.state === 'preparing'
                  ? `Being prepared: ${progressText(download)}`
                  : stateLine(download, server.now())}
              </small>
            </span>
            {download.state === 'ready' && (
              <Button icon={<ArrowDownToLine aria-hidden="true" />} onClick={() => void save(download)}>
                Save
              </Button>
            )}
          </li>
        ))}
      </ul>
      <ButtonLink look="quiet" to={{ screen: 'downloads' }}>
        All downloads
      </ButtonLink>
    </section>
  );
}

interface OfferProps {
  readonly movie: MovieDetail;
  readonly options: DownloadOptions;
  readonly store: DownloadsStore;
  readonly onClose: () => void;
}

function Offer({ movie, options, store, onClose }: OfferProps) {
  const { navigation, notices } = useLobby();
  const { save, saveOriginal } = useDownloading();
  const remembered = useMemo(() => recallWish(deviceMemory), []);
  const [fileId, setFileId] = useState(options.files[0]!.fileId);
  const file = options.files.find((one) => one.fileId === fileId) ?? options.files[0]!;
  const [wishes, setWishes] = useState<ReadonlyMap<string, DownloadWish>>(new Map());
  const first = useMemo(() => firstWish(file, remembered), [file]);
  const wish = wishes.get(file.fileId) ?? first;
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  // Whatever is pressed again after a lost answer is the same wish.
  const key = useMemo(randomId, [wish, file]);
  const change = (more: Partial<DownloadWish>): void => {
    setProblem(null);
    if (wish !== null) setWishes(new Map(wishes).set(file.fileId, { ...wish, ...more }));
  };
  const { original, qualities, hindrance } = file;
  const known = (store.downloads.value ?? [])
    .filter((one) => one.fileId === file.fileId && (isUnderWay(one) || one.state === 'ready'))
    .slice(0, KNOWN_SHOWN);
  const request = wish && wishRequest(movie.id, file, wish);

  const submit = async (): Promise<void> => {
    if (wish === null) return;
    setBusy(true);
    setProblem(null);
    rememberWish(deviceMemory, file, wish);
    try {
      if (request === null) {
        if (await saveOriginal(movie.id, file.fileId)) onClose();
        return;
      }
      const download = await store.request({ ...request, key });
      onClose();
      if (download.state === 'ready') await save(download);
      else {
        notices.show(`“${movie.title}” is being prepared. You will be told here when it is ready.`, 'plain', [
          { label: 'Downloads', run: () => navigation.go({ screen: 'downloads' }) },
        ]);
      }
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <>
      <div class={styles.stack}>
        {options.files.length > 1 && (
          <Choice
            label={options.files.some(({ part }) => part !== null) ? 'Part' : 'Version'}
            value={file.fileId}
            options={options.files.map((one) => [one.fileId, fileTitle(one)] as const)}
            onValue={(chosen) => {
              setProblem(null);
              setFileId(chosen);
            }}
          />
        )}
        {known.length > 0 && <Known downloads={known} />}
        {wish !== null && (
          <div class={styles.forms} role="radiogroup" aria-label="How to have it">
            {original !== null && (
              <Form
                title={`Original${original.container === null ? '' : `, ${containerName(original.container)}`}`}
                note={originalNote(file, movie.hdr)}
                size={fileSize(original.sizeBytes)}
                isChosen={wish.form === 'original'}
                onChoose={() => change({ form: 'original' })}
              />
            )}
            {qualities.map((quality) => (
              <Form
                key={quality.quality}
                title={qualityTitle(quality.quality)}
                note={qualityNote(quality, file, movie.hdr)}
                size={`about ${fileSize(wishBytes(file, { ...wish, form: quality.quality }))}`}
                isChosen={wish.form === quality.quality}
                onChoose={() => change({ form: quality.quality })}
              />
            ))}
          </div>
        )}
        {hindrance !== null && <p class={styles.note}>{hindranceText(hindrance)}</p>}
        {wish !== null && wish.form !== 'original' && file.audioTracks.length > 0 && (
          <Tracks
            title="Sound"
            tracks={file.audioTracks.map((track) => ({
              key: track.trackIndex,
              name: trackLabel(track),
              note: track.isCopied ? null : `${codecName(track.codec)} becomes AAC, which every device plays`,
            }))}
            chosen={wish.audioTracks}
            onChosen={(audioTracks) => change({ audioTracks })}
          />
        )}
        {wish !== null && wish.form !== 'original' && file.subtitles.length > 0 && (
          <Tracks
            title="Subtitles"
            tracks={file.subtitles.map((track) => ({
              ...{
                key: track.id,
                name: trackLabel(track),
                note: subtitleNote(track),
                isBarred: track.problem !== null,
              },
            }))}
            chosen={wish.subtitles}
            onChosen={(subtitles) => change({ subtitles })}
          />
        )}
      </div>
      {wish !== null && (
        <div class={styles.end}>
          <p class={styles.sum} role="status">
            {problem === null ? (
              sumText(file, wish, options)
            ) : (
              <span class={styles.problem} role="alert">
                {problem}
              </span>
            )}
          </p>
          <Button
            look="bright"
            isBusy={isBusy}
            icon={wish.form === 'original' ? <DownloadIcon aria-hidden="true" /> : <Clapperboard aria-hidden="true" />}
            onClick={() => void submit()}
          >
            {wish.form === 'original' ? 'Download now' : 'Prepare it'}
          </Button>
        </div>
      )}
    </>
  );
}

function sumText(file: DownloadFileOffer, wish: DownloadWish, { room }: DownloadOptions): string {
  if (wish.form === 'original') return 'Your browser saves it at once.';
  const silence = file.audioTracks.length > 0 && wish.audioTracks.length === 0 ? 'Without any sound. ' : '';
  return `${silence}About ${fileSize(wishBytes(file, wish))}. ${roomLeftText(room)}`;
}

interface Props {
  readonly movie: MovieDetail;
  readonly onClose: () => void;
}

/** How somebody wants to have a movie to take along: its file as it is, or a copy that is prepared. */
export function DownloadDialog({ movie, onClose }: Props) {
  const { store } = useDownloading();
  const [options, setOptions] = useState<DownloadOptions | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    setProblem(null);
    store?.options(movie.id).then(
      (found) => {
        if (isCurrent) setOptions(found);
      },
      (error: unknown) => {
        if (!isFailure(error)) throw error;
        if (isCurrent) setProblem(failureText(error));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [store, movie.id, tries]);
  const isNothing = options !== null && options.files.length === 0;
  return (
    <Dialog title={`Download “${movie.title}”`} isSheet onClose={onClose}>
      {problem !== null && (
        <div class={styles.stack} role="alert">
          <p class={styles.problem}>{problem}</p>
          <Button onClick={() => setTries(tries + 1)}>Try again</Button>
        </div>
      )}
      {problem === null && options === null && (
        <div class={styles.blank} role="status">
          <span class="unseen">Looking at what can be had</span>
          <span aria-hidden="true" />
          <span aria-hidden="true" />
          <span aria-hidden="true" />
        </div>
      )}
      {isNothing && <p class={styles.note}>{hindranceText('missing')}</p>}
      {options !== null && !isNothing && store !== null && (
        <Offer movie={movie} options={options} store={store} onClose={onClose} />
      )}
    </Dialog>
  );
}
