import { Clapperboard, History, Library, Search, User, X } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import { deviceMemory } from '#client/store/memory.ts';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { Route } from '#client/store/navigation.ts';
import { SuggestionStore } from '#client/store/search.ts';
import type { Suggestion } from '#client/store/search.ts';
import { failureText } from '../failure-text.ts';
import { useCinema, useLobby } from '../house.ts';
import { counted } from '../wording.ts';
import { IconButton } from './button.tsx';
import { Portrait, Poster } from './picture.tsx';
import styles from './search-sheet.module.css';

/** One line of the list: a suggestion, a search of before, or the way to all results. */
interface Option {
  readonly key: string;
  readonly route: Route;
  readonly isWide: boolean;
  /** Kept for the next time. */
  readonly text: string;
  readonly content: ComponentChildren;
}

const KIND_NAMES = { movie: 'Movie', person: 'Person', collection: 'Collection' } as const;

function routeOf({ kind, id }: Suggestion): Route {
  if (kind === 'movie') return { screen: 'movie', movieId: id };
  return kind === 'person' ? { screen: 'person', personId: id } : { screen: 'collection', collectionId: id };
}

const resultsFor = (text: string): Route => ({ screen: 'search', query: { ...ALL_MOVIES, search: text.trim() } });

function SuggestionLine({ suggestion }: { readonly suggestion: Suggestion }) {
  const { kind, id, text, detail, picture } = suggestion;
  const year = detail !== null && /^\d{4}$/.test(detail) ? Number(detail) : null;
  return (
    <>
      <span class={styles.picture} data-kind={kind}>
        {kind === 'person' ? (
          <Portrait person={{ id, name: text, portrait: picture }} isEager sizes="3rem" />
        ) : (
          <Poster movie={{ id, title: text, year, poster: picture }} isEager sizes="3rem" />
        )}
      </span>
      <span class={styles.words}>
        <span class={styles.text} dir="auto">
          {text}
        </span>
        <span class={styles.detail}>
          {kind === 'movie' && <Clapperboard aria-hidden="true" />}
          {kind === 'person' && <User aria-hidden="true" />}
          {kind === 'collection' && <Library aria-hidden="true" />}
          {kind === 'movie' ? (detail ?? KIND_NAMES.movie) : [KIND_NAMES[kind], detail].filter(Boolean).join(' · ')}
        </span>
      </span>
    </>
  );
}

/**
 * The search of everything. A dialog with a combobox (WAI-ARIA Authoring Practices, “Editable Combobox With List Autocomplete”): the
 * focus stays in the field, the arrow keys say which line is meant. On phones it is the whole screen.
 */
