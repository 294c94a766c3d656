import { Lock, LockOpen } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { MovieField } from '#protocol/schema/movie.ts';
import { editsOf } from '#client/store/edits.ts';
import type { MovieDetail } from '#client/store/movie.ts';
import { useEditing } from '../../editing.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field, LongField } from '../../parts/field.tsx';
import { NameList } from '../../parts/name-list.tsx';
import { changesOf, draftOf } from './edit-draft.ts';
import type { Draft, LISTS, TEXTS } from './edit-draft.ts';
import styles from './dialogs.module.css';

/** Fields that are locked here but edited elsewhere, or not at all. */
const OTHER_LOCKS: readonly (readonly [MovieField, string])[] = [
  ['rating', 'Rating'],
  ['credits', 'Cast and crew'],
  ['poster', 'Poster'],
  ['backdrop', 'Backdrop'],
  ['logo', 'Logo'],
];

interface Props {
  readonly movie: MovieDetail;
  readonly onClose: () => void;
}

/** Everything that is known of a movie, to be put right by hand. */
export function EditDialog({ movie, onClose }: Props) {
  const edits = editsOf(useCinema());
  const { make } = useEditing();
  const attempt = useAttempt();
  const [before] = useState(() => draftOf(movie));
  const [draft, setDraft] = useState(before);
  const [wasLocked] = useState<ReadonlySet<MovieField>>(() => new Set(movie.lockedFields));
  const [locked, setLocked] = useState(wasLocked);
  const [knownTags, setKnownTags] = useState<readonly string[]>([]);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    void attempt(async () => setKnownTags(await edits.tagNames()));
  }, []);

  const changes = changesOf(before, draft, wasLocked, locked);
  const isChanged = Object.keys(changes).length > 0;
  const yearProblem =
    draft.year.trim() === '' || /^(18[7-9]\d|19\d\d|20\d\d|21\d\d|2200)$/.test(draft.year.trim())
      ? null
      : 'Four digits, from 1870 on.';
  const dateProblem =
    draft.releaseDate.trim() === '' || /^\d{4}-\d{2}-\d{2}$/.test(draft.releaseDate.trim()) ? null : 'Like 1999-03-31.';
  const titleProblem = draft.title.trim() === '' ? 'A movie needs a title.' : null;

  const set = <K extends keyof Draft>(name: K, value: Draft[K]): void => {
    setDraft({ ...draft, [name]: value });
    if (name !== 'tags') setLocked(new Set(locked).add(name));
  };

  const save = async (): Promise<void> => {
    setBusy(true);
    const isDone = await make(() => edits.edit(movie.id, changes), `“${draft.title.trim()}” is changed.`);
    setBusy(false);
    if (isDone) onClose();
  };

  const lockButton = (field: MovieField, label: string) => {
    const isOn = locked.has(field);
    return (
      <IconButton
        label={isOn ? `Unlock ${label.toLowerCase()}` : `Lock ${label.toLowerCase()}`}
        data-locked={isOn}
        class={styles.lock}
        onClick={() => {
          const next = new Set(locked);
          if (isOn) next.delete(field);
          else next.add(field);
          setLocked(next);
        }}
      >
        {isOn ? <Lock aria-hidden="true" /> : <LockOpen aria-hidden="true" />}
      </IconButton>
    );
  };
  const withLock = (field: MovieField, label: string, children: ComponentChildren, isWide = false) => (
    <div class={isWide ? `${styles.lockRow ?? ''} ${styles.wide ?? ''}` : styles.lockRow}>
      {children}
      {lockButton(field, label)}
    </div>
  );
  const text = (
    name: (typeof TEXTS)[number] | 'year',
    label: string,
    more: { readonly problem?: string | null; readonly isWide?: boolean; readonly placeholder?: string } = {},
  ) =>
    withLock(
      name,
      label,
      <Field
        label={label}
        value={draft[name]}
        onValue={(value) => set(name, value)}
        isRequired={name === 'title'}
        maxLength={500}
        problem={more.problem ?? null}
        {...(more.placeholder !== undefined && { placeholder: more.placeholder })}
      />,
      more.isWide,
    );
  const list = (name: Exclude<(typeof LISTS)[number], 'tags'>, label: string) =>
    withLock(name, label, <NameList label={label} names={draft[name]} onNames={(value) => set(name, value)} />, true);

  return (
    <Dialog title="Edit" isWide isSheet onClose={onClose}>
      <form
        class={styles.stack}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <p class={styles.note}>
          What you change is locked: no scan and no refresh overwrites it. Open a lock to let Matinee keep it up to date
          again.
        </p>
        <div class={styles.fields}>
          {text('title', 'Title', { isWide: true, problem: titleProblem })}
          {text('originalTitle', 'Original title')}
          {text('sortTitle', 'Sorted as')}
          {text('year', 'Year', { problem: yearProblem })}
          {text('releaseDate', 'Release date', { problem: dateProblem, placeholder: '1999-03-31' })}
          {text('certification', 'Certification')}
          {text('tagline', 'Tagline', { isWide: true })}
          {withLock(
            'overview',
            'Overview',
            <LongField
              label="Overview"
              maxLength={10_000}
              value={draft.overview}
              onValue={(value) => set('overview', value)}
            />,
            true,
          )}
          {list('genres', 'Genres')}
          <div class={styles.wide}>
            <NameList label="Tags" names={draft.tags} onNames={(value) => set('tags', value)} known={knownTags} />
          </div>
          {list('keywords', 'Keywords')}
          {list('studios', 'Studios')}
          {list('countries', 'Countries')}
        </div>
        <div>
          <p class={styles.note}>Also keep as it is:</p>
          <div class={styles.locks}>
            {OTHER_LOCKS.map(([field, label]) => {
              const isOn = locked.has(field);
              return (
                <Button
                  key={field}
                  look={isOn ? 'plain' : 'quiet'}
                  aria-pressed={isOn}
                  icon={isOn ? <Lock aria-hidden="true" /> : <LockOpen aria-hidden="true" />}
                  onClick={() => {
                    const next = new Set(locked);
                    if (isOn) next.delete(field);
                    else next.add(field);
                    setLocked(next);
                  }}
                >
                  {label}
                </Button>
              );
            })}
          </div>
        </div>
        <div class={styles.end}>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button
            look="bright"
            type="submit"
            isBusy={isBusy}
            disabled={!isChanged || titleProblem !== null || yearProblem !== null || dateProblem !== null}
          >
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
