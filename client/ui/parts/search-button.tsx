import { Search } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { routePath } from '#client/store/navigation.ts';
import { useLobby } from '../house.ts';
import { lazyScreen } from '../lazy.tsx';

const sheet = lazyScreen(() => import('./search-sheet.tsx').then((module) => module.SearchSheet), { isQuiet: true });

/** Opens the search of everything: by a click, by `/`, and by Ctrl-K or Cmd-K. */
export function SearchButton({ class: look }: { readonly class: string | undefined }) {
  const { navigation } = useLobby();
  const [isOpen, setOpen] = useState(false);

  // On another screen it is over.
  const path = routePath(navigation.route.value);
  useEffect(() => setOpen(false), [path]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (document.querySelector('dialog[open]') !== null || event.altKey) return;
      const isTyping = event.target instanceof Element && event.target.matches('input, textarea, select');
      const isSlash = event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey;
      const isK = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey;
      if (!isSlash && !isK) return;
      event.preventDefault();
      setOpen(true);
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
        onClick={() => setOpen(true)}
      >
        <Search aria-hidden="true" />
        <span>Search</span>
        <kbd aria-hidden="true">/</kbd>
      </button>
      {isOpen && <sheet.Screen onClose={() => setOpen(false)} />}
    </>
  );
}
