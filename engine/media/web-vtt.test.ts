import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cueText, isConvertibleSubtitle, webVtt } from './web-vtt.ts';
import type { SubtitleCue } from './web-vtt.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const timedText = (text: Uint8Array, more: number[] = []): Uint8Array =>
  Uint8Array.of(text.length >> 8, text.length & 255, ...text, ...more);
const ass = (text: string): Uint8Array => utf8(`12,0,Default,Actor,0,0,0,,${text}`);
const S = 1_000_000;
const cue = (startUs: number, endUs: number, text = 'x', isTop = false): SubtitleCue => ({
  startUs,
  endUs,
  text,
  isTop,
});

describe('cue text', () => {
  it.each<[string, string, Uint8Array, string]>([
    ['SubRip: plain', 'subrip', utf8('Hello,\r\nworld'), 'Hello,\nworld'],
    ['SubRip: tags that stay', 'subrip', utf8('<b>a</b> <I>b</I> <u>c</u>'), '<b>a</b> <i>b</i> <u>c</u>'],
    ['SubRip: tags that go', 'subrip', utf8('<font color="#ff0000">red</font> <s>x</s>'), 'red x'],
    ['SubRip: a script', 'subrip', utf8('<script>alert(1)</script>'), 'alert(1)'],
    ['SubRip: an attribute that would run', 'subrip', utf8('<img src=x onerror=alert(1)>hi'), 'hi'],
    ['SubRip: tags left open', 'subrip', utf8('<i>a <b>b'), '<i>a <b>b</b></i>'],
    ['SubRip: tags closed in the wrong order', 'subrip', utf8('<i>a<b>b</i>c</b>d'), '<i>a<b>b</b></i><b>c</b>d'],
    ['SubRip: closed and never opened', 'subrip', utf8('a</b></i>b'), 'ab'],
    ['SubRip: no tags at all', 'subrip', utf8('1 < 2 > 0 & I <3 you'), '1 &lt; 2 &gt; 0 &amp; I &lt;3 you'],
    ['SubRip: an arrow', 'subrip', utf8('00:01 --> 00:02'), '00:01 --&gt; 00:02'],
    ['SubRip: empty lines', 'subrip', utf8('a\n\n \n\nb\n'), 'a\nb'],
    ['SubRip: borrowed overrides', 'subrip', utf8('{\\an8}{\\i1}up{\\i0} {b}bold{/b}'), 'up <b>bold</b>'],
    ['SubRip: braces that are text', 'subrip', utf8('{sighs}'), '{sighs}'],
    [
      'SubRip: named characters',
      'subrip',
      utf8('a&nbsp;&lt;b&gt; &amp;lt; &copy;'),
      'a\u00a0&lt;b&gt; &amp;lt; &amp;copy;',
    ],
    ['SubRip: only tags', 'subrip', utf8('<i> </i>'), ''],
    ['SubRip: a byte order mark and a null at the end', 'subrip', utf8('\ufeffa\0\0garbage'), 'a'],
    ['SubRip: Windows-1252 instead of UTF-8', 'subrip', Uint8Array.of(0x63, 0x61, 0x66, 0xe9), 'café'],
    ['SubRip: control characters', 'subrip', utf8('a\u0007b\u009bc'), 'abc'],
    ['WebVTT: voices, classes, times', 'webvtt', utf8('<v Ada><c.red>a</c> <00:00:01.000>b</v>'), 'a b'],
    ['WebVTT: ruby', 'webvtt', utf8('<ruby>a<rt>b</rt></ruby>'), 'ab'],
    ['plain text', 'text', utf8('<b>a</b>\n\nb'), '&lt;b&gt;a&lt;/b&gt;\nb'],
    ['timed text', 'mov_text', timedText(utf8('Café <3')), 'Café &lt;3'],
    ['timed text with style records', 'mov_text', timedText(utf8('ab'), [0, 0, 0, 8, 115, 116, 121, 108]), 'ab'],
    ['timed text in UTF-16', 'mov_text', timedText(Uint8Array.of(0xfe, 0xff, 0x00, 0xe9, 0x20, 0x19)), 'é’'],
    ['timed text that is shorter than it says', 'mov_text', Uint8Array.of(0xff, 0xff, 0x61), 'a'],
    ['timed text without a length', 'mov_text', Uint8Array.of(0x00), ''],
    ['ASS: plain, with commas', 'ass', ass('Well, yes, no'), 'Well, yes, no'],
    ['ASS: line breaks and hard spaces', 'ass', ass('a\\Nb\\nc\\hd'), 'a\nb\nc\u00a0d'],
    ['ASS: styles', 'ass', ass('{\\i1}a{\\i0} {\\b700}b{\\b0} {\\u1}c'), '<i>a</i> <b>b</b> <u>c</u>'],
    ['ASS: overrides that only look alike', 'ass', ass('{\\bord3\\be1\\iclip(0,0,9,9)}a'), 'a'],
    ['ASS: a drawing', 'ass', ass('{\\p1}m 0 0 l 9 9{\\p0}'), ''],
    ['ASS: a drawing beside text', 'ass', ass('a{\\p2}m 0 0{\\p0}b'), 'ab'],
    ['ASS: markup of another kind', 'ass', ass('<script>a'), '&lt;script&gt;a'],
    ['ASS: too few fields', 'ass', utf8('1,2,3'), ''],
    ['SSA', 'ssa', ass('{\\a6}a'), 'a'],
  ])('%s', (_what, codec, payload, expected) => {
    expect(cueText(codec, payload).text).toBe(expected);
  });

  it.each<[string, string, boolean]>([
    ['subrip', '{\\an8}a', true],
    ['subrip', '{\\an2}a', false],
    ['ass', '{\\fad(1,2)\\an7\\b1}a', true],
    ['ass', '{\\a6}a', true],
    ['ass', '{\\alpha&H50&}a', false],
  ])('%s %s: at the top is %s', (codec, text, expected) => {
    expect(cueText(codec, codec === 'ass' ? ass(text) : utf8(text)).isTop).toBe(expected);
  });

  it('is bounded', () => {
    expect(cueText('subrip', utf8('a'.repeat(1_000_000))).text.length).toBe(8_192);
  });

  it('comes to an end with text made to be slow', () => {
    const evil = [
      '<'.repeat(8_000),
      '{\\'.repeat(4_000),
      '<b'.repeat(4_000),
      `<${'b'.repeat(8_000)}`,
      '<b>'.repeat(2_700),
    ];
    for (const text of evil) {
      for (let count = 0; count < 100; count++) {
        cueText('subrip', utf8(text));
        cueText('ass', ass(text));
      }
    }
  });

  it('refuses codecs that are no text', () => {
    expect(['hdmv_pgs_subtitle', 'dvd_subtitle', 'toString', 'constructor'].map(isConvertibleSubtitle)).toEqual(
      Array(4).fill(false),
    );
    expect(() => cueText('toString', utf8('a'))).toThrow(RangeError);
  });

  it('is legal WebVTT cue text whatever a packet holds', () => {
    const alphabet = fc.constantFrom(
      '<',
      '>',
      '/',
      'b',
      'i',
      'u',
      '{',
      '}',
      '\\',
      '1',
      '0',
      'p',
      '&',
      ';',
      'lt',
      '\n',
      '\r',
      '-',
      ' ',
      ',',
      'é',
      '\0',
    );
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(alphabet, { maxLength: 60 }).map((parts) => utf8(parts.join(''))),
    );
    const codec = fc.constantFrom('subrip', 'webvtt', 'text', 'mov_text', 'ass');
    fc.assert(
      fc.property(codec, payload, (name, bytes) => {
        const { text } = cueText(name, name === 'ass' ? Uint8Array.of(...ass(''), ...bytes) : bytes);
        expect(text).not.toMatch(/-->|\r|\n\n|^\s|\s$|[\u0000-\u0008\u000b-\u001f]/);
        expect(text.replaceAll(/<\/?[biu]>/g, '')).not.toMatch(/[<>]/);
        const open: string[] = [];
        for (const [, slash, tag] of text.matchAll(/<(\/?)([biu])>/g)) {
          if (slash) expect(open.pop()).toBe(tag);
          else open.push(tag!);
        }
        expect(open).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a WebVTT file', () => {
  it('has its cues in order, each with a time and a text', () => {
    const file = webVtt([cue(3_661 * S, 3_662.5 * S, 'two'), cue(1.5 * S, 2 * S, '<i>one</i>\nline', true)], 0);
    expect(file).toBe(
      [
        'WEBVTT',
        'X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000',
        '',
        '00:00:01.500 --> 00:00:02.000 line:0',
        '<i>one</i>',
        'line',
        '',
        '01:01:01.000 --> 01:01:02.500',
        'two',
        '',
      ].join('\n'),
    );
  });

  it('says how far the segments’ clock is ahead', () => {
    expect(webVtt([], 10 * S)).toBe('WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n');
  });

  it.each<[string, SubtitleCue[], string[]]>([
    [
      'an end before the start: until the next',
      [cue(1 * S, 0), cue(2 * S, 3 * S)],
      ['00:00:01.000 --> 00:00:02.000', '00:00:02.000 --> 00:00:03.000'],
    ],
    ['no end, and no next', [cue(1 * S, Number.NaN)], ['00:00:01.000 --> 00:00:05.000']],
    [
      'no end, and a next at the same time',
      [cue(1 * S, 1 * S, 'a'), cue(1 * S, 1 * S, 'b')],
      ['00:00:01.000 --> 00:00:05.000', '00:00:01.000 --> 00:00:05.000'],
    ],
    ['begins before the movie', [cue(-2 * S, 1 * S)], ['00:00:00.000 --> 00:00:01.000']],
    ['over before the movie begins', [cue(-2 * S, -1 * S)], []],
    ['no text', [cue(1 * S, 2 * S, '')], []],
    ['the same twice', [cue(1 * S, 2 * S), cue(1 * S, 2 * S)], ['00:00:01.000 --> 00:00:02.000']],
    ['no time', [cue(Number.NaN, 2 * S)], []],
    ['more than 99 hours', [cue(360_000 * S, 360_001 * S)], ['100:00:00.000 --> 100:00:01.000']],
  ])('%s', (_what, cues, expected) => {
    expect(
      webVtt(cues, 0)
        .split('\n')
        .filter((line) => line.includes('-->')),
    ).toEqual(expected);
  });
});
