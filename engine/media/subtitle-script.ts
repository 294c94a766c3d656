/**
 * Files of subtitles as cues: SubRip, WebVTT, MicroDVD, and ASS with its older sister SSA.
 *
 * Files are what anyone may have written. They are read line by line with hard limits, and nothing of them becomes markup but what
 * `web-vtt.ts` lets through.
 */
import { MAX_CUES, assCueText, markupCueText } from './web-vtt.ts';
import type { SubtitleCue } from './web-vtt.ts';

/** Of a file of text, in bytes. The longest real ones, animated signs in ASS, reach a third of it. */
export const MAX_SCRIPT_BYTES = 24 << 20;
/** Characters of a line that count. Drawings in ASS reach ten thousands. */
const MAX_LINE_LENGTH = 32_768;
/** Events of a styled script that are shown at once; what signs are made of stays below. */
const MAX_OVERLAPS = 600;
const MAX_STYLES = 2_000;
/** Pictures a second where neither the file nor the movie says. */
const DEFAULT_FRAME_RATE = 23.976;

export const SCRIPT_FORMATS = ['srt', 'vtt', 'ass', 'microdvd'] as const;
export type ScriptFormat = (typeof SCRIPT_FORMATS)[number];

export interface SubtitleScript {
  readonly format: ScriptFormat;
  readonly cues: readonly SubtitleCue[];
  /** The script for who draws styles; `null` for formats without. */
  readonly styled: string | null;
}

/** What a text is in, by its content alone: names lie. `null` for none of ours. */
export function scriptFormat(text: string): ScriptFormat | null {
  const head = text
    .slice(0, 16_384)
    .replace(/^\ufeff/, '')
    .trimStart();
  if (/^WEBVTT(?:[ \t\r\n]|$)/.test(head)) return 'vtt';
  if (/^\[script info\]/im.test(head) || /^\[v4\+? styles\]/im.test(head)) return 'ass';
  if (/^\{(?:\d{1,9}|DEFAULT)\}\{\d{0,9}\}/m.test(head)) return 'microdvd';
  if (/^[ \t]*(?:\d{1,3}:)?\d{1,3}:\d{1,2}[,.:]\d{1,3}[ \t]*-{1,3}>/m.test(head)) return 'srt';
  return null;
}

/** `null` for a text that is none of ours. `frameRate` is the movie's, for formats that count pictures. */
export function parseSubtitleScript(text: string, frameRate: number | null): SubtitleScript | null {
  const format = scriptFormat(text);
  if (format === null) return null;
  const lines = linesOf(text);
  switch (format) {
    case 'srt':
    case 'vtt':
      return { format, cues: timedCues(lines, format), styled: null };
    case 'microdvd':
      return { format, cues: microDvdCues(lines, frameRate ?? DEFAULT_FRAME_RATE), styled: null };
    case 'ass': {
      const script = parseStyledScript(lines);
      return { format, cues: script.events.map(toCue), styled: printStyledScript(script) };
    }
  }
}

/** Lines without control characters and of bounded length. One that is longer is cut: it is no subtitle. */
export function* linesOf(text: string): Generator<string> {
  let at = text.startsWith('\ufeff') ? 1 : 0;
  const end = /\r\n?|\n/g;
  while (at < text.length) {
    end.lastIndex = at;
    const found = end.exec(text);
    const to = found?.index ?? text.length;
    yield text
      .slice(at, Math.min(to, at + MAX_LINE_LENGTH))
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufeff]/g, '');
    at = found ? to + found[0].length : text.length;
  }
}

const TIME = String.raw`(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})(?:[,.:](\d{1,3}))?`;
/** As players of twenty years have taken it: a dot for the comma, short hours, arrows of any length. */
const TIMES = new RegExp(String.raw`^[ \t]*${TIME}[ \t]*-{1,3}>[ \t]*${TIME}([ \t].*)?$`);

