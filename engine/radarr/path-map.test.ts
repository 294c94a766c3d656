import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinRadarrPath, mapPath, mappingProblem, placeIn, proposeMapping } from './path-map.ts';

describe('[PATH1] [PATH2] Radarr’s path here', () => {
  const mappings = [
    { from: '/movies', to: '/mnt/films' },
    { from: '/movies/4k/', to: '/mnt/uhd' },
    { from: 'D:\\Media\\Movies', to: '/srv/movies' },
    { from: '\\\\nas\\video', to: '/mnt/nas' },
  ];

  it.each([
    ['/movies/Heat (1995)/Heat.mkv', '/mnt/films/Heat (1995)/Heat.mkv'],
    ['/movies', '/mnt/films'],
    ['/movies//Heat/', '/mnt/films/Heat'],
    ['/movies/4k/Heat/Heat.mkv', '/mnt/uhd/Heat/Heat.mkv'],
    // A name that only begins alike is another folder.
    ['/movies2/Heat.mkv', '/movies2/Heat.mkv'],
    ['/other/Heat.mkv', '/other/Heat.mkv'],
    ['d:\\media\\MOVIES\\Heat (1995)\\Heat.mkv', '/srv/movies/Heat (1995)/Heat.mkv'],
    ['D:/Media/Movies/Heat.mkv', '/srv/movies/Heat.mkv'],
    ['\\\\NAS\\Video\\Heat\\Heat.mkv', '/mnt/nas/Heat/Heat.mkv'],
    // On Linux a backslash is a letter.
    ['/movies/AC\\DC.mkv', '/mnt/films/AC\\DC.mkv'],
  ])('%s is %s', (path, expected) => {
    expect(mapPath(path, mappings)).toEqual({ kind: 'mapped', path: expected });
  });

  it.each(['E:\\Movies\\Heat.mkv', 'C:\\testpath', '\\\\other\\share\\Heat.mkv'])(
    '%s is unmapped: nobody said where it is',
    (path) => {
      expect(mapPath(path, mappings)).toEqual({ kind: 'unmapped' });
    },
  );

  it.each([
    '/movies/../etc/passwd',
    '/movies/./Heat.mkv',
    'D:\\Media\\Movies\\..\\..\\Windows',
    'movies/Heat.mkv',
    'C:Heat.mkv',
    '',
    '/movies/Heat\0.mkv',
    `/${'x'.repeat(5_000)}`,
  ])('%j is refused', (path) => {
    expect(mapPath(path, mappings)).toEqual({ kind: 'refused' });
  });

  it('[PATH2] never leads out of where a mapping leads, whatever comes', () => {
    const name = fc.oneof(fc.constantFrom('..', '.', '', 'Heat', '..\\..', '%2e%2e', '\0', '/..'), fc.string());
    fc.assert(
      fc.property(
        fc.array(name),
        fc.constantFrom('/', '\\'),
        fc.constantFrom('/movies/', 'D:\\Media\\Movies\\'),
        (names, separator, root) => {
          const mapped = mapPath(root + names.join(separator), mappings);
          if (mapped.kind !== 'mapped') return;
          expect(mapped.path.split('/')).not.toContain('..');
          expect(mapped.path).toMatch(/^\/(mnt\/films|mnt\/uhd|srv\/movies)(\/|$)/);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('[PATH3] a file of a movie', () => {
  it('is its folder and the path within', () => {
    expect(joinRadarrPath('/movies/Heat', 'Heat.mkv')).toBe('/movies/Heat/Heat.mkv');
    expect(joinRadarrPath('/movies/Heat/', 'CD1/Heat.mkv')).toBe('/movies/Heat/CD1/Heat.mkv');
    expect(joinRadarrPath('D:\\Movies\\Heat', 'Heat.mkv')).toBe('D:\\Movies\\Heat\\Heat.mkv');
    expect(joinRadarrPath('C:/Movies/Heat', 'CD1\\Heat.mkv')).toBe('C:/Movies/Heat/CD1/Heat.mkv');
    expect(joinRadarrPath('/', 'Heat.mkv')).toBe('/Heat.mkv');
  });

  it('is refused where it climbs', () => {
    expect(joinRadarrPath('/movies/Heat', '../Ronin/Ronin.mkv')).toBeNull();
    expect(joinRadarrPath('D:\\Movies', '..\\x.mkv')).toBeNull();
    expect(joinRadarrPath('/movies', '')).toBeNull();
    expect(joinRadarrPath('movies', 'x.mkv')).toBeNull();
  });
});

describe('[PATH4] a mapping that a person typed', () => {
  it('is from a whole path to one of ours, once', () => {
    const one = { from: '/movies', to: '/mnt/films' };
    expect(mappingProblem(one, [])).toBeNull();
    expect(mappingProblem({ from: 'D:\\Movies', to: '/mnt/films' }, [])).toBeNull();
    expect(mappingProblem({ from: 'movies', to: '/mnt' }, [])).toBe('from');
    expect(mappingProblem({ from: '/movies', to: 'mnt' }, [])).toBe('to');
    expect(mappingProblem({ from: '/movies', to: 'D:\\Movies' }, [])).toBe('to');
    expect(mappingProblem({ from: '/movies', to: '/mnt/../etc' }, [])).toBe('to');
    expect(mappingProblem({ from: '/movies/', to: '/elsewhere' }, [one])).toBe('twice');
    expect(mappingProblem({ from: '/movies/4k', to: '/elsewhere' }, [one])).toBeNull();
  });
});

it('[PATH5] a path lies in the innermost library', () => {
  const libraries = [{ path: '/mnt/films' }, { path: '/mnt/films/kids' }, { path: '/srv' }];
  expect(placeIn('/mnt/films/Heat/Heat.mkv', libraries)).toEqual({ library: libraries[0], path: 'Heat/Heat.mkv' });
  expect(placeIn('/mnt/films/kids/Up.mkv', libraries)).toEqual({ library: libraries[1], path: 'Up.mkv' });
  expect(placeIn('/mnt/films', libraries)).toEqual({ library: libraries[0], path: '' });
  expect(placeIn('/mnt/films2/Heat.mkv', libraries)).toBeNull();
  expect(placeIn('/a/b', [{ path: '/' }])).toEqual({ library: { path: '/' }, path: 'a/b' });
});

describe('[PATH6] the mapping that would be right', () => {
  const titles = ['Heat (1995)', 'Ronin (1998)', 'Alien (1979)'];

  it('is found by the names of folders', () => {
    const radarr = titles.map((title) => `/movies/${title}`);
    const ours = [...titles.map((title) => `/mnt/disk/Films/${title}`), '/mnt/disk/Films/Other (2001)'];
    expect(proposeMapping('/movies', radarr, ours)).toEqual({ from: '/movies', to: '/mnt/disk/Films' });
  });

  it('is found for Windows, and through folders between', () => {
    const radarr = titles.map((title) => `D:\\Media\\Movies\\HD\\${title}`);
    const ours = titles.map((title) => `/srv/films/HD/${title}`);
    expect(proposeMapping('D:\\Media\\Movies', radarr, ours)).toEqual({ from: 'D:\\Media\\Movies', to: '/srv/films' });
  });

  it('is the place that most agree on', () => {
    const radarr = titles.map((title) => `/movies/${title}`);
    const ours = [...titles.slice(0, 2).map((title) => `/a/${title}`), `/backup/${titles[0]}`];
    expect(proposeMapping('/movies', radarr, ours)).toEqual({ from: '/movies', to: '/a' });
  });

  it('is not guessed where nothing or too little is alike, or two places are equal', () => {
    const radarr = titles.map((title) => `/movies/${title}`);
    expect(proposeMapping('/movies', radarr, ['/a/Up (2009)'])).toBeNull();
    expect(proposeMapping('/movies', radarr, [`/a/${titles[0]}`, `/b/${titles[1]}`])).toBeNull();
    const twice = ['/a', '/b'].flatMap((place) => titles.map((title) => `${place}/${title}`));
    expect(proposeMapping('/movies', radarr, twice)).toBeNull();
    expect(proposeMapping('/movies', [], [])).toBeNull();
  });

  it('is nothing where the folder is the same here', () => {
    const same = titles.map((title) => `/movies/${title}`);
    expect(proposeMapping('/movies', same, same)).toBeNull();
  });
});
