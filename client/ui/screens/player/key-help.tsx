import { Dialog } from '../../parts/dialog.tsx';
import styles from './player.module.css';

const KEYS: readonly (readonly [keys: readonly string[], text: string])[] = [
  [['Space', 'K'], 'Play or pause'],
  [['J', 'L'], '10 seconds back or forward'],
  [['←', '→'], '5 seconds back or forward'],
  [['0', '…', '9'], 'Jump to a tenth of the movie'],
  [['Home', 'End'], 'Beginning or end'],
  [['Page ↓', 'Page ↑'], 'Chapter back or forward'],
  [['S'], 'Skip the intro, the recap or the credits'],
  [['N'], 'Next part, or next movie'],
  [[',', '.'], 'One frame back or forward'],
  [['<', '>'], 'Slower or faster'],
  [['↑', '↓'], 'Volume'],
  [['M'], 'Mute'],
  [['C'], 'Subtitles'],
  [['G', 'H'], 'Subtitles a little earlier or later'],
  [['A'], 'Next audio track'],
  [['B'], 'Repeat a part: its beginning, its end, off'],
  [['Enter'], 'To the buttons; arrows move between them'],
  [['F'], 'Full screen'],
  [['P'], 'Picture in picture'],
  [['I'], 'About this stream'],
  [['Esc'], 'Back'],
];

export function KeyHelp({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" isWide onClose={onClose}>
      <dl class={styles.keys}>
        {KEYS.map(([keys, text]) => (
          <div key={text}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
