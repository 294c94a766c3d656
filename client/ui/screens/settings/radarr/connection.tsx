import { RefreshCw } from 'lucide-preact';
import { useState } from 'preact/hooks';
import type { Failure } from '#protocol/errors.ts';
import { jobsOf } from '#client/store/jobs.ts';
import type { RadarrLink, Status } from '#client/store/radarr.ts';
import { classes } from '../../../classes.ts';
import { radarrTroubleText } from '../../../failure-text.ts';
import { useAttempt, useCinema, useLobby } from '../../../house.ts';
import { Button } from '../../../parts/button.tsx';
import { Choice, Field } from '../../../parts/field.tsx';
import { ProgressBar, shareOf } from '../../../parts/progress-bar.tsx';
import { SmallForm, useSending } from '../../../parts/small-form.tsx';
import { count, counted, timeAgo } from '../../../wording.ts';
import styles from '../settings.module.css';
import own from './radarr.module.css';

const INTERVALS = [
  ['1', 'every hour'],
  ['3', 'every 3 hours'],
  ['6', 'every 6 hours'],
  ['12', 'every 12 hours'],
  ['24', 'every day'],
  ['168', 'every week'],
] as const;
type Interval = (typeof INTERVALS)[number][0];

/** The interval that is listed and nearest to one that a script may have set. */
const listedInterval = (hours: number): Interval =>
  INTERVALS.toSorted((a, b) => Math.abs(Number(a[0]) - hours) - Math.abs(Number(b[0]) - hours))[0]![0];

const isAway = ({ code, data }: Failure): boolean =>
  code === 'radarrTrouble' && typeof data === 'object' && data !== null && 'reason' in data && data.reason === 'away';

/** Where Radarr is, and the key it asks for. */
export function ConnectionForm({ link, status }: { readonly link: RadarrLink; readonly status: Status }) {
  const attempt = useAttempt();
  const { notices } = useLobby();
  const [url, setUrl] = useState(status.url ?? '');
  const [apiKey, setApiKey] = useState('');
  const { isBusy, problem, send } = useSending();

  const save = (): Promise<void> =>
    send(async () => {
      await link.configure({ url: url.trim(), ...(apiKey.trim() !== '' && { apiKey: apiKey.trim() }) });
      setApiKey('');
      const failure = link.checkFailure.peek();
      if (failure === null) notices.show('Saved. Radarr answers.');
      else if (isAway(failure)) {
        notices.show('Saved, but nothing answers there.', 'bad');
      } else notices.show('Saved, but Radarr can’t be asked yet: see below.', 'bad');
    });

  return (
    <section class={styles.block} aria-labelledby="radarr-title">
      <div class={styles.head}>
        <h2 id="radarr-title">Radarr</h2>
      </div>
      <SmallForm isBusy={isBusy} onSend={save}>
        <Field
          label="Address"
          value={url}
          onValue={setUrl}
          placeholder="http://radarr:7878"
          maxLength={500}
          hint="As the server reaches it, with the URL base if Radarr has one."
          problem={problem}
        />
        <Field
          label="API key"
          type="password"
          value={apiKey}
          onValue={setApiKey}
          autoComplete="off"
          isRequired={!status.hasApiKey}
          maxLength={200}
          placeholder={status.hasApiKey ? 'Kept; enter one to replace it' : ''}
          hint="In Radarr: Settings, General, Security."
        />
        <Button look="bright" type="submit" isBusy={isBusy} disabled={url.trim() === ''}>
          Save and test
        </Button>
      </SmallForm>
      {status.url !== null && status.hasApiKey && (
        <div class={classes(styles.actions, own.apart)}>
          <Choice
            label="Look at everything"
            value={listedInterval(status.syncEveryHours)}
            options={INTERVALS}
            onValue={(value) => void attempt(() => link.configure({ syncEveryHours: Number(value) }))}
          />
          <Button
            look="quiet"
            onClick={() =>
              void attempt(async () => {
                await link.configure({ url: null, apiKey: null });
                setUrl('');
              }, 'Radarr is not asked any more. What it said of your files is kept.')
            }
          >
            Disconnect
          </Button>
        </div>
      )}
    </section>
  );
}

/** How it goes: who answers, and what the last look at everything came to. */
export function ConnectionState({ link, status }: { readonly link: RadarrLink; readonly status: Status }) {
  const cinema = useCinema();
  const { server } = cinema;
  const jobs = jobsOf(cinema);
  const attempt = useAttempt();
  const { trouble, lastSync } = status;
  const running = jobs?.jobs.value?.find((job) => job.kind === 'radarrSync' && job.state === 'running') ?? null;
  if (status.url === null || !status.hasApiKey) {
    return (
      <p class={classes(styles.note, own.apart)}>
        With its address and key, Radarr tells which movie each file is, and what it fetches appears at once. Matinee
        only asks: nothing in Radarr is ever changed.
      </p>
    );
  }
  return (
    <section class={styles.block} aria-label="State of Radarr">
      <div class={styles.row}>
        <div class={styles.rowTop} role="status">
          <div>
            <span class={styles.name}>
              {status.instanceName ?? 'Radarr'}
              {status.version !== null && <span class={styles.tag}>{status.version}</span>}
            </span>
            {trouble !== null ? (
              <p class={styles.bad}>{radarrTroubleText(trouble)}</p>
            ) : (
              <p class={styles.facts}>
                {status.version === null ? 'Not asked yet' : 'Answers'}
                {lastSync !== null &&
                  ` · ${counted(lastSync.movies, 'movie')}, ${count(lastSync.known)} of ${counted(lastSync.files, 'file')} found here · looked at ${timeAgo(lastSync.at, server.now())}`}
              </p>
            )}
            {lastSync !== null && lastSync.unplaced > 0 && (
              <p class={styles.trouble}>
                {counted(lastSync.unplaced, 'file')} {lastSync.unplaced === 1 ? 'lies' : 'lie'} in no library here: see
                the folders below.
              </p>
            )}
            {lastSync !== null && lastSync.skipped > 0 && (
              <p class={styles.trouble}>
                {counted(lastSync.skipped, 'entry', 'entries')} of Radarr’s could not be read and{' '}
                {lastSync.skipped === 1 ? 'was' : 'were'} left out.
              </p>
            )}
          </div>
          <div class={styles.actions}>
            <Button isBusy={link.isChecking.value} onClick={() => void attempt(() => link.look())}>
              Test
            </Button>
            <Button
              icon={<RefreshCw aria-hidden="true" />}
              isBusy={running !== null}
              onClick={() => void attempt(() => link.sync())}
            >
              Sync now
            </Button>
          </div>
        </div>
        {running !== null && (
          <ProgressBar
            label="Sync with Radarr"
            share={shareOf(running.done, running.total)}
            text={running.note ?? 'Asking Radarr…'}
          />
        )}
      </div>
    </section>
  );
}
