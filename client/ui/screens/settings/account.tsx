import { LogOut } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { PlacesStore } from '#client/store/places.ts';
import { failureText } from '../../failure-text.ts';
import { useAttempt, useCinema, useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Field } from '../../parts/field.tsx';
import { SmallForm } from '../../parts/small-form.tsx';
import { Waiting } from '../../parts/state-page.tsx';
import { counted, dayOf, timeAgo } from '../../wording.ts';
import styles from './settings.module.css';

function Places({ store }: { readonly store: PlacesStore }) {
  const { server } = useCinema();
  const { session, notices } = useLobby();
  const attempt = useAttempt();
  const places = store.places.value;
  if (places === null) return <Waiting />;
  const others = places.filter((place) => !place.isCurrent);
  return (
    <section class={styles.block} aria-labelledby="places-title">
      <div class={styles.head}>
        <h2 id="places-title">Where you are signed in</h2>
        {others.length > 0 && (
          <Button
            look="grave"
            onClick={() =>
              void attempt(async () => {
                const ended = await store.endOthers();
                notices.show(`Signed out of ${counted(ended, 'other place')}.`);
              })
            }
          >
            Sign out everywhere else
          </Button>
        )}
      </div>
      <ul class={styles.rows}>
        {places.map((place) => (
          <li key={place.id} class={styles.row}>
            <div class={styles.rowTop}>
              <div>
                <span class={styles.name} dir="auto">
                  {place.device}
                  {place.isCurrent && <span class={styles.tag}>Here</span>}
                </span>
                <p class={styles.facts}>
                  {place.isCurrent ? 'Active now' : `Last seen ${timeAgo(place.lastSeenAt, server.now())}`} · signed in{' '}
                  {dayOf(place.createdAt)}
                </p>
              </div>
              {place.isCurrent ? (
                <Button icon={<LogOut aria-hidden="true" />} onClick={() => void attempt(() => session.signOut())}>
                  Sign out
                </Button>
              ) : (
                <Button
                  look="quiet"
                  onClick={() => void attempt(() => store.end(place.id), `${place.device} is signed out.`)}
                >
                  Sign out<span class="unseen"> {place.device}</span>
                </Button>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Password({ store }: { readonly store: PlacesStore }) {
  const { notices } = useLobby();
  const { viewer } = useCinema();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [problem, setProblem] = useState<{ readonly isCurrent: boolean; readonly text: string } | null>(null);
  const [isBusy, setBusy] = useState(false);

  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await store.changePassword(current, next);
      setCurrent('');
      setNext('');
      notices.show('The password is changed, and every other place is signed out.');
    } catch (error) {
      if (!isFailure(error)) throw error;
      const isWrong = error.code === 'wrongCredentials';
      setProblem({ isCurrent: isWrong, text: isWrong ? 'That is not your present password.' : failureText(error) });
    } finally {
      setBusy(false);
    }
  };

  return (
    <section class={styles.block} aria-labelledby="password-title">
      <div class={styles.head}>
        <h2 id="password-title">Password</h2>
      </div>
      <SmallForm isBusy={isBusy} onSend={submit}>
        <input type="text" name="username" autoComplete="username" value={viewer.name} hidden readOnly />
        <Field
          label="Current password"
          type="password"
          value={current}
          onValue={setCurrent}
          autoComplete="current-password"
          maxLength={256}
          problem={problem?.isCurrent === true ? problem.text : null}
        />
        <Field
          label="New password"
          type="password"
          value={next}
          onValue={setNext}
          autoComplete="new-password"
          minLength={8}
          maxLength={256}
          hint="At least 8 characters. Every other place you are signed in is signed out."
          problem={problem?.isCurrent === false ? problem.text : null}
        />
        <Button type="submit" isBusy={isBusy}>
          Change the password
        </Button>
      </SmallForm>
    </section>
  );
}

export function AccountSettings() {
  const cinema = useCinema();
  const attempt = useAttempt();
  const store = useMemo(() => new PlacesStore(cinema.server), [cinema]);
  useEffect(() => void attempt(() => store.load()), [store]);
  return (
    <>
      <div class={styles.head}>
        <p>
          Signed in as <strong dir="auto">{cinema.viewer.name}</strong>
        </p>
      </div>
      <Places store={store} />
      <Password store={store} />
    </>
  );
}
