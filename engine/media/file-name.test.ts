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
          expect(read(`${title} (${year})/${title} (${year}).mkv`)).toMatchObject({
            title,
            year,
            part: null,
            extra: null,
            edition: null,
          });
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

describe('what a name says beside the title', () => {
  it('reads a whole release name', () => {
    const name = read(
      'Nightfall.2031.REPACK.Directors.Cut.German.DL.2160p.UHD.BluRay.Remux.DV.HDR10+.HEVC.TrueHD.7.1-LANTERN.mkv',
    );
    // 2031 is later than any movie can be.
    expect(name).toMatchObject({ title: 'Nightfall 2031', year: null, edition: 'Directors Cut' });
    expect(name.release).toMatchObject({
      resolution: 2160,
      sources: ['bluray'],
      videoCodec: 'h265',
      audioCodecs: ['truehd'],
      channels: '7.1',
      languages: ['de'],
      group: 'LANTERN',
      version: 2,
      extension: 'mkv',
      isRecognised: true,
    });
    expect(name.release.hdr).toEqual(expect.arrayContaining(['dolbyVision', 'hdr10plus']));
    expect(name.release.flags).toEqual(expect.arrayContaining(['remux', 'repack', 'uhd', 'multi']));
  });

  it('takes what the file leaves open from its folder', () => {
    const name = read('Nightfall.2019.1080p.WEB-DL.DDP5.1.H.264-LANTERN/nf-1080.mkv');
    expect(name).toMatchObject({ title: 'Nightfall', year: 2019 });
    expect(name.release).toMatchObject({ resolution: 1080, sources: ['webdl'], channels: '5.1', group: 'LANTERN' });
  });

  it('leaves to the folder what a name of nothing but release words does not say', () => {
    expect(read('Nightfall (2019)/1080p.mkv')).toMatchObject({
      title: 'Nightfall',
      year: 2019,
      release: { resolution: 1080 },
    });
    expect(read('Nightfall (2019)/Extended Cut.mkv')).toMatchObject({ title: 'Nightfall', edition: 'Extended Cut' });
    expect(read('Movies/Real.mkv')).toMatchObject({ title: 'Real' });
  });

  it.each<[string, number | null, string | null]>([
    ['Solaris (1972) [tmdbid-593].mkv', 593, null],
    ['Solaris (1972) {tmdb-593}.mkv', 593, null],
    ['Solaris (1972) [tmdb=593]/solaris.mkv', 593, null],
    ['Solaris (1972) {imdb-tt0069293}.mkv', null, 'tt0069293'],
    ['Solaris (1972) [imdbid-tt0069293] [tmdbid-593].mkv', 593, 'tt0069293'],
    ['Solaris [tt0069293].mkv', null, 'tt0069293'],
    ['Solaris.1972.tt0069293.1080p.mkv', null, 'tt0069293'],
    ['Solaris (1972) [tvdb-12].mkv', null, null],
    ['Solaris 593.mkv', null, null],
    ['Solaris [tmdbid-0].mkv', null, null],
  ])('ids: %s', (path, tmdbId, imdbId) => {
    expect(read(path)).toMatchObject({ title: expect.stringMatching(/^Solaris/), tmdbId, imdbId });
  });

  it.each<[string, string, string | null]>([
    ["Heat (1995) - Director's Cut.mkv", 'Heat', "Director's Cut"],
    ['Heat (1995) Extended Edition 1080p.mkv', 'Heat', 'Extended Edition'],
    ['Heat.30th.Anniversary.Edition.1995.mkv', 'Heat', '30th Anniversary Edition'],
    ['Heat (1995) {edition-Gold Cut}.mkv', 'Heat', 'Gold Cut'],
    ['Heat (1995) Gold Edition.mkv', 'Heat', 'Gold Edition'],
    ['Heat.1995.IMAX.2160p.mkv', 'Heat', 'IMAX'],
    ['Heat (1995) - 1080p.mkv', 'Heat', null],
    ['Holiday Special (1995).mkv', 'Holiday Special', null],
    ['The Final Cut (2004).mkv', 'The Final Cut', null],
  ])('editions: %s', (path, title, edition) => {
    expect(read(path)).toMatchObject({ title, edition });
  });

  it.each<[string, string | null]>([
    ['Heat.1995.1080p.BluRay.x264-LANTERN.mkv', 'LANTERN'],
    ['Heat.1995.1080p.BluRay.x264-LANTERN-postbot.mkv', 'LANTERN'],
    ['Heat.1995.1080p.BluRay.x264-LANTERN [rarbg.com].mkv', 'LANTERN'],
    ['Heat (1995) (1080p BluRay x265 10bit AAC 5.1 Lantern).mkv', 'Lantern'],
    ['[Lantern] Heat (1995) [1080p].mkv', 'Lantern'],
    ['Heat.1995.1080p.WEB-DL.mkv', null],
    ['Heat.1995.1080p.BluRay.DTS-HD.MA.5.1.mkv', null],
    ['Heat (1995) - Part-Time.mkv', null],
    ['Spider-Man (2002).mkv', null],
  ])('groups: %s', (path, group) => {
    expect(read(path).release.group).toBe(group);
  });

  it.each<[string, string | null]>([
    ['Heat 3D HSBS 1995.mkv', 'hsbs'],
    ['Heat (1995) 3D Half-OU.mkv', 'htab'],
    ['Heat (1995) [3D].mkv', 'frames'],
    ['Step Up 3D (2010).mkv', null],
  ])('3D: %s', (path, packing3d) => {
    expect(read(path).release.packing3d).toBe(packing3d);
  });

  it('gives the titles that are known as well', () => {
    expect(read('Den Tavse AKA The Silent One 1988 1080p.mkv')).toMatchObject({
      title: 'Den Tavse',
      alternativeTitles: ['The Silent One'],
      year: 1988,
    });
  });

  it.each<[string, string, string | null]>([
    ['Heat (1995)/Featurettes/In the Streets.mkv', 'Heat', 'In the Streets'],
    ['Heat (1995)/Heat (1995)-trailer.mkv', 'Heat', null],
    ['Heat (1995)/trailer.mkv', 'Heat', null],
    ['Heat (1995)/Gag Reel-featurette.mkv', 'Heat', 'Gag Reel'],
    ['Heat (1995)/Heat (1995)-trailer2.mkv', 'Heat', null],
    ['Heat (1995) - deletedscene.mkv', 'Heat', null],
  ])('an extra bears the name of its movie: %s', (path, title, extraTitle) => {
    expect(read(path)).toMatchObject({
      title,
      year: 1995,
      extraTitle,
      extra: expect.any(String),
      home: path.startsWith('Heat (1995)/') ? 'Heat (1995)' : '',
    });
  });

  it('does not take a name that may be anything for one that can be looked up', () => {
    expect(read('9f86d081884c7d659a2feaa0c55ad015.mkv').release.isRecognised).toBe(false);
    expect(read('Some Evening.mkv').release.isRecognised).toBe(false);
    expect(read('Some Evening (1999).mkv').release.isRecognised).toBe(true);
    expect(read('Some.Evening.720p.mkv').release.isRecognised).toBe(true);
  });
});

