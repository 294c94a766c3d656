import { useLayoutEffect, useRef } from 'preact/hooks';
import type { CaptionLine, Captions } from '#client/player/captions.ts';
import type { CaptionSize } from '#client/store/preferences.ts';
import styles from './player.module.css';

/** The browser has parsed the cue into nodes; they are put in as nodes, so no text of a file ever becomes markup. */
function Line({ line }: { readonly line: CaptionLine }) {
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => place.current?.replaceChildren(line.content), [line.key]);
  return (
    <p>
      <span ref={place} dir="auto" />
    </p>
  );
}

interface Props {
  readonly captions: Captions;
  readonly size: CaptionSize;
  /** Controls are shown: the text makes room for them. */
  readonly isLifted: boolean;
}

export function CaptionLayer({ captions, size, isLifted }: Props) {
  return (
    <div class={styles.captions} data-size={size} data-lifted={isLifted}>
      {captions.lines.value.map((line) => (
        <Line key={line.key} line={line} />
      ))}
    </div>
  );
}
