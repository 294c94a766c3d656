import { Check, Copy } from 'lucide-preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useLobby } from '../house.ts';
import { Button } from './button.tsx';
import styles from './copy-line.module.css';

interface Props {
  readonly label: string;
  readonly value: string;
}

const COPIED_MS = 2_500;

/** A text to take elsewhere, with a button that copies it. */
export function CopyLine({ label, value }: Props) {
  const { notices } = useLobby();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);

  const copy = async (): Promise<void> => {
    input.current?.select();
    // Browsers have a clipboard on https and on this machine only; elsewhere the selected text can still be copied.
    const isDone = await (navigator.clipboard as Clipboard | undefined)?.writeText(value).then(
      () => true,
      () => false,
    );
    // oxlint-disable-next-line typescript/no-deprecated -- the only way to copy on plain http, where servers at home are
    if (isDone === true || document.execCommand('copy')) setCopied(true);
    else notices.show('The browser does not let this page copy. The text is selected: copy it by hand.');
  };

  return (
    <div class={styles.line}>
      <label for={id}>{label}</label>
      <span class={styles.box}>
        <input
          ref={input}
          id={id}
          readOnly
          value={value}
          spellcheck={false}
          onFocus={(event) => event.currentTarget.select()}
        />
        <Button
          icon={isCopied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
          onClick={() => void copy()}
        >
          {isCopied ? 'Copied' : 'Copy'}
        </Button>
      </span>
      <span class={styles.said} role="status">
        {isCopied ? `${label} is copied.` : ''}
      </span>
    </div>
  );
}
