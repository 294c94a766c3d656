/** docs/naming.md says only what is so: its examples are read as it says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { movieNameOf } from '#engine/media/file-name.ts';
import { SUBTITLE_EXTENSIONS, sidecarNameOf } from '#engine/media/naming/sidecar-name.ts';

const guide = readFileSync(join(import.meta.dirname, '../docs/naming.md'), 'utf8');

/** The path as it stands in the guide: all its names are there. */
const told = (path: string): string => {
  for (const name of path.split('/')) expect(guide, `the guide no longer tells of ${name}`).toContain(name);
  return path;
};

describe('the naming guide', () => {
  it.each<[string, object]>([
    ['Stalker (1979).mkv', { title: 'Stalker', year: 1979 }],
    ['Heat.1995.Remastered.1080p.BluRay.x264-GRP.mkv', { title: 'Heat', year: 1995, edition: 'Remastered' }],
    ['2001 A Space Odyssey (1968).mkv', { title: '2001 A Space Odyssey', year: 1968 }],
    ['Blade.Runner.2049.2017.mkv', { title: 'Blade Runner 2049', year: 2017 }],
    ['1917.2019.1080p.mkv', { title: '1917', year: 2019 }],
    ['2012 (2009).mkv', { title: '2012', year: 2009 }],
    ['Heat (1995)/movie.mkv', { title: 'Heat', year: 1995 }],
    ['Heat (1995)/grp-ht1080.mkv', { title: 'Heat', year: 1995 }],
    ['Solaris (1972) [tmdbid-593].mkv', { title: 'Solaris', year: 1972, tmdbId: 593 }],
    ['Solaris (2002) {tmdb-2103}/solaris.mkv', { title: 'Solaris', year: 2002, tmdbId: 2103 }],
    ['Le Samouraï {imdb-tt0062229}.mkv', { title: 'Le Samouraï', imdbId: 'tt0062229' }],
    ['Blade Runner (1982)/Blade Runner (1982) - 2160p.mkv', { title: 'Blade Runner', year: 1982, edition: null }],
    ['Blade Runner (1982)/Blade.Runner.1982.Final.Cut.1080p.mkv', { title: 'Blade Runner', edition: 'Final Cut' }],
    ['Blade Runner (1982)/Blade Runner (1982) {edition-Workprint}.mkv', { year: 1982, edition: 'Workprint' }],
    ['Blade Runner (1982)/Theatrical Cut.mkv', { title: 'Blade Runner', year: 1982, edition: 'Theatrical Cut' }],
    ['Ben-Hur (1959) cd2.avi', { title: 'Ben-Hur', part: 2 }],
    ['Mockingjay Part 1 (2014).mkv', { title: 'Mockingjay Part 1', part: null }],
    ['Heat (1995)/Heat (1995)-trailer.mkv', { title: 'Heat', extra: 'trailer' }],
    [
      'Heat (1995)/Featurettes/On the Streets.mkv',
      { title: 'Heat', extra: 'featurette', extraTitle: 'On the Streets' },
    ],
  ])('%s', (path, expected) => {
    expect(movieNameOf(told(path))).toMatchObject(expected);
  });

  it('names every folder and every ending of extras that it speaks of', () => {
    const [folders = '', endings = ''] = guide.match(/^.*`(?:Trailers|-trailer)`.*$/gm) ?? [];
    for (const [, name] of folders.matchAll(/`([^`]+)`/g)) {
      expect(movieNameOf(`Heat (1995)/${name}/Talk.mkv`).extra, name).not.toBeNull();
    }
    for (const [, name] of endings.matchAll(/`([^`]+)`/g)) {
      expect(movieNameOf(`Heat (1995)/Heat (1995)${name}.mkv`).extra, name).not.toBeNull();
    }
    expect(folders.match(/`/g)!.length + endings.match(/`/g)!.length).toBe(42);
  });

  it.each<[string, object]>([
    ['Heat (1995).srt', { language: null }],
    ['Heat (1995).pt-BR.forced.srt', { language: 'pt-BR', isForced: true }],
    ['Heat (1995).en.sdh.default.srt', { language: 'en', isHearingImpaired: true, isDefault: true }],
  ])('%s', (name, expected) => {
    expect(sidecarNameOf(told(name), 'Heat (1995)')).toMatchObject(expected);
  });

  it('tells all endings of subtitles', () => {
    for (const ending of SUBTITLE_EXTENSIONS) expect(guide).toContain(`\`${ending}\``);
  });
});
