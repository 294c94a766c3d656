import { CircleCheck, CornerLeftUp, Folder, FolderLock, TriangleAlert } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import type { FolderCheck } from '#protocol/schema/library.ts';
import { FolderChoice } from '#client/store/folder-choice.ts';
import type { LibraryRow } from '#client/store/library.ts';
import { failureText } from '../failure-text.ts';
import { folderText } from '../folder-text.ts';
import { useCinema } from '../house.ts';
import { counted } from '../wording.ts';
import { Button } from './button.tsx';
import { Field } from './field.tsx';
import styles from './folder-picker.module.css';

/** What the server says of the chosen folder; a problem comes with its mend. */
function Verdict({ check }: { readonly check: FolderCheck }) {
  const problem = folderText(check);
  if (problem === null) {
    return (
      <div class={styles.verdict} data-good>
        <CircleCheck aria-hidden="true" />
        <p>
          {check.videoFiles === 0
            ? 'The folder can be read, but no video files were seen in it. It will be watched: whatever is put there appears by itself.'
            : `The folder can be read. ${check.isMore ? 'At least ' : ''}${counted(check.videoFiles, 'video file')} ${check.videoFiles === 1 && !check.isMore ? 'is' : 'are'} in it.`}
        </p>
      </div>
    );
  }
  return (
    <div class={styles.verdict}>
      <TriangleAlert aria-hidden="true" />
      <div>
        <p>
          <strong>{problem.what}</strong>
        </p>
        {problem.facts !== null && <p class={styles.facts}>{problem.facts}</p>}
        <p>{problem.mend}</p>
        {problem.command !== null && <code class={styles.command}>{problem.command}</code>}
      </div>
    </div>
  );
}

function Listing({ choice }: { readonly choice: FolderChoice }) {
  const listing = choice.listing.value;
  const check = choice.check.value;
  if (listing === null) return <div class={styles.listing} aria-busy="true" />;
  return (
    <ul
      class={styles.listing}
      aria-label={listing.path === null ? 'Places on the server' : `Folders in ${listing.path}`}
    >
      {listing.path !== null && (
        <li>
          <button type="button" onClick={() => void choice.open(listing.parent ?? undefined)}>
            <CornerLeftUp aria-hidden="true" />
            <span>{listing.parent === null ? 'All places' : 'One folder up'}</span>
          </button>
        </li>
      )}
      {listing.folders.map((folder) => (
        <li key={folder.path}>
          <button
            type="button"
            aria-current={folder.path === choice.path.value ? 'true' : undefined}
            onClick={() => void choice.open(folder.path)}
          >
            {folder.isReadable ? <Folder aria-hidden="true" /> : <FolderLock aria-hidden="true" />}
            <span dir="auto">{folder.name}</span>
            {!folder.isReadable && <small>can’t be read</small>}
          </button>
        </li>
      ))}
      {listing.folders.length === 0 && (
        <li class={styles.none}>
          {check?.problem === 'notReadable' && check.path === listing.path
            ? 'What is in here can’t be listed.'
            : 'No folders in here.'}
        </li>
      )}
      {listing.isMore && <li class={styles.none}>Only the first 1,000 are shown. Type the path instead.</li>}
    </ul>
  );
}

interface Props {
  readonly onAdded: (library: LibraryRow) => void;
  readonly verb: string;
  /** Beside the button: another way on. */
  readonly children?: ComponentChildren;
}

/** Walks through the server's folders, checks the one that is chosen, and makes it a library. */
export function FolderPicker({ onAdded, verb, children }: Props) {
  const cinema = useCinema();
  const choice = useMemo(() => new FolderChoice(cinema.server), [cinema]);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    void choice.open();
    return () => choice.dispose();
  }, [choice]);
  const check = choice.check.value;

  const add = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      onAdded(await choice.add());
    } catch (error) {
      if (!isFailure(error)) throw error;
      const found = error.code === 'folderProblem' ? (error.data as { readonly check: FolderCheck }).check : null;
      setProblem((found === null ? null : folderText(found)?.what) ?? failureText(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class={styles.picker}
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <Field
        label="Folder on the server"
        value={choice.path.value}
        onValue={(path) => {
          setProblem(null);
          choice.type(path);
        }}
        placeholder="/home/me/Movies"
        maxLength={4096}
        isCode
        problem={problem}
      />
      <Listing choice={choice} />
      <div class={styles.answer} role="status">
        {choice.failure.value !== null && <p class={styles.failure}>{failureText(choice.failure.value)}</p>}
        {choice.isChecking.value && <p class={styles.facts}>Looking at the folder…</p>}
        {check !== null && <Verdict check={check} />}
      </div>
      <div class={styles.actions}>
        <Button
          look="bright"
          type="submit"
          isBusy={isBusy}
          disabled={choice.path.value.trim() === '' || check === null || check.problem !== null}
        >
          {verb}
        </Button>
        {children}
      </div>
    </form>
  );
}
