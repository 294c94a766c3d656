import { useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import { createCollection } from '#client/store/collections.ts';
import type { MovieQuery } from '#client/store/navigation.ts';
import { failureText } from '../../failure-text.ts';
import { useCinema, useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field } from '../../parts/field.tsx';
import styles from './dialogs.module.css';

interface Props {
  readonly query: MovieQuery;
  /** What the filter finds, in words. */
  readonly proposal: string;
  readonly onClose: () => void;
}

/** Keeps a filter under a name: what fits it later is in it by itself. */
export function SaveFilterDialog({ query, proposal, onClose }: Props) {
  const { server } = useCinema();
  const { navigation, notices } = useLobby();
  const [name, setName] = useState(proposal);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      const collection = await createCollection(server, {
        name,
        query: {
          filter: query.filter,
          ...(query.search !== '' && { search: query.search }),
          sort: query.sort,
          ...(query.order !== null && { order: query.order }),
        },
      });
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
        <Field label="Name" value={name} onValue={setName} maxLength={200} autoFocus problem={problem} />
        <div class={styles.actions}>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="bright" type="submit" isBusy={isBusy} disabled={name.trim() === ''}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
