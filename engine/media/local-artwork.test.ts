import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localArtwork } from './local-artwork.ts';

const inOwnFolder = (fileNames: readonly string[], movieNames: readonly string[] = ['Heat (1995).mkv']) =>
  localArtwork(fileNames, { movieNames, isOwn: true });
const namesOf = (role: string, found: ReturnType<typeof localArtwork>) =>
  found.filter((one) => one.role === role).map(({ name }) => name);

describe('artwork beside a movie', () => {
  it.each([
    ['poster.jpg', 'poster'],
    ['Folder.JPG', 'poster'],
    ['cover.png', 'poster'],
    ['movie.webp', 'poster'],
    ['default.avif', 'poster'],
    ['Heat (1995)-poster.jpg', 'poster'],
    ['Heat (1995).jpg', 'poster'],
    ['Heat-poster.jpg', 'poster'],
    ['backdrop.jpg', 'backdrop'],
    ['fanart.jpg', 'backdrop'],
    ['fanart3.jpg', 'backdrop'],
    ['background-12.jpeg', 'backdrop'],
    ['art.jpg', 'backdrop'],
    ['Heat (1995)-fanart.jpg', 'backdrop'],
    ['landscape.jpg', 'backdrop'],
    ['Heat (1995)-thumb.jpg', 'backdrop'],
    ['logo.png', 'logo'],
    ['clearlogo.png', 'logo'],
    ['Heat (1995)-clearlogo.png', 'logo'],
  ])('%s is a %s', (name, role) => {
    expect(inOwnFolder([name])).toEqual([{ name, role }]);
  });

  it.each([
    'poster.svg',
    'poster.txt',
    'poster',
    '.poster.jpg',
    '._poster.jpg',
    'banner.jpg',
    'disc.png',
    'IMG_2031.jpg',
    'posters.jpg',
    'my poster collection.jpg',
    'folder.jpg.exe',
    'poster12.jpg',
  ])('%s is none', (name) => {
    expect(inOwnFolder([name])).toEqual([]);
  });

  it('the name of the movie comes before a word alone, and that before another name; then by the word', () => {
    const posters = [
      'cover.jpg',
      'Heat (1995).jpg',
      'folder.jpg',
      'Heat-poster.jpg',
      'poster.jpg',
      'Heat (1995)-poster.jpg',
    ];
    expect(namesOf('poster', inOwnFolder(posters))).toEqual([
      'Heat (1995)-poster.jpg',
      'Heat (1995).jpg',
      'poster.jpg',
      'folder.jpg',
      'cover.jpg',
      'Heat-poster.jpg',
    ]);
    const backdrops = ['landscape.jpg', 'fanart10.jpg', 'fanart2.jpg', 'fanart.jpg', 'backdrop.jpg', 'thumb.jpg'];
    expect(namesOf('backdrop', inOwnFolder(backdrops))).toEqual([
      'backdrop.jpg',
      'fanart.jpg',
      'fanart2.jpg',
      'fanart10.jpg',
      'landscape.jpg',
      'thumb.jpg',
    ]);
  });

  it('in a folder of several movies only what carries the name of the file', () => {
    const found = localArtwork(
      [
        'poster.jpg',
        'Heat (1995)-poster.jpg',
        'Alien (1979)-poster.jpg',
        'Alien (1979).jpg',
        'Alien (1979) 2-poster.jpg',
      ],
      { movieNames: ['Alien (1979).mkv'], isOwn: false },
    );
    expect(found).toEqual([
      { name: 'Alien (1979)-poster.jpg', role: 'poster' },
      { name: 'Alien (1979).jpg', role: 'poster' },
    ]);
  });

  it('several versions and parts of one movie share it', () => {
    const movieNames = ['Heat (1995) - 1080p.mkv', 'Heat (1995) - 2160p.mkv'];
    expect(inOwnFolder(['Heat (1995) - 2160p-fanart.jpg', 'Heat (1995)-poster.jpg'], movieNames)).toEqual([
      { name: 'Heat (1995)-poster.jpg', role: 'poster' },
      { name: 'Heat (1995) - 2160p-fanart.jpg', role: 'backdrop' },
    ]);
  });

  it('names are the same composed and decomposed', () => {
    const name = 'Amélie (2001)-poster.jpg';
    expect(inOwnFolder([name.normalize('NFD')], ['Amélie (2001).mkv'.normalize('NFC')])).toHaveLength(1);
  });

  it('takes any names, gives each once, and always the same order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), fc.array(fc.string()), fc.boolean(), (fileNames, movieNames, isOwn) => {
        const found = localArtwork(fileNames, { movieNames, isOwn });
        expect(new Set(found.map(({ name }) => name)).size).toBe(found.length);
        expect(localArtwork(fileNames.toReversed(), { movieNames, isOwn })).toEqual(found);
      }),
    );
  });
});
