import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { movieNameOf } from './file-name.ts';

const latestYear = 2027;
const read = (path: string) => movieNameOf(path, { latestYear });

describe('title and year', () => {
  it.each<[string, string, number | null]>([
    // Written for people.
    ['The Third Man (1949).mkv', 'The Third Man', 1949],
    ['Stalker [1979].mkv', 'Stalker', 1979],
    ['Playtime 1967.mp4', 'Playtime', 1967],
    ['Paths of Glory.mkv', 'Paths of Glory', null],
    ['Mr. Turner (2014).mkv', 'Mr. Turner', 2014],
    ['Some Company, Inc. (2003).mkv', 'Some Company, Inc.', 2003],
    ['Yi Yi (A One and a Two) (2000).mkv', 'Yi Yi (A One and a Two)', 2000],
    ['Metropolis(1927).mkv', 'Metropolis', 1927],
    ['(1927) Metropolis.mkv', 'Metropolis', 1927],
    ['Dr. Strangelove - How I Learned (1964) - 1080p.mkv', 'Dr. Strangelove - How I Learned', 1964],
    // Release names.
    ['The.Third.Man.1949.REMASTERED.1080p.BluRay.x264-GRP.mkv', 'The Third Man', 1949],
    ['the_third_man_1949_720p_web-dl.mkv', 'the third man', 1949],
    ['the-third-man-1949-dvdrip.avi', 'the third man', 1949],
    ['Playtime.1080p.BluRay.DTS-HD.MA.5.1.mkv', 'Playtime', null],
    ['Stalker 1979 2160p UHD Blu-ray HEVC DTS-X 7 1.mkv', 'Stalker', 1979],
    ['Stalker.1920x1080.mkv', 'Stalker', null],
    ['Stalker.Criterion.Edition.1979.BDRip.mkv', 'Stalker', 1979],
    ['Heat.Directors.Cut.1995.mkv', 'Heat', 1995],
    ['Heat.EXTENDED.German.DL.1995.AC3.DVDRip.avi', 'Heat', 1995],
    ['Heat.iTALiAN.MULTi.1080p.WEB.H264-GRP.mkv', 'Heat', null],
    ['[Group] Perfect Blue (1997) [0A1B2C3D].mkv', 'Perfect Blue', 1997],
    ['www.example.org - Stalker.1979.720p.mkv', 'Stalker', 1979],
    ['[ films.example.co.uk ] - Stalker (1979).mkv', 'Stalker', 1979],
    // Marks that are no part of a name.
    ['Stalker (1979) {tmdb-1398}.mkv', 'Stalker', 1979],
    ['Stalker [imdbid-tt0079944].mkv', 'Stalker', null],
    ['03 - Trois couleurs Rouge (1994).mkv', 'Trois couleurs Rouge', 1994],
    // Numbers that are the title, or part of it.
    ['1917.mkv', '1917', null],
    ['1917.2019.1080p.mkv', '1917', 2019],
    ['2012 (2009).mkv', '2012', 2009],
    ['300.mkv', '300', null],
    ['21.2008.mkv', '21', 2008],
    ['8½ (1963).mkv', '8½', 1963],
    ['2001 A Space Odyssey (1968).mkv', '2001 A Space Odyssey', 1968],
    ['2001.A.Space.Odyssey.1968.mkv', '2001 A Space Odyssey', 1968],
    ['Blade Runner 2049 (2017).mkv', 'Blade Runner 2049', 2017],
    ['Blade.Runner.2049.2160p.mkv', 'Blade Runner 2049', null],
    ['Death Race 2000 (1975).mkv', 'Death Race 2000', 1975],
    ['10,000 BC (2008).mkv', '10,000 BC', 2008],
    ['(500) Days of Summer (2009).mkv', '(500) Days of Summer', 2009],
    ['12 Angry Men (1957).mkv', '12 Angry Men', 1957],
    // A date, a range and a group's number are no years.
    ['Holidays 2013-12-09.mkv', 'Holidays 2013-12-09', null],
    ['Concert.1080p.x264-1999.mkv', 'Concert', null],
    // Words that look like release words.
    ['Uncut.Gems.2019.1080p.mkv', 'Uncut Gems', 2019],
    ['The.Darjeeling.Limited.2007.1080p.mkv', 'The Darjeeling Limited', 2007],
    ['Walk.the.Line.2005.mkv', 'Walk the Line', 2005],
    ['The.Good.German.2006.1080p.mkv', 'The Good German', 2006],
    ['The Final Cut (2004).mkv', 'The Final Cut', 2004],
    ['The English Patient (1996).mkv', 'The English Patient', 1996],
    ['[REC] (2007).mkv', 'REC', 2007],
    ['Cam (2018).mkv', 'Cam', 2018],
    // Initials.
    ['To.Live.and.Die.in.L.A.1985.mkv', 'To Live and Die in L.A.', 1985],
    ['A.I.Artificial.Intelligence.2001.mkv', 'A.I. Artificial Intelligence', 2001],
    ['S.W.A.T. (2003).mkv', 'S.W.A.T.', 2003],
    ['M.1931.mkv', 'M', 1931],
    ['A.Real.Pain.2024.mkv', 'A Real Pain', 2024],
    // Other scripts, and marks above letters that are stored apart.
    ['千と千尋の神隠し (2001).mkv', '千と千尋の神隠し', 2001],
    ['Иди.и.смотри.1985.mkv', 'Иди и смотри', 1985],
    ['Ame\u0301lie (2001).mkv', 'Amélie', 2001],
    // Episodes keep their number, or a whole series would be one movie.
    ['Dekalog.S01E02.720p.mkv', 'Dekalog S01E02', null],
  ])('%s', (path, title, year) => {
    expect(read(path)).toMatchObject({ title, year, extra: null });
  });
});

