import { useEffect, useMemo, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { CollectionsStore, createCollection, updateCollection } from '#client/store/collections.ts';
import type { MovieQuery } from '#client/store/navigation.ts';
import { failureText } from '../../failure-text.ts';
import { useCinema, useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Choice, Field } from '../../parts/field.tsx';
import styles from './dialogs.module.css';

interface Props {
  readonly query: MovieQuery;
  /** What the filter finds, in words. */
  readonly proposal: string;
  readonly onClose: () => void;
}

/** Keeps a filter under a name: what fits it later is in it by itself. */
export function SaveFilterDialog({ query, proposal, onClose }: Props) {
  const cinema = useCinema();
  const { server } = cinema;
  const { navigation, notices } = useLobby();
  const [name, setName] = useState(proposal);
  /** The collection whose filter this replaces; empty for a new one. */
  const [replaced, setReplaced] = useState('');
  const store = useMemo(() => new CollectionsStore(server, cinema.link, cinema.library, 'smart'), [cinema]);
  useEffect(() => () => store.dispose(), [store]);
  const saved = store.cards.value ?? [];
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      const kept = {
        filter: query.filter,
        ...(query.search !== '' && { search: query.search }),
        sort: query.sort,
        ...(query.order !== null && { order: query.order }),
      };
      const collection =
        replaced === ''
          ? await createCollection(server, { name, query: kept })
          : await updateCollection(server, { collectionId: replaced, query: kept });
      onClose();
      notices.show(`“${collection.name}” is saved, and keeps itself up to date.`);
      navigation.go({ screen: 'collection', collectionId: collection.id });
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title="Save as a smart collection" onClose={onClose}>
      <form
        class={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <p class={styles.note}>It holds whatever fits these filters: new movies join it by themselves.</p>
        {saved.length > 0 && (
          <span>
            <Choice
              label="Save as"
              value={replaced}
              options={[['', 'a new one'], ...saved.map(({ id, name: title }) => [id, title] as const)]}
              onValue={setReplaced}
            />
          </span>
        )}
        {replaced === '' ? (
          <Field label="Name" value={name} onValue={setName} maxLength={200} autoFocus problem={problem} />
        ) : (
          problem !== null && (
            <p class={styles.problem} role="alert">
              {problem}
            </p>
          )
        )}
        <div class={styles.actions}>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="bright" type="submit" isBusy={isBusy} disabled={replaced === '' && name.trim() === ''}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
