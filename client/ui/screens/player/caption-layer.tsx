import { useLayoutEffect, useRef } from 'preact/hooks';
import type { CaptionLine, Captions } from '#client/player/captions.ts';
import { captionVariables } from './caption-style.ts';
import type { SubtitleStyle } from '#protocol/schema/subtitle-style.ts';
import styles from './captions.module.css';

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
  readonly captions: Pick<Captions, 'lines'>;
  readonly style: SubtitleStyle;
  /** Controls are shown: the text makes room for them. */
  readonly isLifted: boolean;
}

export function CaptionLayer({ captions, style, isLifted }: Props) {
  const lines = captions.lines.value;
  return (
    <div class={styles.layer} style={captionVariables(style)} data-edge={style.edge} data-lifted={isLifted}>
      {[true, false].map((isTop) => (
        <div key={String(isTop)} class={styles.lines} data-top={isTop}>
          {lines
            .filter((line) => line.isTop === isTop)
            .map((line) => (
              <Line key={line.key} line={line} />
            ))}
        </div>
      ))}
    </div>
  );
}

/** Two lines over a picture, to see a style before there is a movie. */
export function CaptionPreview({ style }: { readonly style: SubtitleStyle }) {
  return (
    <div class={styles.preview} style={captionVariables(style)} data-edge={style.edge} aria-hidden="true">
      <div class={styles.lines} data-top={false}>
        <p>
          <span>This is how subtitles look:</span>
        </p>
        <p>
          <span>
            <i>Ça va?</i> Grüße, привет, 你好
          </span>
        </p>
      </div>
    </div>
  );
}
