import { Search, X } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { MovieQuery } from '#client/store/navigation.ts';
import { classes } from '../classes.ts';
import { IconButton } from './button.tsx';
import styles from './search-box.module.css';

/** Typing this long without a pause is one search. */
const TYPING_MS = 220;

interface Props {
  /** Of the whole box, and of its field. */
  readonly name: string;
  readonly label: string;
  readonly placeholder: string;
  readonly isWide?: boolean;
  readonly query: MovieQuery;
  readonly onQuery: (query: MovieQuery) => void;
}

/** Narrows what is below it by words, while they are typed. */
export function SearchBox({ name, label, placeholder, isWide = false, query, onQuery }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(query.search);
  const latest = useRef(query);
  latest.current = query;

  // The address changed by other means: back, forward, a link.
  useEffect(() => setText(query.search), [query.search]);

  useEffect(() => {
    if (text === query.search) return;
    const typing = setTimeout(() => onQuery({ ...latest.current, search: text }), TYPING_MS);
    return () => clearTimeout(typing);
  }, [text]);

  return (
    <form
      role="search"
      aria-label={name}
      class={classes(styles.box, isWide && styles.wide)}
      onSubmit={(event) => {
        event.preventDefault();
        onQuery({ ...query, search: text });
        input.current?.blur();
      }}
    >
      <Search aria-hidden="true" />
      <input
        ref={input}
        type="search"
        value={text}
        maxLength={200}
        placeholder={placeholder}
        aria-label={label}
        autoComplete="off"
        enterkeyhint="search"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {text !== '' && (
        <IconButton
          label="Clear the search"
          onClick={() => {
            setText('');
            onQuery({ ...query, search: '' });
            input.current?.focus();
          }}
        >
          <X aria-hidden="true" />
        </IconButton>
      )}
    </form>
  );
}