export function SearchSheet({ onClose }: { readonly onClose: () => void }) {
  const { viewer, server, link } = useCinema();
  const { navigation } = useLobby();
  const store = useMemo(() => new SuggestionStore(server, deviceMemory, viewer.id), []);
  useEffect(() => () => store.dispose(), []);
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(-1);

  useEffect(() => {
    const element = dialog.current;
    element?.setAttribute('closedby', 'any');
    element?.showModal();
    input.current?.focus();
    return () => element?.close();
  }, []);

  const isTyped = text.trim() !== '';
  const isLive = link.state.value.kind === 'live';
  const suggested = store.suggested.value;
  const failure = store.failure.value;
  const suggestions = isTyped ? (suggested?.suggestions ?? []) : [];

  // What was asked while the line was down is asked again when it is back.
  useEffect(() => {
    if (isLive) store.ask(text);
  }, [isLive]);

  const options: Option[] = isTyped
    ? [
        ...suggestions.map((suggestion) => ({
          key: suggestion.id,
          route: routeOf(suggestion),
          isWide: false,
          text: suggestion.text,
          content: <SuggestionLine suggestion={suggestion} />,
        })),
        {
          key: 'all',
          route: resultsFor(text),
          isWide: true,
          text,
          content: (
            <>
              <Search aria-hidden="true" />
              <span>
                All results for “<bdi>{text.trim()}</bdi>”
              </span>
            </>
          ),
        },
      ]
    : store.recent.value.map((recent) => ({
        key: recent,
        route: resultsFor(recent),
        isWide: true,
        text: recent,
        content: (
          <>
            <History aria-hidden="true" />
            <span dir="auto">{recent}</span>
          </>
        ),
      }));

  const choose = (option: Option): void => {
    store.remember(option.text);
    onClose();
    navigation.go(option.route);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && options.length > 0) {
      event.preventDefault();
      // Past the ends is the field itself.
      const next = active + step;
      setActive(next >= options.length ? -1 : next < -1 ? options.length - 1 : next);
    } else if (event.key === 'Escape' && text !== '') {
      // The first empties the field, the next closes.
      event.preventDefault();
      change('');
    }
  };

  const change = (value: string): void => {
    setText(value);
    setActive(-1);
    store.ask(value);
  };

  useEffect(() => {
    document.getElementById(`${listId}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const isAnswered = suggested !== null && suggested.text === text;
  const found = suggestions.length;
  const spoken = !isTyped
    ? ''
    : isAnswered
      ? found === 0
        ? 'Nothing found'
        : `${counted(found, 'suggestion')}, use the arrow keys`
      : '';

  return (
    <dialog ref={dialog} class={styles.sheet} aria-label="Search" onClose={onClose}>
      <form
        role="search"
        aria-label="Everything"
        class={styles.field}
        onSubmit={(event) => {
          event.preventDefault();
          const chosen = options[active];
          if (chosen !== undefined) choose(chosen);
          else if (isTyped) choose({ ...options.at(-1)!, text });
        }}
      >
        <Search aria-hidden="true" />
        <input
          ref={input}
          type="text"
          role="combobox"
          value={text}
          maxLength={200}
          placeholder="Movies, people, collections"
          aria-label="Search movies, people and collections"
          aria-autocomplete="list"
          aria-expanded={options.length > 0}
          aria-controls={listId}
          aria-activedescendant={active >= 0 ? `${listId}-${active}` : undefined}
          autoComplete="off"
          autoCapitalize="off"
          spellcheck={false}
          enterkeyhint="search"
          onInput={(event) => change(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        <IconButton label="Close the search" onClick={() => dialog.current?.close()}>
          <X aria-hidden="true" />
        </IconButton>
      </form>
      <p class="unseen" role="status">
        {spoken}
      </p>
      <div class={styles.body}>
        {isTyped && !isLive && <p class={styles.note}>No line to the server. The search goes on when it is back.</p>}
        {isTyped && isLive && failure !== null && <p class={styles.note}>{failureText(failure)}</p>}
        {isTyped && isLive && failure === null && store.isSlow.value && (
          <p class={styles.note}>This takes longer than usual…</p>
        )}
        {isTyped && isAnswered && found === 0 && failure === null && (
          <p class={styles.note}>
            Nothing here resembles “<bdi>{text.trim()}</bdi>”. Fewer letters find more.
          </p>
        )}
        {!isTyped && options.length === 0 && (
          <p class={styles.note}>
            Some letters of a title, in any order, with a typo in them. A year, an actor, the name of a series.
          </p>
        )}
        {!isTyped && options.length > 0 && (
          <div class={styles.heading}>
            <h2>Searched before</h2>
            <button type="button" onClick={() => store.forget(null)}>
              Clear
            </button>
          </div>
        )}
        <div role="listbox" id={listId} class={styles.list} aria-label={isTyped ? 'Suggestions' : 'Searched before'}>
          {options.map((option, index) => (
            // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the keys are the field's: it keeps the focus, and says which line is meant
            <div
              key={option.key}
              id={`${listId}-${index}`}
              role="option"
              class={styles.option}
              data-wide={option.isWide}
              aria-selected={index === active}
              // The field keeps the focus.
              onPointerDown={(event) => event.preventDefault()}
              onPointerMove={() => setActive(index)}
              onClick={() => choose(option)}
            >
              {option.content}
            </div>
          ))}
        </div>
      </div>
      <p class={styles.keys} aria-hidden="true">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> choose
        </span>
        <span>
          <kbd>Enter</kbd> open
        </span>
        <span>
          <kbd>Esc</kbd> close
        </span>
      </p>
    </dialog>
  );
}
