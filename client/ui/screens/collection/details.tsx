import { useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { createCollection, updateCollection } from '#client/store/collections.ts';
import { failureText } from '../../failure-text.ts';
import { useCinema, useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field, LongField } from '../../parts/field.tsx';
import styles from './dialogs.module.css';

interface Props {
  /** `null`: a new list. */
  readonly collection: { readonly id: string; readonly name: string; readonly overview: string | null } | null;
  readonly onClose: () => void;
  readonly onSaved: (collectionId: string) => void;
}

/** Name and description of a collection. */
export function CollectionDetails({ collection, onClose, onSaved }: Props) {
  const { server } = useCinema();
  const { notices } = useLobby();
  const [name, setName] = useState(collection?.name ?? '');
  const [overview, setOverview] = useState(collection?.overview ?? '');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    const text = overview.trim();
    try {
      const saved =
        collection === null
          ? await createCollection(server, { name, ...(text !== '' && { overview: text }) })
          : await updateCollection(server, { collectionId: collection.id, name, overview: text === '' ? null : text });
      notices.show(collection === null ? `“${saved.name}” is made.` : `“${saved.name}” is changed.`);
      onClose();
      onSaved(saved.id);
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog title={collection === null ? 'A new list' : 'Name and description'} isSheet onClose={onClose}>
      <form
        class={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Field label="Name" value={name} onValue={setName} maxLength={200} autoFocus problem={problem} />
        <LongField label="Description" value={overview} onValue={setOverview} maxLength={10_000} />
        {collection === null && <p class={styles.note}>Everybody on this server sees it.</p>}
        <div class={styles.actions}>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="bright" type="submit" isBusy={isBusy} disabled={name.trim() === ''}>
            {collection === null ? 'Make it' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
