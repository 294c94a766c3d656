import { ChevronDown, Trash2 } from 'lucide-preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { EveryonesDownloads } from '#client/store/everyones-downloads.ts';
import type { PersonsDownload } from '#protocol/schema/downloads.ts';
import { downloadFacts, downloadTitle, progressText, stateLine } from '../../download-words.ts';
import { failureText } from '../../failure-text.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { Poster } from '../../parts/picture.tsx';
import { ProgressBar } from '../../parts/progress-bar.tsx';
import { Waiting } from '../../parts/state-page.tsx';
import { useSteadyFocus } from '../../steady-focus.ts';
import { fileSize } from '../../wording.ts';
import styles from './everyone.module.css';

function Row({ download, onRemove }: { readonly download: PersonsDownload; readonly onRemove: () => void }) {
  const { server } = useCinema();
  const { id, state, movieId, title, year, poster, progress, isHeld } = download;
  const person = download.person ?? 'nobody';
  return (
    <li data-row={`all ${id}`} data-state={state}>
      <span class={styles.poster} aria-hidden="true">
        <Poster movie={{ id: movieId, title, year, poster }} sizes="3rem" />
      </span>
      <div>
        <p>
          <strong dir="auto">{title}</strong> <span dir="auto">for {person}</span>
        </p>
        <p class={styles.facts}>{downloadFacts(download).join(' · ')}</p>
        {state === 'preparing' ? (
          <ProgressBar
            label={`Preparing ${downloadTitle(download)} for ${person}`}
            share={progress}
            text={progressText(download)}
            isHeld={isHeld}
            class={styles.progress}
          />
        ) : (
          <p class={styles.facts}>{stateLine(download, server.now())}</p>
        )}
      </div>
      <IconButton label={`Remove ${downloadTitle(download)} of ${person}`} onClick={onRemove}>
        <Trash2 aria-hidden="true" />
      </IconButton>
    </li>
  );
}

function All() {
  const { server } = useCinema();
  const attempt = useAttempt();
  const store = useMemo(() => new EveryonesDownloads(server), [server]);
  useEffect(() => () => store.dispose(), [store]);
  const downloads = store.downloads.value;
  const room = store.room.value;
  const failure = store.failure.value;
  const box = useRef<HTMLUListElement>(null);
  const onFocusIn = useSteadyFocus(box, downloads);
  if (failure !== null && downloads === null) {
    return (
      <p class={styles.problem} role="alert">
        {failureText(failure)}
      </p>
    );
  }
  if (downloads === null || room === null) return <Waiting />;
  return (
    <>
      <p class={styles.sum}>
        {room.limitBytes === 0
          ? 'This server prepares no copies.'
          : `All copies together take ${fileSize(room.usedBytes)} of ${fileSize(room.limitBytes)}.`}{' '}
        {downloads.length === 0 && 'Nobody has any downloads.'}
      </p>
      <ul ref={box} onFocusIn={onFocusIn}>
        {downloads.map((download) => (
          <Row
            key={download.id}
            download={download}
            onRemove={() =>
              void attempt(() => store.drop(download.id), `“${downloadTitle(download)}” is removed from the server.`)
            }
          />
        ))}
      </ul>
    </>
  );
}

/** What all people have had prepared, for who runs the server. */
export function EveryonesDownloadsPart() {
  const [isOpen, setOpen] = useState(false);
  return (
    <section class={styles.everyone} aria-label="Everyone’s downloads" data-spatial>
      <Button
        look="quiet"
        aria-expanded={isOpen}
        icon={<ChevronDown class={styles.chevron} aria-hidden="true" />}
        onClick={() => setOpen(!isOpen)}
      >
        Everyone’s downloads
      </Button>
      {isOpen && <All />}
    </section>
  );
}
