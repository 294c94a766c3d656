import { CloudOff, Download as DownloadIcon, RotateCcw, Trash2, TriangleAlert, X } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isUnderWay } from '#client/store/downloads.ts';
import type { DownloadsStore } from '#client/store/downloads.ts';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { Download, DownloadRoom } from '#protocol/schema/downloads.ts';
import { classes } from '../classes.ts';
import {
  downloadFacts,
  downloadTitle,
  keptText,
  progressText,
  roomText,
  spokenState,
  stateLine,
} from '../download-words.ts';
import { useDownloading } from '../downloading.ts';
import { failureText } from '../failure-text.ts';
import { useAttempt, useCinema, useLobby } from '../house.ts';
import { lazyScreen } from '../lazy.tsx';
import { Button, ButtonLink, IconButton } from '../parts/button.tsx';
import { Question } from '../parts/dialog.tsx';
import { Link } from '../parts/link.tsx';
import { Poster } from '../parts/picture.tsx';
import { ProgressBar } from '../parts/progress-bar.tsx';
import { ScreenHead } from '../parts/screen-head.tsx';
import { ShareLine } from '../parts/share-line.tsx';
import { StatePage } from '../parts/state-page.tsx';
import { useSteadyFocus } from '../steady-focus.ts';
import { counted } from '../wording.ts';
import styles from './downloads.module.css';

const everyone = lazyScreen(() => import('./downloads/everyone.tsx').then((module) => module.EveryonesDownloadsPart), {
  isQuiet: true,
});

const GROUPS: readonly { readonly title: string; readonly holds: (download: Download) => boolean }[] = [
  { title: 'On the way', holds: isUnderWay },
  { title: 'Ready', holds: ({ state }) => state === 'ready' },
  { title: 'Not available', holds: (download) => !isUnderWay(download) && download.state !== 'ready' },
];

/** What is made first stands first; of the rest the latest. */
const inTurn = (a: Download, b: Download): number =>
  Number(b.state === 'preparing') - Number(a.state === 'preparing') || (a.place ?? 0) - (b.place ?? 0);

interface RowProps {
  readonly download: Download;
  readonly store: DownloadsStore;
  readonly onRemove: (download: Download) => void;
}

function Row({ download, store, onRemove }: RowProps) {
  const { server } = useCinema();
  const { save } = useDownloading();
  const attempt = useAttempt();
  const [isBusy, setBusy] = useState(false);
  const { id, state, movieId, title, year, poster } = download;
  const busy = (action: () => Promise<unknown>): void => {
    setBusy(true);
    void action().finally(() => setBusy(false));
  };
  const name = downloadTitle(download);
  return (
    <li class={styles.row} data-row={id} data-state={state}>
      <Link to={{ screen: 'movie', movieId }} class={styles.poster} aria-label={`${title}, to its page`}>
        <Poster movie={{ id: movieId, title, year, poster }} sizes="5rem" />
      </Link>
      <div class={styles.words}>
        <h3 dir="auto">
          {title}
          {year !== null && <small> {year}</small>}
        </h3>
        <p class={styles.facts}>{downloadFacts(download).join(' · ')}</p>
        <p class={styles.state}>
          {state === 'failed' && <TriangleAlert aria-hidden="true" />}
          <span>{stateLine(download, server.now())}</span>
        </p>
        {state === 'preparing' && (
          <ProgressBar
            label={`Preparing ${name}`}
            share={download.progress}
            text={progressText(download)}
            isHeld={download.isHeld}
            class={styles.progress}
          />
        )}
      </div>
      <div class={styles.actions}>
        {isUnderWay(download) && (
          <Button
            icon={<X aria-hidden="true" />}
            isBusy={isBusy}
            onClick={() => busy(() => attempt(() => store.cancel(id)))}
          >
            Cancel<span class="unseen"> {name}</span>
          </Button>
        )}
        {state === 'ready' && (
          <Button
            look="bright"
            icon={<DownloadIcon aria-hidden="true" />}
            isBusy={isBusy}
            onClick={() => busy(() => save(download))}
          >
            Save<span class="unseen"> {name}</span>
          </Button>
        )}
        {!isUnderWay(download) && state !== 'ready' && (
          <Button
            icon={<RotateCcw aria-hidden="true" />}
            isBusy={isBusy}
            onClick={() => busy(() => attempt(() => store.retry(id)))}
          >
            {state === 'failed' ? 'Try again' : 'Prepare again'}
            <span class="unseen">: {name}</span>
          </Button>
        )}
        {!isUnderWay(download) && (
          <IconButton label={`Remove ${name}`} onClick={() => onRemove(download)}>
            <Trash2 aria-hidden="true" />
          </IconButton>
        )}
      </div>
    </li>
  );
}

