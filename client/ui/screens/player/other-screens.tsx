import { MonitorPlay, Pencil } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Screen } from '#protocol/schema/screen.ts';
import type { ScreenStore } from '#client/store/screens.ts';
import { useAttempt, useLobby } from '../../house.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import styles from './other-screens.module.css';

interface Props {
  readonly screens: ScreenStore;
  /** Sends what plays here there. Rejects with the failure. */
  readonly onSend: (screen: Screen) => Promise<void>;
  readonly onClose: () => void;
}

/** As the protocol has it. */
const NAME_LENGTH = 60;

interface RenameProps {
  readonly name: string;
  /** Empty: as its browser calls itself. */
  readonly onRename: (name: string) => void;
  readonly onEnd: () => void;
}

function Rename({ name, onRename, onEnd }: RenameProps) {
  const [draft, setDraft] = useState(name);
  return (
    <form
      class={styles.rename}
      onSubmit={(event) => {
        event.preventDefault();
        onEnd();
        if (draft.trim() !== name) onRename(draft.trim());
      }}
    >
      <Field
        label={`Name of “${name}”`}
        value={draft}
        onValue={setDraft}
        maxLength={NAME_LENGTH}
        isRequired={false}
        autoFocus
        hint="Empty: as its browser calls itself."
      />
      <Button type="submit">Keep</Button>
      <Button look="quiet" onClick={onEnd}>
        Cancel
      </Button>
    </form>
  );
}

/** Where else this movie could play, and whether other screens may say what plays here. */
export function OtherScreens({ screens, onSend, onClose }: Props) {
  const { preferences } = useLobby();
  const attempt = useAttempt();
  const others = screens.others.value;
  /** Id of the screen whose name is being changed. */
  const [renamed, setRenamed] = useState<string | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const before = useRef<string | null>(null);
  useEffect(() => {
    // The field has gone: the focus goes back to what opened it.
    if (renamed === null && before.current !== null) {
      list.current?.querySelector<HTMLElement>(`[data-rename-of="${before.current}"] button`)?.focus();
    }
    before.current = renamed;
  }, [renamed]);
  const pencil = (id: string, name: string) => (
    <span data-rename-of={id}>
      <IconButton label={`Rename “${name}”`} onClick={() => setRenamed(id)}>
        <Pencil aria-hidden="true" />
      </IconButton>
    </span>
  );
  return (
    <Dialog title="Play on another screen" isSheet onClose={onClose}>
      <div ref={list}>
        {others.length === 0 ? (
          <p>None of your other devices has Matinee open. Open it there, signed in as you, and it appears here.</p>
        ) : (
          <ul class={styles.screens}>
            {others.map((screen) => (
              <li key={screen.id}>
                <MonitorPlay aria-hidden="true" />
                <span class={styles.name}>
                  <strong dir="auto">{screen.name}</strong>
                  <small dir="auto">
                    {!screen.isControllable
                      ? 'Does not let itself be controlled'
                      : screen.playing === null
                        ? 'Nothing plays there'
                        : `Plays ${screen.playing.title}`}
                  </small>
                </span>
                {screen.isControllable && pencil(screen.id, screen.name)}
                <Button
                  disabled={!screen.isControllable}
                  onClick={() => void attempt(() => onSend(screen)).then((isSent) => isSent && onClose())}
                >
                  Play there
                </Button>
                {renamed === screen.id && (
                  <Rename
                    name={screen.name}
                    onRename={(name) => void attempt(() => screens.order(screen.id, { kind: 'rename', name }))}
                    onEnd={() => setRenamed(null)}
                  />
                )}
              </li>
            ))}
          </ul>
        )}
        <div class={styles.here}>
          <p>
            This device is called <strong dir="auto">{screens.name}</strong>.
          </p>
          {pencil(screens.id, screens.name)}
          {renamed === screens.id && (
            <Rename name={screens.name} onRename={(name) => screens.rename(name)} onEnd={() => setRenamed(null)} />
          )}
        </div>
      </div>
      <label class={styles.allow}>
        <input
          type="checkbox"
          checked={preferences.isControllable.value}
          onChange={(event) => {
            preferences.isControllable.value = event.currentTarget.checked;
          }}
        />
        <span>My other devices may control this one</span>
      </label>
    </Dialog>
  );
}
