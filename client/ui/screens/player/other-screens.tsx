import { MonitorPlay } from 'lucide-preact';
import type { Screen } from '#protocol/schema/screen.ts';
import type { ScreenStore } from '#client/store/screens.ts';
import { useAttempt, useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import styles from './other-screens.module.css';

interface Props {
  readonly screens: ScreenStore;
  /** Sends what plays here there. Rejects with the failure. */
  readonly onSend: (screen: Screen) => Promise<void>;
  readonly onClose: () => void;
}

/** Where else this movie could play, and whether other screens may say what plays here. */
export function OtherScreens({ screens, onSend, onClose }: Props) {
  const { preferences } = useLobby();
  const attempt = useAttempt();
  const others = screens.others.value;
  return (
    <Dialog title="Play on another screen" isSheet onClose={onClose}>
      {others.length === 0 ? (
        <p>None of your other devices has Matinee open. Open it there, signed in as you, and it appears here.</p>
      ) : (
        <ul class={styles.screens}>
          {others.map((screen) => (
            <li key={screen.id}>
              <MonitorPlay aria-hidden="true" />
              <span>
                <strong dir="auto">{screen.name}</strong>
                <small dir="auto">
                  {!screen.isControllable
                    ? 'Does not let itself be controlled'
                    : screen.playing === null
                      ? 'Nothing plays there'
                      : `Plays ${screen.playing.title}`}
                </small>
              </span>
              <Button
                disabled={!screen.isControllable}
                onClick={() => void attempt(() => onSend(screen)).then((isSent) => isSent && onClose())}
              >
                Play there
              </Button>
            </li>
          ))}
        </ul>
      )}
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
