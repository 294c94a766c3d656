/** How this person likes to watch on this device. Remembered here, not on the server: a phone and a cinema want different volumes. */
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import type { Memory } from './ports.ts';

/** A signal whose value survives the page. A remembered text that `parse` does not accept counts as absent. */
function remembered<T>(
  memory: Memory,
  name: string,
  parse: (text: string) => T | null,
  print: (value: T) => string,
  initial: T,
): Signal<T> {
  const text = memory.read(name);
  const value = signal<T>((text === null ? null : parse(text)) ?? initial);
  let first = true;
  value.subscribe((next) => {
    if (!first) memory.write(name, print(next));
    first = false;
  });
  return value;
}

const parseFlag = (text: string): boolean | null => (text === 'yes' ? true : text === 'no' ? false : null);
const printFlag = (value: boolean): string => (value ? 'yes' : 'no');

function parseShare(text: string): number | null {
  const value = Number(text);
  return text !== '' && value >= 0 && value <= 1 ? value : null;
}

function parseBitrate(text: string): number | null {
  const value = Number(text);
  return Number.isSafeInteger(value) && value > 0 ? value : null;
}

export class Preferences {
  /** 0 to 1, as the slider shows it. */
  readonly volume: Signal<number>;
  readonly isMuted: Signal<boolean>;
  /** Language of the subtitles last chosen; empty for none chosen. */
  readonly captionLanguage: Signal<string>;
  readonly areCaptionsOn: Signal<boolean>;
  /** The clock beside the seek bar: time left instead of the length. */
  readonly showsTimeLeft: Signal<boolean>;
  /** What the line to the server carried when something was last played over it; 0: nobody knows. */
  readonly lineBps: Signal<number>;
  /** Other screens of the same person may say what plays here. */
  readonly isControllable: Signal<boolean>;
  /** Voices up, effects down, for who watches while others sleep. */
  readonly isNightSound: Signal<boolean>;
  /** What this device is called among the person's screens; empty: as its browser calls itself. */
  readonly screenName: Signal<string>;
  /** Filters beside the movies, where there is room for both. */
  readonly showsFilters: Signal<boolean>;

  constructor(memory: Memory) {
    this.volume = remembered(memory, 'volume', parseShare, String, 1);
    this.isMuted = remembered(memory, 'muted', parseFlag, printFlag, false);
    this.captionLanguage = remembered(memory, 'captionLanguage', (text) => text, String, '');
    this.areCaptionsOn = remembered(memory, 'captions', parseFlag, printFlag, false);
    this.showsFilters = remembered(memory, 'filters', parseFlag, printFlag, true);
    this.isControllable = remembered(memory, 'controllable', parseFlag, printFlag, true);
    this.isNightSound = remembered(memory, 'night', parseFlag, printFlag, false);
    this.screenName = remembered(memory, 'screen', (text) => text.slice(0, 60), String, '');
    this.lineBps = remembered(memory, 'lineBps', parseBitrate, String, 0);
    this.showsTimeLeft = remembered(memory, 'timeLeft', parseFlag, printFlag, false);
  }
}
