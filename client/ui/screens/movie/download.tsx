import { ArrowDownToLine, Check, Clapperboard, Download as DownloadIcon } from 'lucide-preact';
import { useEffect, useId, useMemo, useState } from 'preact/hooks';
import {
  firstWish,
  partGroups,
  recallWish,
  rememberWish,
  wishBytes,
  wishOfPart,
  wishRequest,
} from '#client/store/download-wish.ts';
import type { DownloadWish } from '#client/store/download-wish.ts';
import { isUnderWay } from '#client/store/downloads.ts';
import type { DownloadOptions, DownloadsStore } from '#client/store/downloads.ts';
import { deviceMemory } from '#client/store/memory.ts';
import type { MovieDetail } from '#client/store/movie.ts';
import { randomId } from '#client/store/random-id.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Download, DownloadFileOffer } from '#protocol/schema/downloads.ts';
import {
  fileTitle,
  hindranceText,
  originalNote,
  partName,
  partsTitle,
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
import { Dialog } from '../../parts/dialog.tsx';
import { Choice } from '../../parts/field.tsx';
import { containerName, fileSize } from '../../wording.ts';
import { DownloadTracks } from './download-tracks.tsx';
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
              <strong>
                {[partName(download.part), qualityTitle(download.quality)].filter((word) => word !== null).join(' · ')}
              </strong>
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

/** What is downloaded at once: a file, or all parts that the movie is cut into. The first one is what is chosen by. */
interface Target {
  readonly key: string;
  readonly title: string;
  readonly files: readonly [DownloadFileOffer, ...DownloadFileOffer[]];
}

function targetsOf(files: readonly DownloadFileOffer[]): readonly Target[] {
  const wholes = partGroups(files).flatMap(([first, ...others]): Target[] =>
    first === undefined
      ? []
      : [{ key: `all ${first.fileId}`, title: partsTitle([first, ...others]), files: [first, ...others] }],
  );
  return [...wholes, ...files.map((file): Target => ({ key: file.fileId, title: fileTitle(file), files: [file] }))];
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
  const targets = useMemo(() => targetsOf(options.files), [options]);
  const [chosen, setChosen] = useState(targets[0]!.key);
  const target = targets.find(({ key }) => key === chosen) ?? targets[0]!;
  const { files } = target;
  const [file] = files;
  const [wishes, setWishes] = useState<ReadonlyMap<string, DownloadWish>>(new Map());
  const first = useMemo(() => firstWish(file, remembered), [file]);
  const wish = wishes.get(target.key) ?? first;
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  // Whatever is pressed again after a lost answer is the same wish.
  const key = useMemo(randomId, [wish, target]);
  const change = (more: Partial<DownloadWish>): void => {
    setProblem(null);
    if (wish !== null) setWishes(new Map(wishes).set(target.key, { ...wish, ...more }));
  };
  const { original, qualities, hindrance } = file;
  const known = (store.downloads.value ?? [])
    .filter((one) => files.some(({ fileId }) => fileId === one.fileId) && (isUnderWay(one) || one.state === 'ready'))
    .slice(0, KNOWN_SHOWN * files.length);
  /** Of all of them, in turn. */
  const wanted = (of: DownloadWish): readonly (readonly [DownloadFileOffer, DownloadWish])[] =>
    files.flatMap((other) => {
      const theirs = wishOfPart(file, of, other);
      return theirs === null ? [] : [[other, theirs] as const];
    });
  const bytesOf = (of: DownloadWish): number =>
    wanted(of).reduce((sum, [other, one]) => sum + wishBytes(other, one), 0);

  /** Resolves to whether it is on its way. */
  const begin = async (of: DownloadWish): Promise<boolean> => {
    if (of.form === 'original') {
      for (const { fileId } of files) if (!(await saveOriginal(movie.id, fileId))) return false;
      return true;
    }
    const parts = wanted(of).flatMap(([other, one]) => wishRequest(other, one) ?? []);
    const asked =
      parts.length === 1
        ? [await store.request({ ...parts[0]!, movieId: movie.id, key })]
        : await store.requestParts(movie.id, parts);
    if (asked.every(({ state }) => state === 'ready')) for (const download of asked) await save(download);
    else {
      notices.show(`“${movie.title}” is being prepared. You will be told here when it is ready.`, 'plain', [
        { label: 'Downloads', run: () => navigation.go({ screen: 'downloads' }) },
      ]);
    }
    return true;
  };

  const submit = async (): Promise<void> => {
    if (wish === null) return;
    setBusy(true);
    setProblem(null);
    rememberWish(deviceMemory, file, wish);
    try {
      if (await begin(wish)) onClose();
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
        {targets.length > 1 && (
          <Choice
            label={options.files.some(({ part }) => part !== null) ? 'Part' : 'Version'}
            value={target.key}
            options={targets.map((one) => [one.key, one.title] as const)}
            onValue={(value) => {
              setProblem(null);
              setChosen(value);
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
                size={fileSize(bytesOf({ ...wish, form: 'original' }))}
                isChosen={wish.form === 'original'}
                onChoose={() => change({ form: 'original' })}
              />
            )}
            {qualities.map((quality) => (
              <Form
                key={quality.quality}
                title={qualityTitle(quality.quality)}
                note={qualityNote(quality, file, movie.hdr)}
                size={`about ${fileSize(bytesOf({ ...wish, form: quality.quality }))}`}
                isChosen={wish.form === quality.quality}
                onChoose={() => change({ form: quality.quality })}
              />
            ))}
          </div>
        )}
        {hindrance !== null && <p class={styles.note}>{hindranceText(hindrance)}</p>}
        {wish !== null && <DownloadTracks file={file} wish={wish} onChange={change} />}
      </div>
      {wish !== null && (
        <div class={styles.end}>
          <p class={styles.sum} role="status">
            {problem === null ? (
              sumText(target, wish, bytesOf(wish), options)
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

function sumText({ files }: Target, wish: DownloadWish, sizeBytes: number, { room }: DownloadOptions): string {
  const isSeveral = files.length > 1;
  const each = isSeveral ? `Each part is a file of its own. ` : '';
  if (wish.form === 'original') return `${each}Your browser saves ${isSeveral ? 'them' : 'it'} at once.`;
  const silence = files[0].audioTracks.length > 0 && wish.audioTracks.length === 0 ? 'Without any sound. ' : '';
  return `${silence}${each}About ${fileSize(sizeBytes)}${isSeveral ? ' together' : ''}. ${roomLeftText(room)}`;
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
