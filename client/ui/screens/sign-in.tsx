import { useEffect, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { failureText } from '../failure-text.ts';
import { useLobby } from '../house.ts';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { Doorway } from './doorway.tsx';
import styles from './sign-in.module.css';

function retryAfter(data: unknown): number {
  const wait = (data as { readonly retryAfterMs?: unknown } | null)?.retryAfterMs;
  return typeof wait === 'number' ? wait : 0;
}

export function SignInScreen({ hasEnded }: { readonly hasEnded: boolean }) {
  const { session } = useLobby();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [isLocked, setLocked] = useState(false);

  useEffect(() => {
    document.title = 'Sign in · Matinee';
  }, []);

  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await session.signIn(name.trim(), password);
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
      if (error.code === 'lockedOut') {
        setLocked(true);
        setTimeout(() => {
          setLocked(false);
          setProblem(null);
        }, retryAfter(error.data));
      } else if (error.code === 'wrongCredentials') setPassword('');
    } finally {
      setBusy(false);
    }
  };

  return (
    <Doorway
      title="Welcome back"
      lead={hasEnded ? 'You were signed out here. Sign in to go on where you were.' : undefined}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy && !isLocked) void submit();
        }}
      >
        <Field label="Name" value={name} onValue={setName} autoComplete="username" autoFocus maxLength={64} />
        <Field
          label="Password"
          type="password"
          value={password}
          onValue={setPassword}
          autoComplete="current-password"
          maxLength={256}
        />
        <p class={styles.problem} role="alert">
          {problem}
        </p>
        <Button look="bright" type="submit" isBusy={isBusy} disabled={isLocked}>
          Sign in
        </Button>
      </form>
    </Doorway>
  );
}
