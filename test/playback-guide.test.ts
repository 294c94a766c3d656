/**
 * docs/playback.md shows the truth tables as they are tested. After a change of a table, MATINEE_UPDATE_GOLDEN=1 writes them anew:
 * read what changes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REASON_TEXTS } from '#client/ui/reason-text.ts';
import { PLAY_REASONS } from '#protocol/schema/playback.ts';
import { PLAY_TABLE } from './support/play-table.ts';
import { AUDIO_TABLE, SUBTITLE_TABLE } from './support/track-table.ts';

const path = join(import.meta.dirname, '../docs/playback.md');
const isRecording = process.env['MATINEE_UPDATE_GOLDEN'] === '1';
const METHODS = { directPlay: 'direct play', remux: 'remux', transcode: 'transcode' } as const;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const codes = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(', ');
const orNone = (text: string): string => (text === '' ? '–' : text);

const PARTS: Readonly<Record<string, string>> = {
  reasons: table(
    ['reason', 'what it means'],
    PLAY_REASONS.map((reason) => [`\`${reason}\``, REASON_TEXTS[reason]]),
  ),
  audio: table(
    ['case', 'tracks', 'you', 'plays', 'reason'],
    AUDIO_TABLE.map(({ what, tracks, speaks, original, takes, reason }) => [
      what,
      orNone(codes(tracks)),
      orNone(speaks) + (original === undefined ? '' : `; made in ${original}`),
      takes === null ? '–' : `\`${tracks[takes]!}\``,
      reason === null ? '–' : `\`${reason}\``,
    ]),
  ),
  subtitles: table(
    ['case', 'subtitles', 'sound', 'you', 'shows', 'reason'],
    SUBTITLE_TABLE.map(({ what, subtitles, hears, speaks, takes, reason }) => [
      what,
      codes(subtitles),
      hears ?? 'unknown',
      orNone(speaks.replace(/^; /, '')),
      takes === null ? 'none' : `\`${subtitles[Number(takes.slice(1))]!}\``,
      `\`${reason}\``,
    ]),
  ),
  table: table(
    ['to be played', 'on', 'method', 'because'],
    PLAY_TABLE.map(([what, , { name }, method, reasons]) => [what, name, METHODS[method], orNone(codes(reasons))]),
  ),
};

describe('the guide to playback', () => {
  it.each(Object.entries(PARTS))('shows %s as they are tested', (name, expected) => {
    const guide = readFileSync(path, 'utf8');
    const [, before = '', found, after = ''] =
      new RegExp(`^([\\s\\S]*<!-- ${name} -->\\n)([\\s\\S]*?)(<!-- /${name} -->[\\s\\S]*)$`).exec(guide) ?? [];
    expect(found, `docs/playback.md lacks the marks <!-- ${name} -->`).toBeDefined();
    if (isRecording) writeFileSync(path, `${before}${expected}\n${after}`);
    else expect(found).toBe(`${expected}\n`);
  });
});
