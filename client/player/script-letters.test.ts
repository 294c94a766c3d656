import { describe, expect, it } from 'vitest';
import { needsOtherFonts } from './script-letters.ts';

const script = (...texts: string[]): string =>
  ['[Script Info]', 'Title: 日本語', '', '[Events]']
    .concat(texts.map((text) => `Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,${text}`))
    .join('\n');

describe('letters of a styled script', () => {
  it.each<[string, string[], boolean]>([
    ['nothing', [], false],
    ['English', ['Where are you, Ada?'], false],
    ['Greek, Russian, Hebrew', ['Πού είσαι;', 'Где ты?', 'איפה אתה?'], false],
    ['Chinese', ['你在哪里？'], true],
    ['Japanese with a Latin name', ['Ada、どこにいるの'], true],
    ['Korean', ['어디 있어?'], true],
    ['Thai and Arabic', ['คุณอยู่ที่ไหน', 'أين أنت'], true],
    [
      'English with one sign in Chinese',
      ['We are looking for the place that is called', 'the old town gate', '城'],
      false,
    ],
    ['names of fonts that nobody sees', [String.raw`{\fn日本語フォント日本語フォント}Hello`], false],
  ])('%s', (_, texts, expected) => {
    expect(needsOtherFonts(script(...texts))).toBe(expected);
  });
});
