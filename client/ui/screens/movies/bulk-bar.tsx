import { EyeOff, Film, FolderPlus, Tag, X } from 'lucide-preact';
import { Button, IconButton } from '../../parts/button.tsx';
import { count } from '../../wording.ts';
import type { BulkKind } from './bulk-edit.tsx';
import styles from '../movies.module.css';

/** What one edit may change: as much as the server takes. */
export const MOST_CHOSEN = 5_000;

interface Props {
  readonly chosen: ReadonlySet<string>;
  readonly total: number;
  readonly onAll: () => void;
  readonly onEnd: () => void;
  readonly onEdit: (kind: BulkKind) => void;
  readonly isHidden: boolean;
  readonly onHide: () => void;
}

/** What can be done with the movies that were chosen. */
export function BulkBar({ chosen, total, onAll, onEnd, onEdit, isHidden, onHide }: Props) {
  const isNone = chosen.size === 0;
  return (
    <div class={styles.bulk} role="toolbar" aria-label="Chosen movies" data-spatial>
      <span class={styles.bulkCount} role="status">
        {isNone ? 'Choose movies' : `${count(chosen.size)} chosen`}
      </span>
      {chosen.size < Math.min(total, MOST_CHOSEN) && (
        <Button look="quiet" onClick={onAll}>
          {total > MOST_CHOSEN ? `First ${count(MOST_CHOSEN)}` : `All ${count(total)}`}
        </Button>
      )}
      <span class={styles.bulkActions}>
        <Button icon={<Tag aria-hidden="true" />} disabled={isNone} onClick={() => onEdit('tags')}>
          Tags
        </Button>
        <Button icon={<Film aria-hidden="true" />} disabled={isNone} onClick={() => onEdit('genres')}>
          Genres
        </Button>
        <Button icon={<FolderPlus aria-hidden="true" />} disabled={isNone} onClick={() => onEdit('collection')}>
          Collection
        </Button>
        <Button icon={<EyeOff aria-hidden="true" />} disabled={isNone} onClick={onHide}>
          {isHidden ? 'Take out again' : 'Put away'}
        </Button>
      </span>
      <IconButton label="Stop choosing" onClick={onEnd}>
        <X aria-hidden="true" />
      </IconButton>
    </div>
  );
}
