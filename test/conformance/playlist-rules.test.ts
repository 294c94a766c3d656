/** The judges judged: each rule finds the breach that it is there for, and nothing in what is right. */
import { describe, expect, it } from 'vitest';
import { mediaPlaylistBreaches, multivariantBreaches, peakBitrateBps } from './playlist-rules.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const MULTIVARIANT = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a1.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="6",URI="a2.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="t",NAME="Signs",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI="t1.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2000,AVERAGE-BANDWIDTH=1000,CODECS="avc1.640028,mp4a.40.2",RESOLUTION=1920x800,FRAME-RATE=23.976,VIDEO-RANGE=SDR,AUDIO="a",SUBTITLES="t",CLOSED-CAPTIONS=NONE
v.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200,AVERAGE-BANDWIDTH=100,CODECS="avc1.64000d",RESOLUTION=320x180,VIDEO-RANGE=SDR,URI="i.m3u8"
`;

const MEDIA = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:5
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-MAP:URI="init.mp4"
#EXTINF:5.400000,
0.m4s
#EXTINF:3.000000,
1.m4s
#EXT-X-ENDLIST
`;

const change = (text: string, from: string | RegExp, to: string): Uint8Array => {
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`nothing to change: ${String(from)}`);
  return bytes(changed);
};

describe('rules of a multivariant playlist', () => {
  it('find nothing where nothing is', () => expect(multivariantBreaches(bytes(MULTIVARIANT))).toEqual([]));

  it.each<[what: string, from: string | RegExp, to: string]>([
    ['a byte order mark', /^/, '\ufeff'],
    ['text before the first line', /^/, '\n'],
    ['a control character', 'English', 'Eng\u0007lish'],
    ['an attribute twice', 'LANGUAGE="en",DEFAULT=YES', 'LANGUAGE="en",DEFAULT=YES,DEFAULT=YES'],
    ['a quote inside a string', 'NAME="English"', 'NAME="Eng"lish"'],
    ['a tag of the other kind', '#EXT-X-VERSION:7', '#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:5'],
    ['two versions', '#EXT-X-VERSION:7', '#EXT-X-VERSION:7\n#EXT-X-VERSION:7'],
    ['two of one name', 'NAME="Deutsch"', 'NAME="English"'],
    ['two defaults', 'DEFAULT=NO,AUTOSELECT=YES,CHANNELS', 'DEFAULT=YES,AUTOSELECT=YES,CHANNELS'],
    ['a default that is not chosen by itself', 'DEFAULT=YES,AUTOSELECT=YES', 'DEFAULT=YES,AUTOSELECT=NO'],
    ['forced subtitles that are not chosen by themselves', 'AUTOSELECT=YES,FORCED', 'AUTOSELECT=NO,FORCED'],
    ['forced sound', 'CHANNELS="6"', 'CHANNELS="6",FORCED=YES'],
    ['a long language code', 'LANGUAGE="de"', 'LANGUAGE="ger"'],
    ['no language at all', 'LANGUAGE="de"', 'LANGUAGE="German language"'],
    ['an average above the peak', 'AVERAGE-BANDWIDTH=1000', 'AVERAGE-BANDWIDTH=3000'],
    ['no average', ',AVERAGE-BANDWIDTH=1000', ''],
    ['no codecs', 'CODECS="avc1.640028,mp4a.40.2",', ''],
    ['no size', 'RESOLUTION=1920x800,', ''],
    ['no frame rate', 'FRAME-RATE=23.976,', ''],
    ['no range', 'VIDEO-RANGE=SDR,AUDIO', 'AUDIO'],
    ['nothing said of captions', ',CLOSED-CAPTIONS=NONE', ''],
    ['a group that is not there', 'AUDIO="a"', 'AUDIO="b"'],
    ['no promise of independent segments', '#EXT-X-INDEPENDENT-SEGMENTS\n', ''],
    ['sound without channels', ',CHANNELS="2"', ''],
  ])('find %s', (_what, from, to) => expect(multivariantBreaches(change(MULTIVARIANT, from, to))).not.toEqual([]));

  it('find bytes that are no text', () =>
    expect(multivariantBreaches(Uint8Array.of(0x23, 0xff, 0xfe))).toEqual(['it is not UTF-8']));
});

describe('rules of a media playlist', () => {
  it('find nothing where nothing is', () => expect(mediaPlaylistBreaches(bytes(MEDIA), 'segments')).toEqual([]));

  it.each<[what: string, from: string | RegExp, to: string]>([
    ['a segment that is longer than the target', '3.000000', '5.600000'],
    ['no target', '#EXT-X-TARGETDURATION:5\n', ''],
    ['a version that is too low', '#EXT-X-VERSION:7', '#EXT-X-VERSION:5'],
    ['no init segment', '#EXT-X-MAP:URI="init.mp4"\n', ''],
    ['an init segment that comes too late', /(#EXT-X-MAP:.*\n)([\s\S]*?0\.m4s\n)/, '$2$1'],
    ['an address from the root', '1.m4s', '/1.m4s'],
    ['an address elsewhere', '1.m4s', 'https://elsewhere.example/1.m4s'],
    ['a segment twice', '1.m4s', '0.m4s'],
    ['an open end', '#EXT-X-ENDLIST\n', ''],
    ['a list that may change', '#EXT-X-PLAYLIST-TYPE:VOD\n', ''],
    ['pictures only', '#EXT-X-TARGETDURATION', '#EXT-X-I-FRAMES-ONLY\n#EXT-X-TARGETDURATION'],
  ])('find %s', (_what, from, to) =>
    expect(mediaPlaylistBreaches(change(MEDIA, from, to), 'segments')).not.toEqual([]),
  );
});

describe('the peak bit rate', () => {
  it('is that of runs of about a target duration, not of a splinter', () => {
    const segments = [
      { bytes: 500_000, durationUs: 4e6 },
      { bytes: 100_000, durationUs: 0.1e6 },
      { bytes: 1_000_000, durationUs: 4e6 },
    ];
    expect(peakBitrateBps(segments)).toBeCloseTo((1_100_000 * 8) / 4.1, 0);
  });
});
