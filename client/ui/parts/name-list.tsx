import { X } from 'lucide-preact';
import { useId, useRef, useState } from 'preact/hooks';
import styles from './name-list.module.css';

interface Props {
  readonly label: string;
  readonly names: readonly string[];
  readonly onNames: (names: readonly string[]) => void;
  /** Names that are known, offered while typing. */
  readonly known?: readonly string[];
  readonly placeholder?: string;
}

/** Several names in one field: typed, ended by Enter or a comma, each taken back on its own. */
export function NameList({ label, names, onNames, known = [], placeholder = 'Add…' }: Props) {
  const id = useId();
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);

  const add = (typed: string): void => {
    const added = typed
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const held = new Set(names.map((name) => name.toLowerCase()));
    const fresh = added.filter((name) => !held.has(name.toLowerCase()));
    if (fresh.length > 0) onNames([...names, ...fresh]);
    setText('');
  };

  return (
    <div class={styles.field}>
      <label for={id}>{label}</label>
      <div class={styles.box}>
        {names.map((name) => (
          <span key={name} class={styles.name}>
            <span dir="auto">{name}</span>
            <button
              type="button"
              aria-label={`Take ${name} away`}
              onClick={() => {
                onNames(names.filter((other) => other !== name));
                input.current?.focus();
              }}
            >
              <X aria-hidden="true" />
            </button>
          </span>
        ))}
        <input
          ref={input}
          id={id}
          value={text}
          list={`${id}-known`}
          maxLength={200}
          placeholder={names.length === 0 ? placeholder : ''}
          autoComplete="off"
          onInput={(event) => {
            const { value } = event.currentTarget;
            if (value.includes(',')) add(value);
            else setText(value);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && text.trim() !== '') {
              event.preventDefault();
              add(text);
            } else if (event.key === 'Backspace' && text === '' && names.length > 0) {
              onNames(names.slice(0, -1));
            }
          }}
          onBlur={() => text.trim() !== '' && add(text)}
        />
        <datalist id={`${id}-known`}>
          {known
            .filter((name) => !names.includes(name))
            .map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
        </datalist>
      </div>
    </div>
  );
}
