import { Check, Plus } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { movies } from '#protocol/methods/movies.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Tile } from '#client/store/movie-list.ts';
import { failureText } from '../../failure-text.ts';
import { useCinema } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import { Poster } from '../../parts/picture.tsx';
import styles from './dialogs.module.css';

const TYPING_MS = 220;

interface Props {
  readonly held: ReadonlySet<string>;
  readonly onAdd: (movieId: string) => void;
  readonly onClose: () => void;
}

/** Finds movies by their titles and puts them at the end of a list, one after the other. */
export function AddMoviesDialog({ held, onAdd, onClose }: Props) {
  const { server } = useCinema();
  const [text, setText] = useState('');
  const [found, setFound] = useState<readonly Tile[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    const typing = setTimeout(
      () => {
        const search = text.trim();
        server
          .call(movies.list, search === '' ? { sort: 'added', limit: 20 } : { search, limit: 20 }, {
            signal: abort.signal,
          })
          .then(
            (reply) => {
              setFound(reply.movies);
              setProblem(null);
            },
            (error: unknown) => {
              if (abort.signal.aborted) return;
              if (!isFailure(error)) throw error;
              setProblem(failureText(error));
            },
          );
      },
      text === '' ? 0 : TYPING_MS,
    );
    return () => {
      clearTimeout(typing);
      abort.abort();
    };
  }, [text]);
  return (
    <Dialog title="Add movies" isSheet onClose={onClose}>
      <div class={styles.form}>
        <Field label="Title" value={text} onValue={setText} autoFocus isRequired={false} problem={problem} />
        {found !== null && found.length === 0 && <p class={styles.note}>Nothing here resembles “{text}”.</p>}
        <ul class={styles.found}>
          {(found ?? []).map((tile) => {
            const isHeld = held.has(tile.id);
            return (
              <li key={tile.id}>
                <button type="button" disabled={isHeld} onClick={() => onAdd(tile.id)}>
                  <span class={styles.thumb}>
                    <Poster movie={tile} sizes="3rem" isEager />
                  </span>
                  <span dir="auto">
                    {tile.title} {tile.year !== null && `(${tile.year})`}
                    {isHeld && <span class="unseen">, is in it</span>}
                  </span>
                  {isHeld ? <Check aria-hidden="true" /> : <Plus aria-hidden="true" />}
                </button>
              </li>
            );
          })}
        </ul>
        <div class={styles.actions}>
          <Button look="bright" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