function timeUs([, hours, minutes, seconds, fraction]: readonly (string | undefined)[]): number {
  const whole = Number(hours ?? 0) * 3_600 + Number(minutes) * 60 + Number(seconds);
  return whole * 1_000_000 + Number((fraction ?? '').padEnd(3, '0') || 0) * 1_000;
}

/** SubRip and WebVTT are blocks of lines behind a line of times. */
function timedCues(lines: Iterable<string>, format: 'srt' | 'vtt'): SubtitleCue[] {
  const cues: SubtitleCue[] = [];
  let open: { startUs: number; endUs: number; isTop: boolean; lines: string[] } | null = null;
  let lineBefore = '';
  let isPassedOver = false;
  const close = (): void => {
    if (open === null) return;
    const { text, isTop } = markupCueText(open.lines.join('\n'));
    if (text !== '') cues.push({ startUs: open.startUs, endUs: open.endUs, text, isTop: isTop || open.isTop });
    open = null;
  };
  for (const line of lines) {
    const times = TIMES.exec(line);
    if (times) {
      // SubRip files without empty lines: what stands before the times is the next cue's number.
      if (open !== null && /^\d+$/.test(lineBefore.trim())) (open as { lines: string[] }).lines.pop();
      close();
      if (cues.length >= MAX_CUES) break;
      isPassedOver = false;
      const settings = times[9] ?? '';
      open = {
        startUs: timeUs(times.slice(0, 5)),
        endUs: timeUs(['', ...times.slice(5, 9)]),
        isTop: format === 'vtt' && /(?:^|\s)line:(?:\d|[0-3]?\d(?:\.\d+)?%)(?:\s|,|$)/.test(settings),
        lines: [],
      };
    } else if (line.trim() === '') {
      // An empty line ends a block of WebVTT. SubRip files have them inside of cues, too: the next line of times tells.
      if (format === 'vtt') close();
      isPassedOver = false;
    } else if (open !== null) {
      if (open.lines.length < 64) open.lines.push(line);
    } else if (format === 'vtt' && /^(?:NOTE|STYLE|REGION)(?:[ \t]|$)/.test(line)) isPassedOver = true;
    if (!isPassedOver) lineBefore = line;
  }
  // The number of a cue that follows on an empty line belongs to nobody.
  close();
  return format === 'srt' ? cues.map(withoutNumber) : cues;
}

/** Of SubRip: the number of the next cue at the end of a text, behind what was an empty line. */
function withoutNumber(cue: SubtitleCue, index: number, all: readonly SubtitleCue[]): SubtitleCue {
  const text = cue.text.replace(new RegExp(`\\n${index + 2}$`), '');
  return index < all.length - 1 && text !== cue.text ? { ...cue, text } : cue;
}

/** `{start}{end}text|second line`, in pictures. `{1}{1}23.976` at the beginning says how many a second. */
function microDvdCues(lines: Iterable<string>, movieFrameRate: number): SubtitleCue[] {
  const cues: SubtitleCue[] = [];
  let frameRate = movieFrameRate;
  for (const line of lines) {
    const parts = /^\{(\d{1,9})\}\{(\d{0,9})\}(.*)$/.exec(line.trim());
    if (!parts) continue;
    const [, start = '', end = '', body = ''] = parts;
    const stated = /^\d{1,3}(?:[.,]\d{1,5})?$/.test(body.trim()) ? Number(body.trim().replace(',', '.')) : 0;
    if (Number(start) <= 1 && Number(end) <= 1 && stated >= 1 && stated <= 240) {
      frameRate = stated;
      continue;
    }
    if (cues.length >= MAX_CUES) break;
    const toUs = (frames: string): number => (Number(frames) / frameRate) * 1e6;
    const text = body
      .split('|')
      .map((one) => (/\{y:[^}]*i/i.test(one) || one.startsWith('/') ? `<i>${stripped(one)}</i>` : stripped(one)))
      .join('\n');
    const cue = markupCueText(text);
    if (cue.text !== '') cues.push({ startUs: toUs(start), endUs: end === '' ? Number.NaN : toUs(end), ...cue });
  }
  return cues;
}

