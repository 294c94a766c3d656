import { describe, expect, it } from 'vitest';
import { playlistFile, playlistName } from './player-links.ts';

describe('a playlist to keep', () => {
  it('has a whole address, and the title', () => {
    const link = { title: 'Heat (1995)', durationMs: 10_200_400, url: '/media/abc/file' };
    expect(playlistFile(link, 'https://movies.example:8443/movies/1')).toBe(
      '#EXTM3U\n#EXTINF:10200,Heat (1995)\nhttps://movies.example:8443/media/abc/file\n',
    );
  });

  it.each([
    ['Heat (1995)', 'Heat (1995).m3u'],
    ['Face/Off: "Uncut"', 'Face Off Uncut.m3u'],
    ['???', 'Movie.m3u'],
  ])('of %s is called %s', (title, name) => expect(playlistName(title)).toBe(name));
});
