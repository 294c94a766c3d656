import { Minus, Plus, X } from 'lucide-preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Player } from '#client/player/player.ts';
import { wishesOf } from '#client/store/wishes.ts';
import { SUBTITLE_COLORS, SUBTITLE_EDGES, SUBTITLE_FONTS } from '#protocol/schema/subtitle-style.ts';
import type { SubtitleStyle } from '#protocol/schema/subtitle-style.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { withKey } from '../../key-hints.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { SubtitleUpload } from '../../parts/subtitle-upload.tsx';
import { CaptionPreview } from './caption-layer.tsx';
import { offsetText } from './subtitle-words.ts';
import styles from './captions.module.css';

const STEP_MS = 50;
const LONG_STEP_MS = 500;

const COLOR_NAMES = {
  white: 'White',
  yellow: 'Yellow',
  cyan: 'Cyan',
  green: 'Green',
  magenta: 'Magenta',
  red: 'Red',
  blue: 'Blue',
  black: 'Black',
} as const;
const EDGE_NAMES = { none: 'None', shadow: 'Shadow', outline: 'Outline', raised: 'Raised' } as const;
const FONT_NAMES = {
  sans: 'Plain',
  serif: 'With serifs',
  mono: 'Fixed width',
  casual: 'Handwriting',
  readable: 'Easy to read',
} as const;

interface Props {
  readonly player: Player;
  readonly onClose: () => void;
}

/**
 * Up and down would change a slider or a list, and somebody with a remote control could never leave it: here they go on to the next thing,
 * and left and right change. Whether the key was one of those.
 */
function goOn(event: KeyboardEvent, panel: HTMLElement): boolean {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const isMeant = event.target instanceof Element && event.target.matches('select, input[type=range]');
  if (step === 0 || !isMeant || event.altKey) return false;
  const things = [...panel.querySelectorAll<HTMLElement>('button, select, input:not([hidden])')];
  things[things.indexOf(event.target as HTMLElement) + step]?.focus();
  return true;
}

/** Beside the picture, on a phone held upright below it: whatever is set here is seen there at once, while the movie goes on. */
export function SubtitlePanel({ player, onClose }: Props) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const { activeElement } = document;
    const element = panel.current!;
    element.querySelector('button')?.focus();
    const onKey = (event: KeyboardEvent): void => {
      if (goOn(event, element)) event.preventDefault();
    };
    element.addEventListener('keydown', onKey);
    return () => {
      element.removeEventListener('keydown', onKey);
      // Whoever worked it by keys goes on where they were; else keys go on working from the picture.
      if (activeElement instanceof HTMLElement && activeElement.isConnected) activeElement.focus();
    };
  }, []);
  const isShown = player.tracks.captionOption !== null;
  return (
    <aside ref={panel} class={styles.dock} aria-label="Subtitles" data-dock data-spatial>
      <header>
        <h2>Subtitles</h2>
        <IconButton label="Close" onClick={onClose}>
          <X aria-hidden="true" />
        </IconButton>
      </header>
      <div class={styles.panel}>
        {isShown && <Timing player={player} />}
        <StyleFields player={player} isPreviewed={!isShown} />
        <fieldset>
          <legend>A file of your own</legend>
          <div style={{ gridColumn: '1 / -1' }}>
            <SubtitleUpload
              fileId={player.playback.value?.fileId ?? null}
              onDone={({ id }) => {
                player.showHandedIn(`s${id}`);
                onClose();
              }}
            />
          </div>
        </fieldset>
      </div>
    </aside>
  );
}

function Timing({ player }: Pick<Props, 'player'>) {
  const offsetMs = player.tracks.captionOffsetMs;
  const shift = (byMs: number | null) => () => void player.tracks.shiftCaptions(byMs);
  return (
    <fieldset>
      <legend>Timing</legend>
      <div class={styles.timing} style={{ gridColumn: '1 / -1' }}>
        <Button onClick={shift(-LONG_STEP_MS)}>−0.5 s</Button>
        <IconButton label={withKey('50 milliseconds earlier', 'G')} onClick={shift(-STEP_MS)}>
          <Minus aria-hidden="true" />
        </IconButton>
        <output aria-live="polite" aria-label="Subtitles are shown">
          {offsetText(offsetMs)}
        </output>
        <IconButton label={withKey('50 milliseconds later', 'H')} onClick={shift(STEP_MS)}>
          <Plus aria-hidden="true" />
        </IconButton>
        <Button onClick={shift(LONG_STEP_MS)}>+0.5 s</Button>
        {offsetMs !== 0 && (
          <Button look="quiet" onClick={shift(null)}>
            As in the file
          </Button>
        )}
      </div>
      {player.tracks.isBurntIn(player.tracks.captionOption) && (
        <p style={{ gridColumn: '1 / -1' }}>Here they are part of the picture, which is made anew for it.</p>
      )}
    </fieldset>
  );
}

