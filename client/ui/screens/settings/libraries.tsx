import { Plus, RefreshCw, Square, Trash2 } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { jobsOf } from '#client/store/jobs.ts';
import type { LibraryRow } from '#client/store/library.ts';
import { LibraryCare } from '#client/store/library-care.ts';
import type { Issue } from '#client/store/library-care.ts';
import { failureText } from '../../failure-text.ts';
import { useAttempt, useCinema, useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, Question } from '../../parts/dialog.tsx';
import { FolderPicker } from '../../parts/folder-picker.tsx';
import { ProgressBar, shareOf } from '../../parts/progress-bar.tsx';
import { mediaFailureText } from '../../media-text.ts';
import { Waiting } from '../../parts/state-page.tsx';
import { counted, timeAgo } from '../../wording.ts';
import styles from './settings.module.css';

const WATCHING = {
  events: 'New files are noticed at once',
  polling: 'Looked at again every few minutes',
  off: 'Changes are found by scanning',
} as const;

function Issues({ library }: { readonly library: LibraryRow }) {
  const { server } = useCinema();
  const store = useMemo(() => new LibraryCare(server), [server]);
  const { notices } = useLobby();
  const attempt = useAttempt();
  const [found, setFound] = useState<{ readonly total: number; readonly issues: readonly Issue[] } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busyFile, setBusyFile] = useState<string | null>(null);

  const load = async (offset: number): Promise<void> => {
    try {
      const page = await store.issues(library.id, offset);
      setFound((before) => ({
        total: page.total,
        issues: offset === 0 ? page.issues : [...(before?.issues ?? []), ...page.issues],
      }));
      setProblem(null);
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
    }
  };
  useEffect(() => void load(0), [library.id, library.issueCount]);

  if (problem !== null) return <p class={styles.bad}>{problem}</p>;
  if (found === null) return <Waiting />;
  return (
    <>
      <ul class={styles.issues}>
        {found.issues.map((issue) => (
          <li key={issue.id}>
            <div>
              <code dir="auto">{issue.path}</code>
              <p class={styles.trouble}>It {mediaFailureText(issue.reason)}</p>
            </div>
            {issue.fileId !== null && (
              <Button
                isBusy={busyFile === issue.fileId}
                onClick={() => {
                  const { fileId } = issue;
                  if (fileId === null) return;
                  setBusyFile(fileId);
                  void attempt(async () => {
                    const result = await store.retryFile(fileId);
                    notices.show(
                      result.isPlayable
                        ? `${issue.path} can be played now.`
                        : `${issue.path} ${mediaFailureText(result.failure)}`,
                      result.isPlayable ? 'plain' : 'bad',
                    );
                    await load(0);
                  }).finally(() => setBusyFile(null));
                }}
              >
                Try again
              </Button>
            )}
          </li>
        ))}
      </ul>
      {found.issues.length < found.total && <Button onClick={() => void load(found.issues.length)}>Show more</Button>}
    </>
  );
}

