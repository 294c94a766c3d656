import { describe, expect, it } from 'vitest';
import { movieNameOf } from '../file-name.ts';
import { linesOf, releaseClassOf } from './release-facts.ts';

const read = (name: string) => movieNameOf(name, { latestYear: 2027 }).release;

describe('lines', () => {
  it.each<[string, number | null]>([
    ['1080p', 1080],
    ['1080i', 1080],
    ['720p60', 720],
    ['1080p10bit', 1080],
    ['bd720p', 720],
    ['960p', 720],
    ['1920x1080', 1080],
    ['1920x800', 1080],
    ['640x480', 480],
    ['1366x768', 768],
    ['100x1080', null],
    ['1080', null],
    ['123p', null],
  ])('%s', (word, lines) => {
    expect(linesOf(word)?.lines ?? null).toBe(lines);
  });
});

describe('facts', () => {
  it.each<[string, Partial<ReturnType<typeof read>>]>([
    ['A Title 1999 BluRay 720p', { sources: ['bluray'], resolution: 720 }],
    ['A.Title.1999.Blu-ray.1080p', { sources: ['bluray'] }],
    ['A Title 1999 WEB DL', { sources: ['webdl'] }],
    ['A Title 1999 WEBRip WEB-DL', { sources: ['webrip'] }],
    ['A Title 1999 AMZN 1080p', { sources: ['webdl'] }],
    ['A Title 1999 HDTV', { sources: ['tv'] }],
    ['A Title 1999 DVDSCR', { sources: ['screener'] }],
    ['A Title 1999 HDCAM', { sources: ['cam'] }],
    ['Web (1999)', { sources: [] }],
    ['Cam (1999)', { sources: [] }],
    ['A.Title.1999.H.265', { videoCodec: 'h265' }],
    ['A Title 1999 x264', { videoCodec: 'h264' }],
    ['A Title 1999 DDP5.1', { audioCodecs: ['eac3'], channels: '5.1' }],
    ['A Title 1999 DD+5.1', { audioCodecs: ['eac3'], channels: '5.1' }],
    ['A Title 1999 DTS-HD MA 7.1', { audioCodecs: ['dtshd'], channels: '7.1' }],
    ['A Title 1999 1080p 6ch', { channels: '5.1' }],
    ['A Title 1999 2160p 10bit HDR', { bitDepth: 10, hdr: ['hdr'] }],
    ['A Title 1999 FRENCH 1080p', { languages: ['fr'] }],
    ['A Title 1999 1080p EN-CAT-ES', { languages: ['en', 'ca', 'es'] }],
    ['A Title 1999 DTS-ES 1080p', { languages: [] }],
    ['The French Dispatch (2021)', { languages: [] }],
    ['A.Title.1999.German.DL.1080p', { languages: ['de'], flags: expect.arrayContaining(['original']) as never }],
    ['A.Title.1999.German.WEB-DL.1080p', { languages: ['de'], flags: [] }],
    ['A.Title.1999.1080p.x264-[YTS.LT]', { languages: [] }],
    ['A Title 1999 PROPER', { version: 2 }],
    ['A Title 1999 REPACK2 1080p', { version: 3 }],
    ['A Title 1999 1080p', { version: 1 }],
  ])('%s', (name, facts) => {
    expect(read(name)).toMatchObject(facts);
  });
});

describe('classes', () => {
  it.each<[string, string | null, number | null, string | null]>([
    ['A.Title.1999.REMUX.2160p.BluRay.HEVC', 'bluray', 2160, 'remux'],
    ['A.Title.1999.REMUX.AVC', 'bluray', 1080, 'remux'],
    ['A.Title.1999.COMPLETE.BLURAY-GRP', 'bluray', 1080, 'disc'],
    ['A Title 1999 1080p Blu-ray AVC DTS-HD MA 5.1', 'bluray', 1080, 'disc'],
    ['A.Title.1999.BluRay.x264', 'bluray', 720, null],
    ['A.Title.1999.BRRip.XviD', 'dvd', 480, null],
    ['A.Title.1999.WEB-DL', 'webdl', 480, null],
    ['A.Title.1999.1080i.HDTV.MPEG2', 'tv', 1080, 'raw'],
    ['A.Title.1999.1080p', 'webdl', 1080, null],
    ['A Title (1999)', null, null, null],
  ])('%s', (name, source, resolution, modifier) => {
    expect(releaseClassOf(read(name), name)).toEqual({ source, resolution, modifier });
  });
});