const stripped = (line: string): string => line.replace(/\{[a-zA-Z]:[^}]*\}/g, '').replace(/^\//, '');

/** What of an ASS script counts: its facts, its styles and its events, each with the names of its columns. */
export interface StyledScript {
  readonly info: readonly string[];
  /** `V4+ Styles`, or `V4 Styles` of SSA. */
  readonly stylesSection: string;
  readonly styleFormat: string;
  readonly styles: readonly string[];
  readonly events: readonly StyledEvent[];
}

export interface StyledEvent {
  readonly startUs: number;
  readonly endUs: number;
  readonly layer: string;
  readonly style: string;
  readonly name: string;
  readonly margins: readonly [string, string, string];
  readonly effect: string;
  readonly text: string;
}

const DEFAULT_STYLE_FORMAT =
  'Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding';
const EVENT_FORMAT = 'Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text';
/** Facts that decide how it is drawn; everything else in that section is about its makers. */
const INFO =
  /^(?:ScriptType|PlayResX|PlayResY|LayoutResX|LayoutResY|WrapStyle|ScaledBorderAndShadow|YCbCr Matrix|Collisions|Timer|Kerning)\s*:/i;

export function parseStyledScript(lines: Iterable<string>): StyledScript {
  const info: string[] = [];
  const styles: string[] = [];
  const events: StyledEvent[] = [];
  let [section, stylesSection, styleFormat] = ['', 'V4+ Styles', DEFAULT_STYLE_FORMAT];
  let columns = columnsOf(EVENT_FORMAT);
  for (const raw of lines) {
    const line = raw.trim();
    const heading = /^\[([^\]]{1,40})\]$/.exec(line)?.[1]?.toLowerCase();
    if (heading !== undefined) {
      section = heading;
      if (heading === 'v4 styles') stylesSection = 'V4 Styles';
    } else if (section === 'script info') {
      if (INFO.test(line) && info.length < 64) info.push(boundedInfo(line));
    } else if (section === 'v4+ styles' || section === 'v4 styles') {
      if (/^format\s*:/i.test(line)) styleFormat = line.slice(line.indexOf(':') + 1).trim();
      else if (/^style\s*:/i.test(line) && styles.length < MAX_STYLES) {
        styles.push(line.slice(line.indexOf(':') + 1).trim());
      }
    } else if (section === 'events') {
      if (/^format\s*:/i.test(line)) columns = columnsOf(line.slice(line.indexOf(':') + 1));
      else if (/^dialogue\s*:/i.test(line) && events.length < MAX_CUES) {
        const event = eventOf(line.slice(line.indexOf(':') + 1).trimStart(), columns);
        if (event) events.push(event);
      }
    }
  }
  return { info, stylesSection, styleFormat, styles, events: withoutFloods(events) };
}

/** A canvas that is larger than any screen would only cost memory. */
function boundedInfo(line: string): string {
  const size = /^((?:PlayRes|LayoutRes)[XY])\s*:\s*(\d+)/i.exec(line);
  return size ? `${size[1]!}: ${Math.min(Math.max(1, Number(size[2])), 16_384)}` : line.slice(0, 200);
}

const columnsOf = (format: string): readonly string[] => format.split(',').map((name) => name.trim().toLowerCase());

function eventOf(line: string, columns: readonly string[]): StyledEvent | null {
  const fields = splitFields(line, columns.length);
  const field = (name: string): string => fields[columns.indexOf(name)]?.trim() ?? '';
  const startUs = styledTimeUs(field('start'));
  const endUs = styledTimeUs(field('end'));
  if (startUs === null || endUs === null || endUs <= startUs) return null;
  return {
    startUs,
    endUs,
    layer: field('layer') || '0',
    style: field('style') || 'Default',
    name: field('name'),
    margins: [field('marginl') || '0', field('marginr') || '0', field('marginv') || '0'],
    effect: field('effect'),
    text: fields[columns.indexOf('text')] ?? '',
  };
}

