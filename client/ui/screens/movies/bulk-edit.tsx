import { useEffect, useMemo, useState } from 'preact/hooks';
import { CollectionsStore, createCollection } from '#client/store/collections.ts';
import { editsOf } from '#client/store/edits.ts';
import type { ManyChanges } from '#client/store/edits.ts';
import { useEditing } from '../../editing.ts';
import { failureText } from '../../failure-text.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import { NameList } from '../../parts/name-list.tsx';
import { Waiting } from '../../parts/state-page.tsx';
import { counted } from '../../wording.ts';
import styles from './dialogs.module.css';

export type BulkKind = 'tags' | 'genres' | 'collection';

interface Props {
  readonly kind: BulkKind;
  readonly movieIds: readonly string[];
  /** Names of genres that are in use. */
  readonly genres: readonly string[];
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function NamesDialog({ kind, movieIds, genres, onClose, onDone }: Props & { readonly kind: 'tags' | 'genres' }) {
  const edits = editsOf(useCinema());
  const { make } = useEditing();
  const attempt = useAttempt();
  const [known, setKnown] = useState<readonly string[]>(genres);
  const [added, setAdded] = useState<readonly string[]>([]);
  const [removed, setRemoved] = useState<readonly string[]>([]);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    if (kind === 'tags') void attempt(async () => setKnown(await edits.tagNames()));
  }, []);
  const save = async (): Promise<void> => {
    setBusy(true);
    const changes: ManyChanges =
      kind === 'tags'
        ? { addTags: [...added], removeTags: [...removed] }
        : { addGenres: [...added], removeGenres: [...removed] };
    const isDone = await make(
      () => edits.editMany(movieIds, changes),
      `${kind === 'tags' ? 'Tags' : 'Genres'} of ${counted(movieIds.length, 'movie')} changed.`,
    );
    setBusy(false);
    if (isDone) onDone();
  };
  return (
    <Dialog
      title={`${kind === 'tags' ? 'Tags' : 'Genres'} of ${counted(movieIds.length, 'movie')}`}
      isSheet
      onClose={onClose}
    >
      <form
        class={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <NameList label="Add" names={added} onNames={setAdded} known={known} placeholder="Type a name, then Enter" />
        <NameList
          label="Take away"
          names={removed}
          onNames={setRemoved}
          known={known}
          placeholder="Type a name, then Enter"
        />
        <div class={styles.actions}>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="bright" type="submit" isBusy={isBusy} disabled={added.length + removed.length === 0}>
            Change
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function CollectionDialog({ movieIds, onClose, onDone }: Props) {
  const cinema = useCinema();
  const { make } = useEditing();
  const attempt = useAttempt();
  const store = useMemo(() => new CollectionsStore(cinema.server, cinema.link, cinema.library, 'manual'), [cinema]);
  useEffect(() => () => store.dispose(), [store]);
  const [name, setName] = useState('');
  const [isBusy, setBusy] = useState(false);
  const cards = store.cards.value;
  const add = async (collectionId: string, title: string): Promise<void> => {
    const isDone = await make(
      () => editsOf(cinema).editMany(movieIds, { addToCollection: collectionId }),
      `${counted(movieIds.length, 'movie')} added to “${title}”.`,
    );
    if (isDone) onDone();
  };
  return (
    <Dialog title={`Add ${counted(movieIds.length, 'movie')} to a collection`} isSheet onClose={onClose}>
      <div class={styles.form}>
        {store.failure.value !== null && <p class={styles.problem}>{failureText(store.failure.value)}</p>}
        {cards === null && store.failure.value === null && <Waiting />}
        {cards !== null && cards.length > 0 && (
          <ul class={styles.choices}>
            {cards.map((card) => (
              <li key={card.id}>
                <button type="button" onClick={() => void add(card.id, card.name)}>
                  <span dir="auto">{card.name}</span>
                  <small>{counted(card.movieCount, 'movie')}</small>
                </button>
              </li>
            ))}
          </ul>
        )}
        <form
          class={styles.fresh}
          onSubmit={(event) => {
            event.preventDefault();
            setBusy(true);
            void attempt(
              async () => {
                const made = await createCollection(cinema.server, { name, movieIds: [...movieIds] });
                onDone();
                return made;
              },
              `“${name.trim()}” is made, with ${counted(movieIds.length, 'movie')}.`,
            ).finally(() => setBusy(false));
          }}
        >
          <Field
            label="A new list"
            value={name}
            onValue={setName}
            maxLength={200}
            placeholder="Name"
            hint="Everybody on this server sees it."
          />
          <Button look="bright" type="submit" isBusy={isBusy} disabled={name.trim() === ''}>
            Make it
          </Button>
        </form>
      </div>
    </Dialog>
  );
}

/** Changes many movies at once. */
export function BulkEditDialog(props: Props) {
  const { kind } = props;
  return kind === 'collection' ? <CollectionDialog {...props} /> : <NamesDialog {...props} kind={kind} />;
}