describe('file and folder', () => {
  it.each<[string, string, number | null]>([
    ['Stalker (1979)/stalker-abc.mkv', 'Stalker', 1979],
    ['Stalker (1979)/movie.mkv', 'Stalker', 1979],
    ['Stalker (1979)/STALKER.1979.1080p.mkv', 'Stalker', 1979],
    ['Stalker.1979.1080p.BluRay.x264-GRP/grp-stlk1080.mkv', 'Stalker', 1979],
    ['Stalker.1080p.BluRay/b00bs.mkv', 'Stalker', null],
    ['Stalker (1979)/BDMV/STREAM/00800.m2ts', 'Stalker', 1979],
    ['Stalker (1979)/Solaris (1972).mkv', 'Solaris', 1972],
    ['Stalker/stalker.mkv', 'Stalker', null],
    ['Wonder Woman 1984 (2020)/Wonder Woman 1984.mkv', 'Wonder Woman 1984', 2020],
    ['Three Colours Trilogy (1993)/Blue.mkv', 'Blue', null],
    ['Bond 1962-1967/Goldfinger.mkv', 'Goldfinger', null],
    ['1979/Stalker (1979).mkv', 'Stalker', 1979],
    ['Drama/Stalker.mkv', 'Stalker', null],
  ])('%s', (path, title, year) => {
    expect(read(path)).toMatchObject({ title, year });
  });
});

describe('parts', () => {
  it.each<[string, string, number | null]>([
    ['Ben-Hur (1959) cd2.avi', 'Ben-Hur', 2],
    ['Ben-Hur.1959.DVDRip.CD1.avi', 'Ben-Hur', 1],
    ['Ben-Hur (1959)/CD2/movie.avi', 'Ben-Hur', 2],
    ['Ben-Hur (1959) disc 2.mkv', 'Ben-Hur', 2],
    ['Ben-Hur (1959) part1.mkv', 'Ben-Hur', 1],
    ['Ben-Hur (1959) part 2.mkv', 'Ben-Hur', 2],
    ['Gladiator-part2.mkv', 'Gladiator', 2],
    ['Dune Part Two (2024).mkv', 'Dune Part Two', null],
    ['The Hunger Games Mockingjay Part 1 (2014).mkv', 'The Hunger Games Mockingjay Part 1', null],
    ['Mockingjay Part 1.mkv', 'Mockingjay Part 1', null],
    ['Ben-Hur.1959.DVD9.mkv', 'Ben-Hur', null],
  ])('%s', (path, title, part) => {
    expect(read(path)).toMatchObject({ title, part });
  });
});

