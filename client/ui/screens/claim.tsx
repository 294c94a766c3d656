import { useEffect, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { failureText } from '../failure-text.ts';
import { useLobby } from '../house.ts';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { Doorway } from './doorway.tsx';
import styles from './sign-in.module.css';

const PASSWORD_MIN = 8;

/** The first step of a new server: whoever can read its output becomes its admin. */
export function ClaimScreen() {
  const { session, navigation } = useLobby();
  const [code, setCode] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [problem, setProblem] = useState<{ readonly field: 'code' | 'form'; readonly text: string } | null>(null);
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    document.title = 'Set up · Matinee';
  }, []);

  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await session.createAdmin(code, name.trim(), password);
      navigation.go({ screen: 'welcome' }, { replace: true });
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem({ field: error.code === 'wrongCode' ? 'code' : 'form', text: failureText(error) });
    } finally {
      setBusy(false);
    }
  };

  return (
    <Doorway
      step={1}
      title="Open your cinema"
      lead="This server is new. Whoever sets it up becomes its admin, so it asks for the code it printed when it started."
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy) void submit();
        }}
      >
        <Field
          label="Setup code"
          value={code}
          onValue={setCode}
          autoComplete="one-time-code"
          autoFocus
          maxLength={64}
          isCode
          problem={problem?.field === 'code' ? problem.text : null}
          hint="In the terminal, the log of the container, or wherever the server writes."
        />
        <Field label="Your name" value={name} onValue={setName} autoComplete="username" maxLength={64} />
        <Field
          label="Password"
          type="password"
          value={password}
          onValue={setPassword}
          autoComplete="new-password"
          minLength={PASSWORD_MIN}
          maxLength={256}
          hint="At least 8 characters. A few words in a row are easy to keep and hard to guess."
        />
        <p class={styles.problem} role="alert">
          {problem?.field === 'form' ? problem.text : null}
        </p>
        <Button look="bright" type="submit" isBusy={isBusy}>
          Create the admin
        </Button>
      </form>
    </Doorway>
  );
}
