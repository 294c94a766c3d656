import { Plus, Trash2 } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ROLES } from '#protocol/permission.ts';
import type { Role } from '#protocol/permission.ts';
import { PeopleStore } from '#client/store/people.ts';
import type { Person } from '#client/store/people.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog, Question } from '../../parts/dialog.tsx';
import { Choice, Field } from '../../parts/field.tsx';
import { SmallForm, useSending } from '../../parts/small-form.tsx';
import { Waiting } from '../../parts/state-page.tsx';
import { dayOf } from '../../wording.ts';
import styles from './settings.module.css';

const ROLE_NAMES: Readonly<Record<Role, string>> = { admin: 'Admin: runs the server', user: 'Watches movies' };

function AddPerson({ store, onClose }: { readonly store: PeopleStore; readonly onClose: () => void }) {
  const attempt = useAttempt();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [role, setRole] = useState<Role>('user');
  const { isBusy, problem, send } = useSending();
  const submit = (): Promise<void> =>
    send(async () => {
      await store.add(name.trim(), password, role);
      onClose();
      await attempt(async () => undefined, `${name.trim()} can sign in now.`);
    });

  return (
    <Dialog title="Add a person" onClose={onClose}>
      <SmallForm isBusy={isBusy} onSend={submit}>
        <Field label="Name" value={name} onValue={setName} maxLength={64} autoFocus problem={problem} />
        <Field
          label="Password"
          type="password"
          value={password}
          onValue={setPassword}
          autoComplete="new-password"
          minLength={8}
          maxLength={256}
          hint="At least 8 characters. They can change it in their own settings."
        />
        <div>
          <Choice
            label="Role"
            value={role}
            options={ROLES.toReversed().map((one) => [one, ROLE_NAMES[one]] as const)}
            onValue={setRole}
          />
        </div>
        <Button look="bright" type="submit" isBusy={isBusy}>
          Add
        </Button>
      </SmallForm>
    </Dialog>
  );
}

export function PeopleSettings() {
  const cinema = useCinema();
  const attempt = useAttempt();
  const store = useMemo(() => new PeopleStore(cinema.server), [cinema]);
  const [isAdding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Person | null>(null);
  useEffect(() => void attempt(() => store.load()), [store]);
  const people = store.people.value;
  if (people === null) return <Waiting />;
  return (
    <section class={styles.block} aria-labelledby="people-title">
      <div class={styles.head}>
        <h2 id="people-title">People</h2>
        <Button look="bright" icon={<Plus aria-hidden="true" />} onClick={() => setAdding(true)}>
          Add a person
        </Button>
      </div>
      <ul class={styles.rows}>
        {people.map((person) => (
          <li key={person.id} class={styles.row}>
            <div class={styles.rowTop}>
              <div>
                <span class={styles.name} dir="auto">
                  {person.name}
                  {person.id === cinema.viewer.id && <span class={styles.tag}>You</span>}
                </span>
                <p class={styles.facts}>
                  {ROLE_NAMES[person.role]} · since {dayOf(person.createdAt)}
                </p>
              </div>
              {person.id !== cinema.viewer.id && (
                <Button look="quiet" icon={<Trash2 aria-hidden="true" />} onClick={() => setLeaving(person)}>
                  Remove
                </Button>
              )}
            </div>
          </li>
        ))}
      </ul>
      {isAdding && <AddPerson store={store} onClose={() => setAdding(false)} />}
      {leaving !== null && (
        <Question
          title={`Remove ${leaving.name}?`}
          verb="Remove them"
          onClose={() => setLeaving(null)}
          onYes={() => {
            setLeaving(null);
            void attempt(() => store.remove(leaving.id), `${leaving.name} is removed.`);
          }}
        >
          <p>They are signed out everywhere, and where they were in their movies is forgotten.</p>
        </Question>
      )}
    </section>
  );
}