function Room({ room }: { readonly room: DownloadRoom }) {
  if (room.limitBytes === 0) return null;
  const share = Math.min(1, room.usedBytes / room.limitBytes);
  return (
    <div class={styles.room}>
      <span>{roomText(room)}</span>
      <ShareLine share={share} class={classes(styles.roomLine, share > 0.9 && styles.full)} />
    </div>
  );
}

/** Says what changes, once: that one begins, is ready, or failed. How far one is, nobody has to hear all the time. */
function Announcer({ store }: { readonly store: DownloadsStore }) {
  const [text, setText] = useState('');
  useEffect(
    () =>
      store.onChange((download, before) => {
        if (before !== undefined && before.state !== download.state) setText(spokenState(download));
      }),
    [store],
  );
  return (
    <p class="unseen" role="status">
      {text}
    </p>
  );
}

function RowPlaceholders() {
  return (
    <div role="status">
      <span class="unseen">Loading</span>
      <ul class={styles.rows} aria-hidden="true">
        {[0, 1, 2].map((index) => (
          <li key={index} class={styles.row} data-blank>
            <span class={styles.poster} />
            <span class={styles.blankWords}>
              <span />
              <span />
              <span />
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function DownloadsScreen() {
  const { store } = useDownloading();
  const { link, session } = useLobby();
  const attempt = useAttempt();
  const [removing, setRemoving] = useState<Download | null>(null);
  const downloads = store?.downloads.value ?? null;
  const room = store?.room.value ?? null;
  const failure = store?.failure.value ?? null;
  const fresh = store?.fresh.value;
  const box = useRef<HTMLDivElement>(null);
  const onFocusIn = useSteadyFocus(box, downloads);
  const isCut = link.state.value.kind !== 'live';
  useEffect(() => store?.look(), [store, fresh]);

  if (store === null) {
    return (
      <StatePage title="No downloads here">
        <p>Your account may not download movies. Ask the person who runs this server.</p>
      </StatePage>
    );
  }
  const remove = (download: Download): void => {
    setRemoving(null);
    void attempt(() => store.remove(download.id), `“${downloadTitle(download)}” is removed from the server.`);
  };
  return (
    <div class={styles.downloads} ref={box} onFocusIn={onFocusIn}>
      <ScreenHead
        title={
          <>
            Downloads
            {downloads !== null && downloads.length > 0 && <span> {counted(downloads.length, 'download')}</span>}
          </>
        }
        class={styles.header}
      >
        {room !== null && <Room room={room} />}
      </ScreenHead>
      <Announcer store={store} />
      {isCut && downloads !== null && (
        <p class={styles.cut}>
          <CloudOff aria-hidden="true" />
          <span>There is no line to the server just now. This is how things stood; the server goes on meanwhile.</span>
        </p>
      )}
      {downloads === null && failure !== null && (
        <StatePage title="The downloads can’t be shown" level="h2">
          <p>{failureText(failure)}</p>
        </StatePage>
      )}
      {downloads === null && failure === null && <RowPlaceholders />}
      {downloads?.length === 0 && (
        <StatePage
          title="Nothing to take along yet"
          level="h2"
          actions={
            <ButtonLink look="bright" to={{ screen: 'movies', query: ALL_MOVIES }}>
              To the movies
            </ButtonLink>
          }
        >
          <p>
            Choose Download on a movie’s page. You get its file as it is at once, or a copy that plays everywhere and is
            as small as you like, which is prepared and then waits here.
          </p>
        </StatePage>
      )}
      {downloads !== null && downloads.length > 0 && (
        <div class={styles.groups} data-cut={isCut} data-spatial>
          {GROUPS.map(({ title, holds }) => {
            const rows = downloads.filter(holds);
            if (rows.length === 0) return null;
            const id = title.toLowerCase().replaceAll(' ', '-');
            return (
              <section key={title} aria-labelledby={id}>
                <h2 id={id}>{title}</h2>
                <ul class={styles.rows}>
                  {rows.toSorted(inTurn).map((download) => (
                    <Row
                      key={download.id}
                      download={download}
                      store={store}
                      onRemove={(one) => (one.state === 'ready' ? setRemoving(one) : remove(one))}
                    />
                  ))}
                </ul>
              </section>
            );
          })}
        </div>
      )}
      {room !== null && downloads !== null && downloads.length > 0 && <p class={styles.kept}>{keptText(room)}</p>}
      {session.may('server:manage') && <everyone.Screen />}
      {removing !== null && (
        <Question
          title="Remove this copy?"
          verb="Remove"
          onYes={() => remove(removing)}
          onClose={() => setRemoving(null)}
        >
          <p>
            “{downloadTitle(removing)}” is removed from the server. What you saved on your devices stays there, and it
            can be prepared again.
          </p>
        </Question>
      )}
    </div>
  );
}
