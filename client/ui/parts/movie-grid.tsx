import { Virtualizer, observeWindowOffset, observeWindowRect, windowScroll } from '@tanstack/virtual-core';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Tile } from '#client/store/movie-list.ts';
import { useLobby } from '../house.ts';
import { MovieTile, TilePlaceholder } from './tile.tsx';
import type { Choosing } from './tile.tsx';
import styles from './movie-grid.module.css';

/** A long list of movies of which parts are loaded as they come into sight. */
export interface GridList {
  /** `undefined` while it has not been loaded. Subscribes the caller to changes. */
  at(index: number): Tile | undefined;
  /** Positions `first` to `last` are on screen. */
  show(first: number, last: number): void;
}

interface Layout {
  readonly columns: number;
  readonly gap: number;
  readonly rowHeight: number;
  readonly tileWidth: number;
}

function measure(grid: HTMLElement): Layout {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  const width = grid.clientWidth;
  const isNarrow = width < 40 * rem;
  const gap = rem * (isNarrow ? 0.7 : 1.15);
  const columns = Math.max(2, Math.floor((width + gap) / (rem * (isNarrow ? 6.6 : 9.4) + gap)));
  const tileWidth = (width - gap * (columns - 1)) / columns;
  // Poster, two lines of words, and the air below them.
  const rowHeight = Math.round(tileWidth * 1.5 + rem * 0.5 + 1.35 * rem * (0.9375 + 0.8125) + rem * 1.15);
  return { columns, gap, rowHeight, tileWidth };
}

interface Props {
  readonly list: GridList;
  readonly total: number;
  readonly label?: string;
  /** Where several are chosen at once: how each tile stands. */
  readonly choosing?: ((tile: Tile, index: number) => Choosing) | null;
}

/** A hundred thousand movies, of which only those near the window are in the document. Scrolls with the page. */
export function MovieGrid({ list, total, label = 'Movies', choosing = null }: Props) {
  const { navigation } = useLobby();
  const grid = useRef<HTMLUListElement>(null);
  const [layout, setLayout] = useState<Layout | null>(null);
  const [, redraw] = useState(0);
  const virtualizer = useMemo(
    () =>
      new Virtualizer<Window, HTMLLIElement>({
        count: 0,
        getScrollElement: () => window,
        estimateSize: () => 200,
        overscan: 2,
        scrollToFn: windowScroll,
        observeElementRect: observeWindowRect,
        observeElementOffset: observeWindowOffset,
        initialOffset: () => window.scrollY,
        onChange: () => redraw((count) => count + 1),
      }),
    [],
  );

  useLayoutEffect(() => {
    const element = grid.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setLayout(measure(element)));
    observer.observe(element);
    setLayout(measure(element));
    const stop = virtualizer._didMount();
    return () => {
      observer.disconnect();
      stop();
    };
  }, []);

  const rowCount = layout === null ? 0 : Math.ceil(total / layout.columns);
  useLayoutEffect(() => {
    if (layout === null || grid.current === null) return;
    virtualizer.setOptions({
      ...virtualizer.options,
      count: rowCount,
      estimateSize: () => layout.rowHeight,
      scrollMargin: grid.current.getBoundingClientRect().top + window.scrollY,
    });
    virtualizer._willUpdate();
    virtualizer.measure();
    redraw((count) => count + 1);
  }, [layout, rowCount]);

  // Back from a movie: the place in the list is found again once the list is as long as it was.
  useLayoutEffect(() => {
    if (rowCount > 0 && navigation.scrollTarget > 0) {
      window.scrollTo(0, navigation.scrollTarget);
      navigation.scrollTarget = 0;
    }
  }, [rowCount > 0]);

  const rows = layout === null ? [] : virtualizer.getVirtualItems();
  const first = (rows[0]?.index ?? 0) * (layout?.columns ?? 1);
  const last = ((rows.at(-1)?.index ?? 0) + 1) * (layout?.columns ?? 1) - 1;
  useEffect(() => list.show(first, last), [list, first, last]);

  const margin = virtualizer.options.scrollMargin;
  return (
    <ul
      ref={grid}
      class={styles.grid}
      data-spatial
      style={{ blockSize: `${rowCount * (layout?.rowHeight ?? 0)}px` }}
      aria-label={label}
    >
      {layout !== null &&
        rows.flatMap((row) =>
          Array.from(
            { length: Math.max(0, Math.min(layout.columns, total - row.index * layout.columns)) },
            (_, column) => {
              const index = row.index * layout.columns + column;
              const tile = list.at(index);
              return (
                <li
                  key={index}
                  aria-setsize={total}
                  aria-posinset={index + 1}
                  style={{
                    inlineSize: `${layout.tileWidth}px`,
                    insetBlockStart: `${row.start - margin}px`,
                    insetInlineStart: `${column * (layout.tileWidth + layout.gap)}px`,
                  }}
                >
                  {tile === undefined ? (
                    <TilePlaceholder />
                  ) : (
                    <MovieTile tile={tile} isEager isStart={index === 0} choosing={choosing?.(tile, index) ?? null} />
                  )}
                </li>
              );
            },
          ),
        )}
    </ul>
  );
}

/** The shape of a grid before anything is known of it. */
export function GridPlaceholder() {
  return (
    <div class={styles.waiting} role="status">
      <span class="unseen">Loading</span>
      {Array.from({ length: 18 }, (_, index) => (
        <TilePlaceholder key={index} />
      ))}
    </div>
  );
}
