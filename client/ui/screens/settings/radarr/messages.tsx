import { useState } from 'preact/hooks';
import type { Message, RadarrLink, Status } from '#client/store/radarr.ts';
import { useAttempt, useCinema } from '../../../house.ts';
import { Button } from '../../../parts/button.tsx';
import { CopyLine } from '../../../parts/copy-line.tsx';
import { Question } from '../../../parts/dialog.tsx';
import { timeAgo } from '../../../wording.ts';
import styles from '../settings.module.css';

const WEBHOOK_PATH = '/api/v1/webhooks/radarr';
/** Radarr asks for a name as well; any is taken. */
const USER_NAME = 'radarr';

const KIND_TEXTS: Readonly<Record<string, string>> = {
  Test: 'A test',
  Grab: 'Is being fetched',
  Download: 'Was imported',
  Rename: 'Was renamed',
  MovieAdded: 'Was added',
  MovieDelete: 'Was removed from Radarr',
  MovieFileDelete: 'Lost a file',
  Health: 'Radarr has trouble',
  HealthRestored: 'Radarr’s trouble is over',
  ApplicationUpdate: 'Radarr was updated',
  ManualInteractionRequired: 'Needs a hand in Radarr',
};

const OUTCOME_TEXTS: Readonly<Record<NonNullable<Message['outcome']>, string>> = {
  tested: 'It arrived: Radarr reaches this server.',
  noted: 'Nothing to do',
  lookedAt: 'Its files were looked at',
  unmapped: 'Its path can’t be found here: a mapping is missing',
  outsideLibraries: 'Its path lies in no library',
  unknownKind: 'Of a kind that this version does not know',
};

const isTrouble = (outcome: Message['outcome']): boolean => outcome === 'unmapped' || outcome === 'outsideLibraries';

/** The address that Radarr sends to, and the secret that opens it. */
export function Webhook({ link, status }: { readonly link: RadarrLink; readonly status: Status }) {
  const attempt = useAttempt();
  const [isAsking, setAsking] = useState<'renew' | 'close' | null>(null);
  const secret = link.secret.value;
  return (
    <section class={styles.block} aria-labelledby="radarr-webhook-title">
      <div class={styles.head}>
        <h2 id="radarr-webhook-title">Messages from Radarr</h2>
      </div>
      {!status.isWebhookOpen ? (
        <>
          <p class={styles.note}>
            Radarr can tell Matinee the moment it has imported something. That needs an address here and a password that
            only Radarr knows.
          </p>
          <Button look="bright" onClick={() => void attempt(() => link.openWebhook())}>
            Make them
          </Button>
        </>
      ) : (
        <div class={styles.row}>
          <p>
            In Radarr: Settings, Connect, +, Webhook. Tick everything that is about files and movies, enter this, and
            press Test there.
          </p>
          <CopyLine label="URL" value={`${location.origin}${WEBHOOK_PATH}`} />
          <p class={styles.facts}>
            If Radarr reaches this server by another name than your browser does, put that name in the place of{' '}
            {location.host}. The method is POST.
          </p>
          {secret !== null ? (
            <>
              <CopyLine label="Username" value={USER_NAME} />
              <CopyLine label="Password" value={secret} />
              <p class={styles.trouble}>
                The password is shown now and never again. Instead of the two, a header does as well:{' '}
                <code>X-Api-Key</code> with the password.
              </p>
            </>
          ) : (
            <p class={styles.facts}>
              Username: any. The password was shown when it was made; if it is lost, make a new one.
            </p>
          )}
          <div class={styles.actions}>
            <Button onClick={() => setAsking('renew')}>Make a new password</Button>
            <Button look="grave" onClick={() => setAsking('close')}>
              Take no messages
            </Button>
          </div>
        </div>
      )}
      {isAsking !== null && (
        <Question
          title={isAsking === 'renew' ? 'Make a new password?' : 'Take no messages from Radarr?'}
          verb={isAsking === 'renew' ? 'Make it' : 'Take none'}
          onClose={() => setAsking(null)}
          onYes={() => {
            setAsking(null);
            void attempt(() => (isAsking === 'renew' ? link.openWebhook() : link.closeWebhook()));
          }}
        >
          <p>
            {isAsking === 'renew'
              ? 'The present one stops working at once: Radarr’s messages are refused until you have entered the new one there.'
              : 'The address is closed. New movies are still found, by the libraries’ own watching and by the regular look at Radarr.'}
          </p>
        </Question>
      )}
    </section>
  );
}

/** What came, and what it brought about. */
export function LatestMessages({ link, status }: { readonly link: RadarrLink; readonly status: Status }) {
  const { server } = useCinema();
  const events = link.events.value;
  if (events.length === 0 && !status.isWebhookOpen) return null;
  return (
    <section class={styles.block} aria-labelledby="radarr-events-title">
      <div class={styles.head}>
        <h2 id="radarr-events-title">Latest messages</h2>
      </div>
      {events.length === 0 ? (
        <p class={styles.note}>None has come yet. Press Test in Radarr: it appears here at once.</p>
      ) : (
        <ul class={styles.rows}>
          {events.map((event) => (
            <li key={event.id} class={styles.row}>
              <div>
                <span class={styles.name} dir="auto">
                  {event.subject ?? KIND_TEXTS[event.kind] ?? event.kind}
                  {event.isUpgrade && <span class={styles.tag}>Better file</span>}
                </span>
                <p class={styles.facts}>
                  {event.subject !== null && `${KIND_TEXTS[event.kind] ?? event.kind} · `}
                  {timeAgo(event.at, server.now())}
                </p>
                <p class={isTrouble(event.outcome) ? styles.trouble : styles.facts}>
                  {event.outcome === null ? 'Waits for its turn' : OUTCOME_TEXTS[event.outcome]}
                  {event.path !== null && (
                    <>
                      {': '}
                      <code dir="auto">{event.path}</code>
                    </>
                  )}
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
