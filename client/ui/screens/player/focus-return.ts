import { useLayoutEffect } from 'preact/hooks';

/** A panel over the picture that had the focus when it closed gives it back to what had it before, else to the picture. */
export function useFocusReturn(panel: { readonly current: HTMLElement | null }): void {
  useLayoutEffect(() => {
    const element = panel.current;
    const before = document.activeElement;
    return () => {
      if (element?.contains(document.activeElement) !== true) return;
      const isThere = before instanceof HTMLElement && before !== document.body && before.isConnected;
      (isThere ? before : document.querySelector('video'))?.focus();
    };
  }, []);
}
