import { X } from 'lucide-preact';
import { useLobby } from '../house.ts';
import { IconButton } from './button.tsx';
import styles from './notices.module.css';

/** Short messages at the edge of the screen, read out when they come. */
export function NoticeStack() {
  const { notices } = useLobby();
  return (
    <div class={styles.stack} role="status" aria-live="polite" data-spatial>
      {notices.shown.value.map((notice) => (
        <p key={notice.id} class={styles.notice} data-tone={notice.tone}>
          <span>{notice.text}</span>
          {notice.actions.map(({ label, run }) => (
            <button
              key={label}
              type="button"
              class={styles.action}
              onClick={() => {
                notices.dismiss(notice.id);
                run();
              }}
            >
              {label}
            </button>
          ))}
          <IconButton label="Dismiss" onClick={() => notices.dismiss(notice.id)}>
            <X aria-hidden="true" />
          </IconButton>
        </p>
      ))}
    </div>
  );
}