/** The last field takes the rest, commas included. */
function splitFields(line: string, count: number): string[] {
  const fields: string[] = [];
  let at = 0;
  while (fields.length < count - 1) {
    const comma = line.indexOf(',', at);
    if (comma < 0) break;
    fields.push(line.slice(at, comma));
    at = comma + 1;
  }
  fields.push(line.slice(at));
  return fields;
}

function styledTimeUs(text: string): number | null {
  const parts = /^(\d{1,4}):(\d{1,2}):(\d{1,2})(?:[.:,](\d{1,3}))?$/.exec(text);
  return parts && timeUs(parts);
}

/** An event of Matroska: the order of reading, then the columns without the times, which the block has. */
export function styledEventOf(payload: string, startUs: number, endUs: number): StyledEvent | null {
  if (!(endUs > startUs)) return null;
  const clean = payload.replace(/[\u0000-\u0008\u000a-\u001f]/g, '').slice(0, MAX_LINE_LENGTH);
  const [, layer, style, name, left, right, vertical, effect, text] = splitFields(clean, 9);
  return {
    startUs,
    endUs,
    layer: layer || '0',
    style: style || 'Default',
    name: name ?? '',
    margins: [left || '0', right || '0', vertical || '0'],
    effect: effect ?? '',
    text: text ?? '',
  };
}

/** Of events that show at once only as many as a screen can hold. Order is kept. */
export function withoutFloods(events: readonly StyledEvent[], mostAtOnce: number = MAX_OVERLAPS): StyledEvent[] {
  const order = events.map((_, index) => index).toSorted((a, b) => events[a]!.startUs - events[b]!.startUs || a - b);
  const kept = new Set<number>();
  /** Ends of what shows, in rising order. */
  let ends: number[] = [];
  for (const index of order) {
    const { startUs, endUs } = events[index]!;
    if (ends.length > 0 && ends[0]! <= startUs) ends = ends.filter((end) => end > startUs);
    if (ends.length >= mostAtOnce) continue;
    kept.add(index);
    let at = ends.length;
    while (at > 0 && ends[at - 1]! > endUs) at--;
    ends.splice(at, 0, endUs);
  }
  return events.filter((_, index) => kept.has(index));
}

export function printStyledScript(
  script: Omit<StyledScript, 'events'> & { readonly events: readonly StyledEvent[] },
): string {
  return `${printStyledHead(script)}${script.events.map(printStyledEvent).join('')}`;
}

/** Everything before the events. */
export function printStyledHead({ info, stylesSection, styleFormat, styles }: Omit<StyledScript, 'events'>): string {
  return [
    '[Script Info]',
    ...(info.some((line) => /^scripttype/i.test(line)) ? [] : ['ScriptType: v4.00+']),
    ...info,
    '',
    `[${stylesSection}]`,
    `Format: ${styleFormat}`,
    ...styles.map((style) => `Style: ${style}`),
    '',
    '[Events]',
    `Format: ${EVENT_FORMAT}`,
    '',
  ].join('\n');
}

export function printStyledEvent(event: StyledEvent): string {
  const fields = [
    event.layer,
    styledTime(event.startUs),
    styledTime(event.endUs),
    event.style,
    event.name,
    ...event.margins,
    event.effect,
  ];
  return `Dialogue: ${fields.map((field) => field.replaceAll(',', ' ')).join(',')},${event.text}\n`;
}

function styledTime(us: number): string {
  const total = Math.max(0, Math.round(us / 10_000));
  const pad = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(total / 360_000)}:${pad(Math.floor(total / 6_000) % 60)}:${pad(Math.floor(total / 100) % 60)}.${pad(total % 100)}`;
}

/** What of an event can be read as plain text. */
export function toCue({ startUs, endUs, text }: StyledEvent): SubtitleCue {
  return { startUs, endUs, ...assCueText(text) };
}
