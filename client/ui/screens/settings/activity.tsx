import { RotateCcw, Square } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { isLine, isOpen, jobsOf } from '#client/store/jobs.ts';
import type { FailedRow, JobRow } from '#client/store/jobs.ts';
import { failureText } from '../../failure-text.ts';
import { useAttempt, useCinema, useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { ProgressBar, shareOf } from '../../parts/progress-bar.tsx';
import { Waiting } from '../../parts/state-page.tsx';
import { count, counted, spokenDuration, timeAgo } from '../../wording.ts';
import styles from './settings.module.css';

const STATES: Readonly<Record<JobRow['state'], string>> = {
  waiting: 'Waiting for its turn',
  running: 'Running',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Stopped',
};

/** As many as fit on a screen or two; the rest on request. */
const ENDED_SHOWN = 20;
const FAILURES_SHOWN = 50;
const MOST_FAILURES = 1_000;

/** Has failures of a line done again, and says how that went: what an older version left may be readable to nobody. */
function useRetry(): (job: JobRow, failureId: string | null) => Promise<boolean> {
  const jobs = jobsOf(useCinema());
  const { notices } = useLobby();
  const attempt = useAttempt();
  return async (job, failureId) => {
    const asked = failureId === null ? (job.failed ?? 0) : 1;
    let again = 0;
    const isDone = await attempt(async () => {
      again = (await jobs?.retry(job.id, failureId)) ?? 0;
    });
    if (!isDone) return false;
    if (again === 0) notices.show('That can’t be tried again. Dismiss it.', 'bad');
    else if (again === 1 && asked === 1) notices.show('It is tried again now.');
    else notices.show(`${count(again)} of ${count(Math.max(again, asked))} are tried again now.`);
    return again > 0;
  };
}

/** A line says itself what is done; a task says what it works on. */
function titleOf(job: JobRow): string {
  return job.kind === 'scan' ? `Scan: ${job.subject}` : job.subject;
}

const doneOf = ({ done, total }: JobRow): string =>
  total === null ? count(done) : `${count(done)} of ${count(total)}`;

function Failures({ job }: { readonly job: JobRow }) {
  const cinema = useCinema();
  const { server } = cinema;
  const jobs = jobsOf(cinema);
  const { session } = useLobby();
  const attempt = useAttempt();
  const retry = useRetry();
  const [limit, setLimit] = useState(FAILURES_SHOWN);
  const [found, setFound] = useState<readonly FailedRow[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busyId, setBusyId] = useState<string | null>(null);
  const total = job.failed ?? 0;

  useEffect(() => {
    let isStale = false;
    const load = async (): Promise<void> => {
      try {
        const rows = (await jobs?.failures(job.id, limit)) ?? [];
        if (isStale) return;
        setFound(rows);
        setProblem(null);
      } catch (error) {
        if (!isFailure(error)) throw error;
        if (!isStale) setProblem(failureText(error));
      }
    };
    void load();
    return () => {
      isStale = true;
    };
  }, [job.id, total, job.endedAt, limit]);

  const settle = (id: string, action: () => Promise<boolean>): void => {
    setBusyId(id);
    void action()
      .then((isGone) => {
        if (isGone) setFound((rows) => rows?.filter((row) => row.id !== id) ?? null);
      })
      .finally(() => setBusyId(null));
  };

  if (problem !== null) return <p class={styles.bad}>{problem}</p>;
  if (found === null) return <Waiting />;
  return (
    <>
      <ul class={styles.issues} aria-label={`What failed: ${job.subject}`}>
        {found.map((row) => (
          <li key={row.id}>
            <div>
              {row.subject !== null && (
                <span class={styles.name} dir="auto">
                  {row.subject}
                </span>
              )}
              <p class={styles.trouble}>{row.reason}</p>
              <p class={styles.facts}>
                {timeAgo(row.failedAt, server.now())}
                {row.attempts > 1 && ` · tried ${count(row.attempts)} times`}
              </p>
            </div>
            {session.may('jobs:manage') && (
              <div class={styles.actions}>
                <Button isBusy={busyId === row.id} onClick={() => settle(row.id, () => retry(job, row.id))}>
                  Try again
                </Button>
                <Button
                  look="quiet"
                  onClick={() => settle(row.id, () => attempt(async () => jobs?.dismiss(job.id, row.id)))}
                >
                  Dismiss
                </Button>
              </div>
            )}
          </li>
        ))}
      </ul>
      {found.length < Math.min(total, MOST_FAILURES) && limit < MOST_FAILURES && (
        <Button onClick={() => setLimit(MOST_FAILURES)}>Show all {count(total)}</Button>
      )}
    </>
  );
}

/** How many of a line failed, to look into, to do again or to leave. */
function FailedPart({ job }: { readonly job: JobRow }) {
  const jobs = jobsOf(useCinema());
  const { session } = useLobby();
  const attempt = useAttempt();
  const retry = useRetry();
  const [isUnfolded, setUnfolded] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const failed = job.failed ?? 0;
  const all = (action: () => Promise<boolean>): void => {
    setBusy(true);
    void action().finally(() => setBusy(false));
  };
  return (
    <>
      <div class={styles.actions}>
        <Button aria-expanded={isUnfolded} onClick={() => setUnfolded(!isUnfolded)}>
          {isUnfolded ? 'Hide what failed' : `Show ${counted(failed, 'failure')}`}
        </Button>
        {session.may('jobs:manage') && (
          <>
            <Button icon={<RotateCcw aria-hidden="true" />} isBusy={isBusy} onClick={() => all(() => retry(job, null))}>
              {failed === 1 ? 'Try again' : 'Try all again'}
            </Button>
            <Button look="quiet" onClick={() => all(() => attempt(async () => jobs?.dismiss(job.id, null)))}>
              {failed === 1 ? 'Dismiss' : 'Dismiss all'}
            </Button>
          </>
        )}
      </div>
      {isUnfolded && <Failures job={job} />}
    </>
  );
}

function JobBlock({ job }: { readonly job: JobRow }) {
  const cinema = useCinema();
  const { server } = cinema;
  const jobs = jobsOf(cinema);
  const { session } = useLobby();
  const attempt = useAttempt();
  const tookMs = job.startedAt !== null && job.endedAt !== null ? job.endedAt - job.startedAt : null;
  const failed = job.failed ?? 0;
  const isOver = !isOpen(job);
  return (
    <li class={styles.row}>
      <div class={styles.rowTop}>
        <div>
          <span class={styles.name} dir="auto">
            {titleOf(job)}
          </span>
          <p class={job.state === 'failed' ? styles.bad : styles.facts}>
            {isLine(job) && job.state === 'waiting'
              ? `Waiting to go on${job.done > 0 ? `: ${doneOf(job)}` : ''}`
              : STATES[job.state]}
            {isLine(job) && isOver && failed > 1 && ` ${count(failed)} times, last`}
            {job.endedAt !== null && ` ${timeAgo(job.endedAt, server.now())}`}
            {tookMs !== null && tookMs >= 1_000 && ` after ${spokenDuration(tookMs)}`}
            {isOver && job.total !== null && job.note === null && ` · ${doneOf(job)}`}
            {job.kind === 'pictures' &&
              job.state === 'succeeded' &&
              job.total !== null &&
              job.done < job.total &&
              ` · ${count(job.total - job.done)} could not be made`}
          </p>
          {job.note !== null && <p class={styles.facts}>{job.note}</p>}
          {!isOver && failed > 0 && <p class={styles.bad}>{count(failed)} failed</p>}
        </div>
        {!isOver && session.may('jobs:manage') && (
          <Button
            icon={<Square aria-hidden="true" />}
            onClick={() => void attempt(async () => jobs?.cancel(job.id), 'It stops; what it has done stays.')}
          >
            Stop
          </Button>
        )}
      </div>
      {job.state === 'running' && (
        <ProgressBar
          label={job.kind === 'scan' ? `Scan of ${job.subject}` : job.subject}
          share={shareOf(job.done, job.total)}
          text={doneOf(job)}
        />
      )}
      {failed > 0 && <FailedPart job={job} />}
    </li>
  );
}

export function ActivitySettings() {
  const jobs = jobsOf(useCinema());
  const [showsAll, setShowsAll] = useState(false);
  const rows = jobs?.jobs.value ?? null;
  if (rows === null) return <Waiting />;
  const standing = rows.filter((job) => isOpen(job) || isLine(job));
  const ended = rows.filter((job) => !isOpen(job) && !isLine(job));
  const shown = [...standing, ...(showsAll ? ended : ended.slice(0, ENDED_SHOWN))];
  return (
    <section class={styles.block} aria-labelledby="activity-title">
      <div class={styles.head}>
        <h2 id="activity-title">Activity</h2>
      </div>
      {rows.length === 0 ? (
        <p class={styles.note}>
          Nothing is running, and nothing has run yet. Scans and everything else that the server does by itself show up
          here.
        </p>
      ) : (
        <ul class={styles.rows}>
          {shown.map((job) => (
            <JobBlock key={job.id} job={job} />
          ))}
        </ul>
      )}
      {shown.length < rows.length && <Button onClick={() => setShowsAll(true)}>Show earlier ones</Button>}
    </section>
  );
}
