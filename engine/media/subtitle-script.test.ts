import { describe, expect, it } from 'vitest';
import { parseSubtitleScript, scriptFormat } from './subtitle-script.ts';
import { webVtt } from './web-vtt.ts';

const cuesOf = (text: string, frameRate: number | null = null): [number, number, string, boolean][] =>
  (parseSubtitleScript(text, frameRate)?.cues ?? []).map((cue) => [
    Math.round(cue.startUs / 1_000),
    Math.round(cue.endUs / 1_000),
    cue.text,
    cue.isTop,
  ]);

const ASS = `[Script Info]
; a comment
Title: Signs
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour
Style: Default,Arial,20,&H00FFFFFF
[Fonts]
fontname: evil.ttf
!!!!
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:01.50,0:00:02.25,Default,Ann,0,0,0,,{\\an8\\i1}Up{\\i0} there, you\\Nsee <b>?
Dialogue: 1,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 10 0 10 10{\\p0}
`;

describe('files of subtitles', () => {
  it('[PLAY50] SubRip: numbers, empty lines inside of cues, dots for commas, missing numbers', () => {
    expect(
      cuesOf(
        '\ufeff1\r\n00:00:01,000 --> 00:00:02,500\r\nOne\r\n\r\nmore\r\n\r\n2\r\n0:00:03.5 --> 0:00:04,000 X1:0\r\n<i>Two</i>\r\n3\n00:00:05,000 -> 00:00:06,000\nThree\n',
      ),
    ).toEqual([
      [1_000, 2_500, 'One\nmore', false],
      [3_500, 4_000, '<i>Two</i>', false],
      [5_000, 6_000, 'Three', false],
    ]);
  });

  it('[PLAY50] WebVTT: notes and styles are left out, short times, identifiers, the upper edge', () => {
    expect(
      cuesOf(
        'WEBVTT - x\n\nNOTE\nhidden --> not\n\nSTYLE\n::cue { background: url(https://evil.example/) }\n\nid\n00:01.000 --> 00:02.000 line:0\n<v Bob>Hi</v>\n\n01:00:00.000 --> 01:00:01.000\n<c.red>Red</c>\n',
      ),
    ).toEqual([
      [1_000, 2_000, 'Hi', true],
      [3_600_000, 3_601_000, 'Red', false],
    ]);
  });

  it('[PLAY50] MicroDVD counts pictures: of the movie, or of what its first line says', () => {
    expect(cuesOf('{25}{50}One|{y:i}two\n{100}{}Three', 25)).toEqual([
      [1_000, 2_000, 'One\n<i>two</i>', false],
      [4_000, Number.NaN, 'Three', false],
    ]);
    expect(cuesOf('{1}{1}50\n{25}{50}One', 25)).toEqual([[500, 1_000, 'One', false]]);
  });

  it('[PLAY50] ASS: plain text for who can’t draw it, the script for who can', () => {
    const script = parseSubtitleScript(ASS, null)!;
    expect(cuesOf(ASS)).toEqual([
      [1_500, 2_250, '<i>Up</i> there, you\nsee &lt;b&gt;?', true],
      [3_000, 4_000, '', false],
    ]);
    expect(script.styled).toContain('PlayResX: 640');
    expect(script.styled).toContain('Style: Default,Arial,20,&H00FFFFFF');
    expect(script.styled).toContain(
      'Dialogue: 0,0:00:01.50,0:00:02.25,Default,Ann,0,0,0,,{\\an8\\i1}Up{\\i0} there, you\\Nsee <b>?',
    );
    expect(script.styled).not.toMatch(/evil|Comment|Title/);
    expect(parseSubtitleScript(script.styled!, null)!.styled).toBe(script.styled);
  });

  it.each<[string, string | null]>([
    ['WEBVTT\n', 'vtt'],
    ['1\n00:00:01,000 --> 00:00:02,000\nx', 'srt'],
    ['{10}{20}x', 'microdvd'],
    ['[Script Info]\n', 'ass'],
    ['<html><script>alert(1)</script>', null],
    ['MZ\u0000\u0001', null],
    ['', null],
  ])('[PLAY56] tells what %j is by its content', (text, format) => {
    expect(scriptFormat(text)).toBe(format);
  });

  it('[PLAY56] nothing of a hostile file becomes markup, ends a cue or begins another', () => {
    const cue = (text: string): string => `1\n00:00:01,000 --> 00:00:02,000\n${text}\n`;
    for (const text of [
      '<img src=x onerror=alert(1)>',
      '<script>alert(1)</script>',
      'a\u0000b <b onclick="x">y',
      '--> 00:00:09.000\nNOTE x',
      '&lt;script&gt;',
      '<b><i></b></i><c.x><ruby><rt>',
    ]) {
      const vtt = webVtt(parseSubtitleScript(cue(text), null)?.cues ?? [], 0);
      expect(vtt.replace(/<\/?[biu]>/g, '').replace(/^.* --> .*$/gm, '')).not.toMatch(/<|-->|\u0000/);
    }
  });

  it('[PLAY56] limits: lines of ten megabytes, a million cues, floods of events', () => {
    const long = `1\n00:00:01,000 --> 00:00:02,000\n${'<'.repeat(5_000_000)}${'{'.repeat(5_000_000)}`;
    expect(cuesOf(long)[0]![2].length).toBeLessThan(100_000);
    const many = '00:00:01,000 --> 00:00:02,000\nx\n'.repeat(300_000);
    expect(cuesOf(many).length).toBe(100_000);
    const event = 'Dialogue: 0,0:00:01.00,0:00:09.00,Default,,0,0,0,,{\\fad(10,10)}x\n';
    const flood = parseSubtitleScript(`[Script Info]\nPlayResX: 99999999\n[Events]\n${event.repeat(20_000)}`, null)!;
    expect(flood.styled!.match(/^Dialogue/gm)).toHaveLength(600);
    expect(flood.styled).toContain('PlayResX: 16384');
  });
});
