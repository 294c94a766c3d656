import { Check } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import type { PictureSource } from '#protocol/schema/picture.ts';
import { editsOf } from '#client/store/edits.ts';
import type { ChoosableRole, PictureChoice } from '#client/store/edits.ts';
import type { MovieDetail } from '#client/store/movie.ts';
import { useEditing } from '../../editing.ts';
import { failureText } from '../../failure-text.ts';
import { useCinema } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Logo, MoviePicture, Poster } from '../../parts/picture.tsx';
import { languageName } from '../../wording.ts';
import styles from './dialogs.module.css';

const ROLES: readonly (readonly [ChoosableRole, string])[] = [
  ['poster', 'Poster'],
  ['backdrop', 'Backdrop'],
  ['logo', 'Logo'],
];

const SOURCES: Readonly<Record<PictureSource, string>> = {
  local: 'Beside the movie',
  tmdb: 'TMDB',
  frame: 'From the movie',
};

interface Props {
  readonly movie: MovieDetail;
  readonly onClose: () => void;
}

/** Shows a movie by another of its pictures. */
export function ArtworkDialog({ movie, onClose }: Props) {
  const edits = editsOf(useCinema());
  const { make } = useEditing();
  const [role, setRole] = useState<ChoosableRole>('poster');
  const [pictures, setPictures] = useState<readonly PictureChoice[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busyId, setBusyId] = useState<string | null>(null);

  const load = async (): Promise<void> => {
    try {
      setPictures(await edits.pictures(movie.id, role));
      setProblem(null);
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
    }
  };
  useEffect(() => {
    setPictures(null);
    void load();
  }, [role]);

  const choose = async (pictureId: string | null): Promise<void> => {
    setBusyId(pictureId ?? 'best');
    const isDone = await make(
      () => edits.choosePicture(movie.id, role, pictureId),
      pictureId === null ? 'The best one is chosen again.' : 'Chosen, and kept.',
    );
    setBusyId(null);
    if (isDone) await load();
  };
  const isLocked = movie.lockedFields.some((field) => field === role);

  return (
    <Dialog title="Artwork" isWide isSheet onClose={onClose}>
      <div class={styles.stack}>
        <div class={styles.tabs} role="tablist" aria-label="Kind of artwork">
          {ROLES.map(([name, label]) => (
            <button key={name} type="button" role="tab" aria-selected={name === role} onClick={() => setRole(name)}>
              {label}
            </button>
          ))}
        </div>
        {problem !== null && (
          <p class={styles.problem} role="alert">
            {problem}
          </p>
        )}
        {pictures === null && problem === null && <div class={styles.blankRows} role="status" aria-label="Loading" />}
        {pictures !== null && pictures.length === 0 && (
          <p class={styles.note}>
            There is none. Put one beside the movie (
            {role === 'poster' ? 'poster.jpg' : role === 'logo' ? 'logo.png' : 'fanart.jpg'}), or refresh its metadata.
          </p>
        )}
        {pictures !== null && pictures.length > 0 && (
          <ul class={styles.pictures} data-role={role}>
            {pictures.map((choice, index) => {
              const words = [SOURCES[choice.source], languageName(choice.language)].filter((word) => word !== null);
              const subject = { id: movie.id, title: movie.title, year: movie.year };
              return (
                <li key={choice.pictureId}>
                  <button
                    type="button"
                    aria-pressed={choice.isChosen}
                    aria-busy={busyId === choice.pictureId}
                    data-chosen={choice.isChosen}
                    aria-label={`${index + 1}: ${words.join(', ')}`}
                    onClick={() => void choose(choice.pictureId)}
                  >
                    <span class={styles.choice}>
                      {role === 'poster' && (
                        <Poster movie={{ ...subject, poster: choice.picture }} sizes="9rem" isEager />
                      )}
                      {role === 'backdrop' && (
                        <MoviePicture movie={{ ...subject, picture: choice.picture }} sizes="14rem" isEager />
                      )}
                      {role === 'logo' && <Logo logo={choice.picture} title={movie.title} />}
                      {choice.isChosen && (
                        <span class={styles.tick}>
                          <Check aria-hidden="true" />
                        </span>
                      )}
                    </span>
                    <span aria-hidden="true">{words.join(' · ')}</span>
                  </button>
                </li>
              );
            })}
          </ul>
        )}
      </div>
      <div class={styles.end}>
        {isLocked && (
          <Button look="quiet" isBusy={busyId === 'best'} onClick={() => void choose(null)}>
            Let Matinee choose again
          </Button>
        )}
        <Button look="bright" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
