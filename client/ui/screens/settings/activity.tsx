import { Square } from 'lucide-preact';
import { isOpen } from '#client/store/jobs.ts';
import type { JobRow } from '#client/store/jobs.ts';
import { useAttempt, useCinema, useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Waiting } from '../../parts/state-page.tsx';
import { count, spokenDuration, timeAgo } from '../../wording.ts';
import { ProgressBar } from './progress-bar.tsx';
import styles from './settings.module.css';

const KINDS: Readonly<Record<JobRow['kind'], string>> = { scan: 'Scan', pictures: 'Pictures' };

const STATES: Readonly<Record<JobRow['state'], string>> = {
  waiting: 'Waiting for its turn',
  running: 'Running',
  succeeded: 'Done',
  failed: 'Failed',
  cancelled: 'Stopped',
};

function JobBlock({ job }: { readonly job: JobRow }) {
  const { jobs, server } = useCinema();
  const { session } = useLobby();
  const attempt = useAttempt();
  const tookMs = job.startedAt !== null && job.endedAt !== null ? job.endedAt - job.startedAt : null;
  return (
    <li class={styles.row}>
      <div class={styles.rowTop}>
        <div>
          <span class={styles.name} dir="auto">
            {job.kind === 'pictures' ? KINDS.pictures : `${KINDS[job.kind]}: ${job.subject}`}
          </span>
          <p class={job.state === 'failed' ? styles.bad : styles.facts}>
            {STATES[job.state]}
            {job.endedAt !== null && ` ${timeAgo(job.endedAt, server.now())}`}
            {tookMs !== null && tookMs >= 1_000 && ` after ${spokenDuration(tookMs)}`}
            {!isOpen(job) && job.total !== null && job.note === null && ` · ${count(job.done)} of ${count(job.total)}`}
          </p>
          {job.note !== null && <p class={styles.facts}>{job.note}</p>}
        </div>
        {isOpen(job) && session.may('jobs:manage') && (
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
          label={job.kind === 'pictures' ? KINDS.pictures : `${KINDS[job.kind]} of ${job.subject}`}
          done={job.done}
          total={job.total}
          text={job.total === null ? count(job.done) : `${count(job.done)} of ${count(job.total)}`}
        />
      )}
    </li>
  );
}

export function ActivitySettings() {
  const { jobs } = useCinema();
  const rows = jobs?.jobs.value ?? null;
  if (rows === null) return <Waiting />;
  return (
    <section class={styles.block} aria-labelledby="activity-title">
      <div class={styles.head}>
        <h2 id="activity-title">Activity</h2>
      </div>
      {rows.length === 0 ? (
        <p class={styles.note}>Nothing is running, and nothing has run yet.</p>
      ) : (
        <ul class={styles.rows}>
          {rows.map((job) => (
            <JobBlock key={job.id} job={job} />
          ))}
        </ul>
      )}
    </section>
  );
}
