import { ChevronDown, ChevronUp, GripVertical, Trash2 } from 'lucide-preact';
import { useRef, useState } from 'preact/hooks';
import type { Tile } from '#client/store/movie-list.ts';
import { IconButton } from '../../parts/button.tsx';
import { Poster } from '../../parts/picture.tsx';
import styles from './arrange.module.css';

interface Props {
  readonly tiles: readonly Tile[];
  /** The whole new order; a movie that is not in it is out of the list. */
  readonly onOrder: (movieIds: readonly string[]) => void;
}

/** The movies of a list, to be put in order: by dragging, with arrow keys on a handle, or with its buttons. */
export function Arrange({ tiles, onOrder }: Props) {
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const [said, setSaid] = useState('');
  const list = useRef<HTMLUListElement>(null);

  const move = (from: number, to: number): void => {
    if (to < 0 || to >= tiles.length || from === to) return;
    const ids = tiles.map(({ id }) => id);
    const [id] = ids.splice(from, 1);
    ids.splice(to, 0, id!);
    onOrder(ids);
    setSaid(`${tiles[from]!.title} is number ${to + 1} of ${tiles.length}.`);
  };
  const refocus = (index: number): void => {
    // The row has moved: its handle keeps the focus.
    setTimeout(() => list.current?.querySelectorAll<HTMLElement>('[data-grip]')[index]?.focus(), 0);
  };

  return (
    <>
      <p class="unseen" role="status">
        {said}
      </p>
      <ul class={styles.rows} ref={list}>
        {tiles.map((tile, index) => (
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- dragging; its handle and buttons do the same
          <li
            key={tile.id}
            class={styles.row}
            draggable
            data-dragged={dragged === index}
            data-over={over === index && dragged !== index}
            data-after={dragged !== null && dragged < index}
            onDragStart={(event) => {
              setDragged(index);
              event.dataTransfer?.setData('text/plain', tile.id);
              if (event.dataTransfer !== null) event.dataTransfer.effectAllowed = 'move';
            }}
            onDragOver={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              setOver(index);
            }}
            onDrop={(event) => {
              event.preventDefault();
              if (dragged !== null) move(dragged, index);
            }}
            onDragEnd={() => {
              setDragged(null);
              setOver(null);
            }}
          >
            <button
              type="button"
              data-grip
              class={styles.grip}
              aria-label={`${tile.title}, number ${index + 1} of ${tiles.length}: move with the arrow keys`}
              onKeyDown={(event) => {
                const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
                if (step === 0) return;
                event.preventDefault();
                const to = index + step;
                if (to < 0 || to >= tiles.length) return;
                move(index, to);
                refocus(to);
              }}
            >
              <GripVertical aria-hidden="true" />
            </button>
            <span class={styles.number} aria-hidden="true">
              {index + 1}
            </span>
            <span class={styles.thumb}>
              <Poster movie={tile} sizes="4rem" isEager />
            </span>
            <span class={styles.title} dir="auto">
              {tile.title} {tile.year !== null && <span>{tile.year}</span>}
            </span>
            <IconButton label={`${tile.title}: up`} disabled={index === 0} onClick={() => move(index, index - 1)}>
              <ChevronUp aria-hidden="true" />
            </IconButton>
            <IconButton
              label={`${tile.title}: down`}
              disabled={index === tiles.length - 1}
              onClick={() => move(index, index + 1)}
            >
              <ChevronDown aria-hidden="true" />
            </IconButton>
            <IconButton
              label={`Take ${tile.title} out of the list`}
              onClick={() => onOrder(tiles.filter(({ id }) => id !== tile.id).map(({ id }) => id))}
            >
              <Trash2 aria-hidden="true" />
            </IconButton>
          </li>
        ))}
      </ul>
    </>
  );
}
