import { useEffect, useState } from 'preact/hooks';
import { movies } from '#protocol/methods/movies.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Matching } from '#client/store/matching.ts';
import type { MovieDetail } from '#client/store/movie.ts';
import type { Tile } from '#client/store/movie-list.ts';
import { failureText } from '../../failure-text.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import { Poster } from '../../parts/picture.tsx';
import styles from './dialogs.module.css';

const TYPING_MS = 250;

interface Props {
  readonly movie: MovieDetail;
  readonly matching: Matching;
  readonly onClose: () => void;
  readonly onMerged: (movieId: string) => void;
}

/** Says that another movie that is here is this one: its files and what people did in it come here. */
export function MergeDialog({ movie, matching, onClose, onMerged }: Props) {
  const { server } = useCinema();
  const attempt = useAttempt();
  const [text, setText] = useState(movie.title);
  const [found, setFound] = useState<readonly Tile[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [picked, setPicked] = useState<Tile | null>(null);
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    const abort = new AbortController();
    const typing = setTimeout(() => {
      server.call(movies.list, { search: text.trim(), limit: 12 }, { signal: abort.signal }).then(
        (reply) => {
          setFound(reply.movies.filter(({ id }) => id !== movie.id));
          setProblem(null);
        },
        (error: unknown) => {
          if (abort.signal.aborted) return;
          if (!isFailure(error)) throw error;
          setProblem(failureText(error));
        },
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(typing);
      abort.abort();
    };
  }, [text]);

  const merge = async (): Promise<void> => {
    if (picked === null) return;
    setBusy(true);
    await attempt(async () => onMerged(await matching.merge([movie.id, picked.id])), 'They are one movie now.');
    setBusy(false);
  };

  return (
    <Dialog title={`Which other movie is “${movie.title}” too?`} isSheet onClose={onClose}>
      <div class={styles.stack}>
        <p class={styles.note}>Its files come to this movie, and what people watched in it as well.</p>
        <Field label="Its title here" value={text} onValue={setText} autoFocus isRequired={false} problem={problem} />
        {found !== null && found.length === 0 && <p class={styles.note}>No other movie here is called so.</p>}
        {found !== null && found.length > 0 && (
          <div class={styles.found} role="radiogroup" aria-label="Movies">
            {found.map((tile) => (
              <button
                key={tile.id}
                type="button"
                role="radio"
                aria-checked={picked?.id === tile.id}
                onClick={() => setPicked(tile)}
              >
                <span class={styles.thumb}>
                  <Poster movie={tile} sizes="3rem" isEager />
                </span>
                <span dir="auto">
                  {tile.title} {tile.year !== null && `(${tile.year})`}
                </span>
              </button>
            ))}
          </div>
        )}
      </div>
      <div class={styles.end}>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button look="bright" isBusy={isBusy} disabled={picked === null} onClick={() => void merge()}>
          They are one
        </Button>
      </div>
    </Dialog>
  );
}
