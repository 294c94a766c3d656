import { Search } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { routePath } from '#client/store/navigation.ts';
import { useLobby } from '../house.ts';
import { lazyScreen } from '../lazy.tsx';

const sheet = lazyScreen(() => import('./search-sheet.tsx').then((module) => module.SearchSheet), { isQuiet: true });

/** Opens the search of everything: by a click, by `/`, and by Ctrl-K or Cmd-K. */
export function SearchButton({ class: look }: { readonly class: string | undefined }) {
  const { navigation } = useLobby();
  // Every opening is another sheet, for a dialog says that it closed a moment late: by then the next one may be wanted. 0: closed.
  const [opening, setOpening] = useState(0);
  const openings = useRef(0);
  const open = (): void => {
    openings.current += 1;
    setOpening(openings.current);
  };

  // On another screen it is over.
  const path = routePath(navigation.route.value);
  useEffect(() => setOpening(0), [path]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (document.querySelector('dialog[open]') !== null || event.altKey) return;
      const isTyping = event.target instanceof Element && event.target.matches('input, textarea, select');
      const isSlash = event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey;
      const isK = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey;
      if (!isSlash && !isK) return;
      event.preventDefault();
      open();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  return (
    <>
      <button
        type="button"
        class={look}
        data-search
        aria-haspopup="dialog"
        aria-keyshortcuts="/ Control+K Meta+K"
        onPointerEnter={() => sheet.preload()}
        onFocus={() => sheet.preload()}
        onClick={open}
      >
        <Search aria-hidden="true" />
        <span>Search</span>
        <kbd aria-hidden="true">/</kbd>
      </button>
      {opening !== 0 && (
        <sheet.Screen key={opening} onClose={() => setOpening((current) => (current === opening ? 0 : current))} />
      )}
    </>
  );
}