describe('extras', () => {
  it.each<[string, string | null]>([
    ['Heat (1995)/Heat-trailer.mp4', 'trailer'],
    ['Heat (1995)/trailer2.mp4', 'trailer'],
    ['Heat (1995)/Heat.sample.mkv', 'sample'],
    ['Heat (1995)/sample-heat.mkv', 'sample'],
    ['Heat (1995)/Sample/heat.mkv', 'sample'],
    ['Heat (1995)/Heat-behindthescenes.mkv', 'behindTheScenes'],
    ['Heat (1995)/Behind the Scenes/Making of.mkv', 'behindTheScenes'],
    ['Heat (1995)/Deleted.Scenes/1.mkv', 'deletedScene'],
    ['Heat (1995)/Featurettes/Los Angeles.mkv', 'featurette'],
    ['Heat (1995)/Extras/Talk.mkv', 'other'],
    ['Heat (1995)/Shorts/Talk.mkv', 'short'],
    ['Shorts/La Jetée (1962).mkv', null],
    ['The DNA Sample.mkv', null],
    ['Trailer Park Boys The Movie (2006).mkv', null],
    ['The Big Short (2015)/The Big Short.mkv', null],
    ['Interview (2007).mkv', null],
  ])('%s', (path, extra) => {
    expect(read(path).extra).toBe(extra);
  });
});

describe('any name at all', () => {
  const fragment = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      '.',
      ' ',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '-',
      '_',
      '/',
      '1999',
      '(2001)',
      'x264',
      'German',
      'cd1',
      'Extended',
      'Cut',
      'a',
      'U.S.A',
      '\ud800',
    ),
  );
  const anyPath = fc.array(fragment, { maxLength: 60 }).map((parts) => parts.join(''));

  it('has a title that a screen and a database take, and never throws', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const { title, year, part } = read(path);
        expect(title.length).toBeGreaterThan(0);
        expect(title.length).toBeLessThanOrEqual(300);
        expect(title).toBe(title.trim());
        expect(title).not.toMatch(/[\p{Cc}\ufffd]/u);
        if (path.isWellFormed()) expect(title.isWellFormed()).toBe(true);
        if (year !== null) expect(year >= 1878 && year <= latestYear).toBe(true);
        if (part !== null) expect(part).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a title in the plain form “Title (Year)” comes back as it was', () => {
    const word = fc.constantFrom('Night', 'of', 'the', 'River', 'Ünder', '東京', 'War', "Ocean's", '12', 'Love', 'III');
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1890, max: latestYear }),
        (words, year) => {
          const title = words.join(' ');
          expect(read(`${title} (${year})/${title} (${year}).mkv`)).toEqual({ title, year, part: null, extra: null });
        },
      ),
    );
  });

  it('reads no more than the first 400 characters of a name, so that no name costs more than another', () => {
    for (const unit of [
      '(',
      '[',
      'a.',
      '1999 ',
      '-',
      'www.',
      '[a] ',
      'A.B.',
      'part1 ',
      'German ',
      '(2000)',
      '[tmdb ',
      'extended cut ',
      'x264-',
      '\u0301',
    ]) {
      const longest = read(unit.repeat(400).slice(0, 400));
      expect(read(unit.repeat(6_400).slice(0, 400) + unit.repeat(10_000)).title.slice(0, 40)).toBe(
        longest.title.slice(0, 40),
      );
    }
  });
});
