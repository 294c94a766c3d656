import { Eye, EyeOff } from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { IconButton } from './button.tsx';
import styles from './field.module.css';

interface Props {
  readonly label: string;
  readonly type?: 'text' | 'password';
  /** The browser's word for what belongs here, so that password managers help. */
  readonly autoComplete?: 'username' | 'current-password' | 'new-password' | 'one-time-code' | 'off';
  readonly autoFocus?: boolean;
  readonly isRequired?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly placeholder?: string;
  readonly isCode?: boolean;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly hint?: ComponentChildren;
  /** What is wrong with it, said beside the field and to screen readers. */
  readonly problem?: string | null;
}

/** A labelled text field. Passwords get a button that shows them. */
export function Field({
  label,
  value,
  onValue,
  hint,
  problem = null,
  type = 'text',
  autoComplete = 'off',
  autoFocus = false,
  isRequired = true,
  minLength,
  maxLength,
  placeholder,
  isCode = false,
}: Props) {
  const id = useId();
  const [isShown, setShown] = useState(false);
  const isPassword = type === 'password';
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (autoFocus) input.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class={styles.field}>
      <label for={id}>{label}</label>
      <span class={styles.box} data-wrong={problem !== null}>
        <input
          ref={input}
          id={id}
          autoComplete={autoComplete}
          autoCapitalize="none"
          autoCorrect="off"
          spellcheck={false}
          required={isRequired}
          {...(minLength !== undefined && { minLength })}
          {...(maxLength !== undefined && { maxLength })}
          {...(placeholder !== undefined && { placeholder })}
          data-code={isCode}
          {...(isPassword && !isShown ? ({ type: 'password' } as const) : ({ type: 'text' } as const))}
          value={value}
          aria-invalid={problem !== null}
          aria-describedby={`${id}-hint ${id}-problem`}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
        {isPassword && (
          <IconButton
            label={isShown ? 'Hide the password' : 'Show the password'}
            aria-pressed={isShown}
            onClick={() => setShown(!isShown)}
          >
            {isShown ? <EyeOff aria-hidden="true" /> : <Eye aria-hidden="true" />}
          </IconButton>
        )}
      </span>
      <span id={`${id}-problem`} class={styles.problem}>
        {problem}
      </span>
      <span id={`${id}-hint`} class={styles.hint}>
        {hint}
      </span>
    </div>
  );
}

interface LongProps {
  readonly label: string;
  readonly value: string;
  readonly maxLength: number;
  readonly onValue: (value: string) => void;
}

/** A labelled field for several lines. */
export function LongField({ label, value, maxLength, onValue }: LongProps) {
  const id = useId();
  return (
    <div class={styles.field}>
      <label for={id}>{label}</label>
      <textarea
        id={id}
        class={styles.area}
        maxLength={maxLength}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, text: string])[];
  readonly onValue: (value: T) => void;
}

/** A select that looks like the rest of the house; the device's own list opens. */
export function Choice<T extends string>({ label, value, options, onValue }: ChoiceProps<T>) {
  const id = useId();
  return (
    <span class={styles.choice}>
      <label for={id}>{label}</label>
      <select
        id={id}
        value={value}
        onChange={(event) => {
          const chosen = options.find(([option]) => option === event.currentTarget.value);
          if (chosen !== undefined) onValue(chosen[0]);
        }}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </span>
  );
}