function LibraryBlock({ library }: { readonly library: LibraryRow }) {
  const cinema = useCinema();
  const { server, health } = cinema;
  const store = useMemo(() => new LibraryCare(server), [server]);
  const jobs = jobsOf(cinema);
  const attempt = useAttempt();
  const [isAsking, setAsking] = useState(false);
  const [showsIssues, setShowsIssues] = useState(false);
  const { scan } = library;
  const troubles = health?.about(library.id) ?? [];
  const isAway = troubles.some(({ severity }) => severity === 'error');
  return (
    <li class={styles.row}>
      <div class={styles.rowTop}>
        <div>
          <span class={styles.name} dir="auto">
            {library.name}
          </span>
          <p class={styles.facts}>{library.path !== null && <code dir="auto">{library.path}</code>}</p>
          <p class={styles.facts}>
            {counted(library.movieCount, 'movie')} in {counted(library.fileCount, 'file')}
            {!isAway && ` · ${WATCHING[library.watching]}`}
            {library.lastScanAt !== null && ` · scanned ${timeAgo(library.lastScanAt, server.now())}`}
          </p>
        </div>
        <div class={styles.actions}>
          {scan === null ? (
            <Button icon={<RefreshCw aria-hidden="true" />} onClick={() => void attempt(() => store.scan(library.id))}>
              Scan
            </Button>
          ) : (
            <Button
              icon={<Square aria-hidden="true" />}
              onClick={() => void attempt(async () => jobs?.cancel(scan.jobId), 'The scan stops; what it found stays.')}
            >
              Stop
            </Button>
          )}
          <Button look="quiet" icon={<Trash2 aria-hidden="true" />} onClick={() => setAsking(true)}>
            Remove
          </Button>
        </div>
      </div>
      {scan !== null && (
        <ProgressBar
          label={`Scan of ${library.name}`}
          share={shareOf(scan.done, scan.toDo > 0 ? scan.toDo : null)}
          text={`${counted(scan.seen, 'file')} seen, ${scan.done} of ${scan.toDo} new ones read`}
        />
      )}
      {troubles.map((item) => (
        <div key={item.id}>
          <p class={item.severity === 'error' ? styles.bad : styles.trouble}>{item.title}</p>
          <p class={styles.facts}>{item.action}</p>
        </div>
      ))}
      {library.issueCount > 0 && (
        <div>
          <Button
            look="quiet"
            class={styles.unfold}
            aria-expanded={showsIssues}
            onClick={() => setShowsIssues(!showsIssues)}
          >
            {counted(library.issueCount, 'file')} could not be used {showsIssues ? '– hide' : '– show'}
          </Button>
          {showsIssues && <Issues library={library} />}
        </div>
      )}
      {isAsking && (
        <Question
          title={`Remove “${library.name}”?`}
          verb="Remove it"
          onClose={() => setAsking(false)}
          onYes={() => {
            setAsking(false);
            void attempt(() => store.remove(library.id), `“${library.name}” is removed.`);
          }}
        >
          <p>
            Its {counted(library.movieCount, 'movie')} disappear from every screen. The files stay where they are, and
            what people watched is kept in case the folder comes back.
          </p>
        </Question>
      )}
    </li>
  );
}

export function LibrarySettings() {
  const cinema = useCinema();
  const { server } = cinema;
  const store = useMemo(() => new LibraryCare(server), [server]);
  const { notices } = useLobby();
  const attempt = useAttempt();
  const [isAdding, setAdding] = useState(false);
  const libraries = cinema.library.libraries.value;
  if (libraries === null) return <Waiting />;
  return (
    <section class={styles.block} aria-labelledby="libraries-title">
      <div class={styles.head}>
        <h2 id="libraries-title">Libraries</h2>
        <div class={styles.actions}>
          {libraries.length > 1 && (
            <Button icon={<RefreshCw aria-hidden="true" />} onClick={() => void attempt(() => store.scan())}>
              Scan all
            </Button>
          )}
          <Button look="bright" icon={<Plus aria-hidden="true" />} onClick={() => setAdding(true)}>
            Add a folder
          </Button>
        </div>
      </div>
      {libraries.length === 0 ? (
        <p class={styles.note}>No folders yet. Add the one your movies are in; it is read and never changed.</p>
      ) : (
        <ul class={styles.rows}>
          {libraries.map((library) => (
            <LibraryBlock key={library.id} library={library} />
          ))}
        </ul>
      )}
      {isAdding && (
        <Dialog title="Add a folder of movies" isWide onClose={() => setAdding(false)}>
          <FolderPicker
            verb="Add this folder"
            onAdded={(library) => {
              setAdding(false);
              notices.show(`“${library.name}” is added, and its first scan is running.`);
            }}
          />
        </Dialog>
      )}
    </section>
  );
}