describe('hostile names', () => {
  const unit = fc.oneof(
    fc.constantFrom(
      '(',
      '[a] ',
      '-',
      '.',
      '1999 ',
      'x264-',
      'Special Edition ',
      '50th ',
      'DTS-HD-',
      ' AKA ',
      '{edition-',
      '[tmdb-',
      '-rp',
      '中',
      '\u0301',
      '_',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
  );

  it('of any length cost no more than one of 400 characters: what is behind them is not read', () => {
    fc.assert(
      fc.property(unit, fc.constantFrom('', '/', '.mkv'), (text, tail) => {
        const name = text.repeat(Math.ceil(4_096 / text.length)).replaceAll('/', '');
        const before = process.cpuUsage();
        read(`${name}${tail}`);
        const { user } = process.cpuUsage(before);
        // Measured at below 2 ms of computing; a second would be the square of it.
        expect(user / 1_000).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
  });

  it('say the same whether their marks are stored apart or not', () => {
    const text = fc.array(fc.constantFrom('é', 'Å', 'ñ', '한', 'が', 'ü', 'a', ' ', '(1999)', '.', '1080p', '-'), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(text, (parts) => {
        const path = `${parts.join('')}.mkv`;
        const { home: _home, ...asRead } = read(path.normalize('NFD'));
        expect(read(path.normalize('NFC'))).toMatchObject(asRead);
      }),
    );
  });
});
