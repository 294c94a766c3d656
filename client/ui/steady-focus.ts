/** Rows that come and go by themselves, and whoever stands in them by keys. */
import { useLayoutEffect, useRef } from 'preact/hooks';

/**
 * Rows, marked by `data-row`, move and go: the focus stays with the one that had it, else goes to the one that took its place. `rows`
 * changes with them. Returns what hears of each focus in the box.
 */
export function useSteadyFocus(
  box: { readonly current: HTMLElement | null },
  rows: unknown,
): (event: FocusEvent) => void {
  const held = useRef<{ readonly id: string; readonly index: number } | null>(null);
  const rowsNow = (): HTMLElement[] => [...(box.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
  useLayoutEffect(() => {
    if (held.current === null || (document.activeElement !== null && document.activeElement !== document.body)) return;
    const all = rowsNow();
    const { id, index } = held.current;
    const row = all.find((one) => one.dataset['row'] === id) ?? all[Math.min(index, all.length - 1)];
    (row?.querySelector<HTMLElement>('button') ?? document.getElementById('content'))?.focus({ preventScroll: true });
  }, [rows]);
  return (event) => {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>('[data-row]') : null;
    const id = row?.dataset['row'];
    held.current = row === null || id === undefined ? null : { id, index: rowsNow().indexOf(row) };
  };
}
