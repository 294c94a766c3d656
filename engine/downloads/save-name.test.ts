import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentDisposition, endingOf, saveName } from './save-name.ts';

const heat = { title: 'Heat', year: 1995, edition: null, part: null };

describe('names of saved files', () => {
  it.each([
    [heat, null, 'mkv', 'Heat (1995).mkv'],
    [heat, '720p', 'mp4', 'Heat (1995) - 720p.mp4'],
    [{ ...heat, edition: 'Director’s Cut', part: 2 }, null, 'avi', 'Heat (1995) - Director’s Cut - Part 2.avi'],
    [{ ...heat, title: 'Alien: Romulus' }, null, 'mp4', 'Alien - Romulus (1995).mp4'],
    [{ ...heat, title: 'AC/DC <live> "x" \\ |', year: null }, null, 'mp4', 'AC_DC _live_ _x_ _ _.mp4'],
    [{ ...heat, title: '../../etc/passwd', year: null }, null, 'mp4', '_.._etc_passwd.mp4'],
    [{ ...heat, title: 'gpj.\u202e4pm', year: null }, null, 'mp4', 'gpj.4pm.mp4'],
    [{ ...heat, title: 'CON', year: null }, null, 'mp4', '_CON.mp4'],
    [{ ...heat, title: ' ... ', year: null }, null, 'mp4', 'Movie.mp4'],
    [{ ...heat, title: 'Línea\nde\r\nfuego' }, null, 'mp4', 'Líneadefuego (1995).mp4'],
  ])('[DL2] %j %s → %s', (named, quality, ending, name) => expect(saveName(named, quality, ending)).toBe(name));

  it('[DL2] are short enough for every file system, whole characters, and never a path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (title) => {
        const name = saveName({ ...heat, title }, '1080p', 'mp4');
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(205);
        expect(name).not.toMatch(/[/\\:*?"<>|\u0000-\u001f]/);
        expect(name.isWellFormed()).toBe(true);
        expect(name.startsWith('.')).toBe(false);
        expect(contentDisposition(name)).toMatch(
          /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[\w.!~%-]*$/,
        );
      }),
    );
  });

  it('[DL2] are told in ASCII and whole (RFC 6266, RFC 8187)', () => {
    expect(contentDisposition('Amélie – d’été (2001).mkv')).toBe(
      `attachment; filename="Amelie - d'ete (2001).mkv"; filename*=UTF-8''Am%C3%A9lie%20%E2%80%93%20d%E2%80%99%C3%A9t%C3%A9%20%282001%29.mkv`,
    );
  });

  it('[DL2] keep the ending of the file', () => {
    expect(['/a/b.MKV', '/a/b.m2ts', '/a.b/c', '/a/b.toolong'].map(endingOf)).toEqual(['mkv', 'm2ts', 'mkv', 'mkv']);
  });
});