/** `isPreviewed`: no subtitles show that would tell how it looks. */
function StyleFields({ player, isPreviewed }: { readonly player: Player; readonly isPreviewed: boolean }) {
  const wishes = wishesOf(useCinema());
  const attempt = useAttempt();
  const style = wishes.preferences.value.subtitleStyle;
  const set = (changes: Partial<SubtitleStyle>): void => {
    void attempt(() => wishes.change({ subtitleStyle: { ...wishes.preferences.peek().subtitleStyle, ...changes } }));
  };
  // What is a part of the picture goes with another picture only, which the server makes as it knows them to want it.
  const overrideStyled = (overridesStyled: boolean): void => {
    void attempt(async () => {
      await wishes.change({ subtitleStyle: { ...wishes.preferences.peek().subtitleStyle, overridesStyled } });
      player.tracks.reconsiderStyles(overridesStyled);
    });
  };
  const slider = (
    name: 'sizePercent' | 'backgroundPercent' | 'liftPercent' | 'opacityPercent',
    label: string,
    min: number,
    max: number,
  ) => (
    <label>
      <span>{label}</span>
      <input
        type="range"
        min={min}
        max={max}
        step={5}
        value={style[name]}
        aria-label={label}
        aria-valuetext={`${style[name]} %`}
        // While it is being dragged: one looks at the picture, and lets go where it is right.
        onInput={(event) => set({ [name]: event.currentTarget.valueAsNumber })}
      />
      <output>{style[name]} %</output>
    </label>
  );
  return (
    <fieldset>
      <legend>Style</legend>
      {isPreviewed && (
        <div style={{ gridColumn: '1 / -1' }}>
          <CaptionPreview style={style} />
        </div>
      )}
      {slider('sizePercent', 'Size', 50, 300)}
      <Choice
        label="Colour"
        value={style.color}
        options={SUBTITLE_COLORS}
        names={COLOR_NAMES}
        onValue={(color) => set({ color })}
      />
      {slider('opacityPercent', 'Opacity', 25, 100)}
      <Choice
        label="Background"
        value={style.background}
        options={SUBTITLE_COLORS}
        names={COLOR_NAMES}
        onValue={(background) => set({ background })}
      />
      {slider('backgroundPercent', 'Its opacity', 0, 100)}
      <Choice
        label="Edge"
        value={style.edge}
        options={SUBTITLE_EDGES}
        names={EDGE_NAMES}
        onValue={(edge) => set({ edge })}
      />
      <Choice
        label="Letters"
        value={style.font}
        options={SUBTITLE_FONTS}
        names={FONT_NAMES}
        onValue={(font) => set({ font })}
      />
      {slider('liftPercent', 'Height above the edge', 0, 45)}
      <label>
        <span>Bold</span>
        <input
          type="checkbox"
          checked={style.isBold}
          onChange={(event) => set({ isBold: event.currentTarget.checked })}
        />
      </label>
      <label>
        <span>Also for styled subtitles</span>
        <input
          type="checkbox"
          checked={style.overridesStyled}
          onChange={(event) => overrideStyled(event.currentTarget.checked)}
        />
      </label>
    </fieldset>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly T[];
  readonly names: Readonly<Record<T, string>>;
  readonly onValue: (value: T) => void;
}

function Choice<T extends string>({ label, value, options, names, onValue }: ChoiceProps<T>) {
  return (
    <label>
      <span>{label}</span>
      <select
        value={value}
        aria-label={label}
        onChange={(event) => onValue(options.find((option) => option === event.currentTarget.value) ?? value)}
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {names[option]}
          </option>
        ))}
      </select>
    </label>
  );
}
