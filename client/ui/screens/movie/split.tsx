import { useState } from 'preact/hooks';
import type { Matching } from '#client/store/matching.ts';
import type { MovieDetail } from '#client/store/movie.ts';
import { useAttempt, useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { CheckRow, CheckRows } from '../../parts/check-row.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import styles from './dialogs.module.css';

interface Props {
  readonly movie: MovieDetail;
  readonly matching: Matching;
  readonly onClose: () => void;
}

/** Says that some of these files are another movie. */
export function SplitDialog({ movie, matching, onClose }: Props) {
  const { navigation } = useLobby();
  const attempt = useAttempt();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [isBusy, setBusy] = useState(false);
  const split = async (): Promise<void> => {
    setBusy(true);
    await attempt(async () => {
      const movieId = await matching.split(movie.id, [...chosen]);
      onClose();
      navigation.go({ screen: 'movie', movieId });
    }, 'Split off: this is the new movie.');
    setBusy(false);
  };
  return (
    <Dialog title="Which files are another movie?" isSheet onClose={onClose}>
      <div class={styles.stack}>
        <p class={styles.note}>They become a movie of their own. What people watched is kept in both.</p>
        <CheckRows>
          {movie.files.map((file) => (
            <CheckRow
              key={file.id}
              isChecked={chosen.has(file.id)}
              onChecked={(isChecked) => {
                const next = new Set(chosen);
                if (isChecked) next.add(file.id);
                else next.delete(file.id);
                setChosen(next);
              }}
            >
              <span dir="auto">{file.name}</span>
            </CheckRow>
          ))}
        </CheckRows>
      </div>
      <div class={styles.end}>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button
          look="bright"
          isBusy={isBusy}
          disabled={chosen.size === 0 || chosen.size === movie.files.length}
          onClick={() => void split()}
        >
          Split them off
        </Button>
      </div>
    </Dialog>
  );
}
