import { ExternalLink } from 'lucide-preact';
import { useState } from 'preact/hooks';
import type { MetadataSettingsStore } from '#client/store/metadata-settings.ts';
import { useLobby } from '../house.ts';
import { Button } from './button.tsx';
import { Field } from './field.tsx';
import { SmallForm, useSending } from './small-form.tsx';
import styles from './tmdb-key.module.css';

const KEY_PAGE = 'https://www.themoviedb.org/settings/api';

interface Props {
  readonly store: MetadataSettingsStore;
  readonly onDone?: () => void;
}

/** How to get a key for TMDB, and the place to put it. It is tried before it is kept. */
export function TmdbKey({ store, onDone }: Props) {
  const { notices } = useLobby();
  const [key, setKey] = useState('');
  const { isBusy, problem, send, forget } = useSending();
  const save = (): Promise<void> =>
    send(async () => {
      await store.configure({ apiKey: key.trim() });
      setKey('');
      notices.show('TMDB knows the key. Your movies are looked for now.');
      onDone?.();
    });
  return (
    <SmallForm isBusy={isBusy} onSend={save} class={styles.form}>
      <ol class={styles.steps}>
        <li>Sign up at TMDB, The Movie Database. It is free for personal use.</li>
        <li>
          Open{' '}
          <a href={KEY_PAGE} target="_blank" rel="noopener noreferrer">
            your API settings
            <ExternalLink aria-hidden="true" />
            <span class="unseen"> (opens themoviedb.org in a new tab)</span>
          </a>{' '}
          and ask for a key, as a developer.
        </li>
        <li>Copy the “API Key” or the “API Read Access Token”, and paste it here.</li>
      </ol>
      <Field
        label="TMDB key"
        type="password"
        value={key}
        onValue={(value) => {
          setKey(value);
          forget();
        }}
        maxLength={1_000}
        isCode
        problem={problem}
        hint="It is kept encrypted in Matinee’s data folder, and is told to nobody but TMDB."
      />
      <Button look="bright" type="submit" isBusy={isBusy} disabled={key.trim() === ''}>
        Try it and keep it
      </Button>
    </SmallForm>
  );
}
