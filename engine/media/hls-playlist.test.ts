import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mediaPlaylist, multivariantPlaylist, picturePlaylist, subtitlePlaylist } from './hls-playlist.ts';
import type { AudioRendition, VariantStream } from './hls-playlist.ts';
import { planRemux, planTranscode } from './segment-plan.ts';

/** Reads an attribute list as RFC 8216, section 4.2 defines it, and refuses everything else. */
function parseAttributes(text: string): Record<string, string> {
  const parsed: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)/.exec(rest);
    if (!match) throw new Error(`not an attribute list: ${rest}`);
    if (match[1]! in parsed) throw new Error(`${match[1]!} twice`);
    parsed[match[1]!] = match[2]!.replace(/^"|"$/g, '');
    rest = rest.slice(match[0].length);
    if (rest === '' && match[3] === ',') throw new Error('ends with a comma');
  }
  return parsed;
}

function linesOf(playlist: string): string[] {
  expect(playlist.startsWith('#EXTM3U\n')).toBe(true);
  expect(playlist.endsWith('\n')).toBe(true);
  expect(playlist).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufeff]/);
  return playlist.trimEnd().split('\n');
}

const tag = (lines: readonly string[], name: string): string[] =>
  lines.filter((line) => line.startsWith(`#${name}:`)).map((line) => line.slice(name.length + 2));

const variant: VariantStream = {
  uri: 'v0/index.m3u8',
  peakBitrateBps: 7_160_000,
  averageBitrateBps: 3_000_000,
  codecs: ['avc1.640028', 'mp4a.40.2', 'ec-3', 'mp4a.40.2'],
  video: {
    size: { widthPx: 1920, heightPx: 800 },
    framesPerSecond: 24_000 / 1_001,
    range: 'SDR',
    supplementalCodecs: null,
  },
};
const sound = (part: Partial<AudioRendition> = {}): AudioRendition => ({
  uri: 'a1/index.m3u8',
  name: 'English · 5.1',
  language: 'en',
  channels: 6,
  isDefault: false,
  isDescription: false,
  ...part,
});

describe('the multivariant playlist', () => {
  it('says everything that a player decides by', () => {
    const lines = linesOf(
      multivariantPlaylist(
        [variant],
        [
          sound({ isDefault: true }),
          sound({ uri: 'a2/index.m3u8', name: 'Kommentar', language: 'de', channels: 2 }),
          sound({ uri: 'a3/index.m3u8', name: 'Description', language: null, channels: 2, isDescription: true }),
        ],
      ),
    );
    expect(lines.slice(0, 3)).toEqual(['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS']);
    expect(tag(lines, 'EXT-X-STREAM-INF').map(parseAttributes)).toEqual([
      {
        BANDWIDTH: '7160000',
        'AVERAGE-BANDWIDTH': '3000000',
        CODECS: 'avc1.640028,mp4a.40.2,ec-3',
        RESOLUTION: '1920x800',
        'FRAME-RATE': '23.976',
        'VIDEO-RANGE': 'SDR',
        AUDIO: 'sound',
        'CLOSED-CAPTIONS': 'NONE',
      },
    ]);
    expect(lines.at(-1)).toBe('v0/index.m3u8');
    const group = { TYPE: 'AUDIO', 'GROUP-ID': 'sound' };
    expect(tag(lines, 'EXT-X-MEDIA').map(parseAttributes)).toEqual([
      {
        ...group,
        NAME: 'English · 5.1',
        LANGUAGE: 'en',
        DEFAULT: 'YES',
        AUTOSELECT: 'YES',
        CHANNELS: '6',
        URI: 'a1/index.m3u8',
      },
      {
        ...group,
        NAME: 'Kommentar',
        LANGUAGE: 'de',
        DEFAULT: 'NO',
        AUTOSELECT: 'YES',
        CHANNELS: '2',
        URI: 'a2/index.m3u8',
      },
      {
        ...group,
        NAME: 'Description',
        DEFAULT: 'NO',
        AUTOSELECT: 'NO',
        CHARACTERISTICS: 'public.accessibility.describes-video',
        CHANNELS: '2',
        URI: 'a3/index.m3u8',
      },
    ]);
  });

  it('has no group where there is no sound, and no picture where there is none', () => {
    const silent = tag(linesOf(multivariantPlaylist([variant], [])), 'EXT-X-STREAM-INF').map(parseAttributes);
    expect(silent[0]).not.toHaveProperty('AUDIO');
    const blind = { ...variant, uri: 'a0/index.m3u8', codecs: ['opus'], video: null };
    const attributes = tag(linesOf(multivariantPlaylist([blind], [])), 'EXT-X-STREAM-INF').map(parseAttributes);
    expect(attributes).toEqual([{ BANDWIDTH: '7160000', 'AVERAGE-BANDWIDTH': '3000000', CODECS: 'opus' }]);
  });

  it('leaves CODECS out where one is unknown: wrong is worse than absent', () => {
    const lines = linesOf(multivariantPlaylist([{ ...variant, codecs: [null, 'mp4a.40.2'] }], []));
    expect(parseAttributes(tag(lines, 'EXT-X-STREAM-INF')[0]!)).not.toHaveProperty('CODECS');
  });

  it('names Dolby Vision beside its base layer', () => {
    const video = { ...variant.video!, range: 'PQ' as const, supplementalCodecs: 'dvh1.08.07/db1p' };
    const lines = linesOf(multivariantPlaylist([{ ...variant, video }], []));
    expect(parseAttributes(tag(lines, 'EXT-X-STREAM-INF')[0]!)).toMatchObject({
      'VIDEO-RANGE': 'PQ',
      'SUPPLEMENTAL-CODECS': 'dvh1.08.07/db1p',
    });
  });

  it('never states a peak below the average', () => {
    const lines = linesOf(multivariantPlaylist([{ ...variant, peakBitrateBps: 1 }], []));
    expect(parseAttributes(tag(lines, 'EXT-X-STREAM-INF')[0]!)).toMatchObject({ BANDWIDTH: '3000000' });
  });

  it('stays legal whatever a file calls its tracks', () => {
    const rendition = fc.record({
      name: fc.string({ unit: 'binary', maxLength: 80 }),
      language: fc.option(
        fc.oneof(fc.constantFrom('en', 'pt-BR', 'e"n', ''), fc.string({ unit: 'binary', maxLength: 8 })),
      ),
    });
    fc.assert(
      fc.property(fc.array(rendition, { maxLength: 8 }), (parts) => {
        const lines = linesOf(
          multivariantPlaylist(
            [variant],
            parts.map((part) => sound(part)),
          ),
        );
        const media = tag(lines, 'EXT-X-MEDIA').map(parseAttributes);
        expect(lines.length).toBe(5 + parts.length);
        expect(new Set(media.map(({ NAME }) => NAME)).size).toBe(parts.length);
        for (const { NAME } of media) expect(NAME).not.toBe('');
      }),
    );
  });
});

describe('a media playlist', () => {
  it('is complete from the first second', () => {
    expect(mediaPlaylist(Float64Array.of(0, 1_001_000, 2_002_000, 7_041_708))).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:7',
        '#EXT-X-TARGETDURATION:5',
        '#EXT-X-MEDIA-SEQUENCE:0',
        '#EXT-X-PLAYLIST-TYPE:VOD',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        '#EXT-X-MAP:URI="init.mp4"',
        '#EXTINF:1.001000,',
        '0.m4s',
        '#EXTINF:1.001000,',
        '1.m4s',
        '#EXTINF:5.039708,',
        '2.m4s',
        '#EXT-X-ENDLIST',
        '',
      ].join('\n'),
    );
  });

  it('adds up to the duration exactly, and no segment rounds to more than the target', () => {
    const keyframes = fc.array(fc.integer({ min: 10_000, max: 9_000_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(keyframes, fc.integer({ min: 1, max: 9_000_000 }), fc.boolean(), (gapsUs, tailUs, isRemux) => {
        const keyframesUs = gapsUs.reduce<number[]>((times, gapUs) => [...times, times.at(-1)! + gapUs], [0]);
        const durationUs = keyframesUs.at(-1)! + tailUs;
        const plan = isRemux ? planRemux(keyframesUs, durationUs)! : planTranscode(keyframesUs, durationUs, null);
        const lines = linesOf(mediaPlaylist(plan));
        const lengths = tag(lines, 'EXTINF').map((line) => line.replace(/,$/, ''));
        expect(lengths.reduce((sum, text) => sum + Number(text.replace('.', '')), 0)).toBe(durationUs);
        const target = Number(tag(lines, 'EXT-X-TARGETDURATION')[0]);
        for (const length of lengths) expect(Math.round(Number(length))).toBeLessThanOrEqual(target);
        expect(lines.filter((line) => !line.startsWith('#'))).toEqual(lengths.map((_, index) => `${index}.m4s`));
      }),
    );
  });
});

describe('what else a player finds', () => {
  const text = {
    uri: 't3/index.m3u8',
    name: 'Português (Brasil) · SDH',
    language: 'pt-BR',
    isForced: false,
    isHearingImpaired: true,
    isCommentary: false,
  };

  it('subtitles with what they are for, none of them on by itself but forced ones by language', () => {
    const lines = linesOf(
      multivariantPlaylist(
        [variant],
        [],
        [text, { ...text, uri: 't4/index.m3u8', name: 'x', language: null, isForced: true, isHearingImpaired: false }],
      ),
    );
    expect(tag(lines, 'EXT-X-MEDIA').map(parseAttributes)).toEqual([
      {
        TYPE: 'SUBTITLES',
        'GROUP-ID': 'text',
        NAME: 'Português (Brasil) · SDH',
        LANGUAGE: 'pt-BR',
        DEFAULT: 'NO',
        AUTOSELECT: 'YES',
        FORCED: 'NO',
        CHARACTERISTICS:
          'public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound',
        URI: 't3/index.m3u8',
      },
      {
        TYPE: 'SUBTITLES',
        'GROUP-ID': 'text',
        NAME: 'x',
        DEFAULT: 'NO',
        AUTOSELECT: 'YES',
        FORCED: 'YES',
        URI: 't4/index.m3u8',
      },
    ]);
    expect(parseAttributes(tag(lines, 'EXT-X-STREAM-INF')[0]!)).toMatchObject({ SUBTITLES: 'text' });
  });

  it('pictures to look for a place by', () => {
    const pictures = {
      uri: 'i/index.m3u8',
      peakBitrateBps: 84_000.4,
      averageBitrateBps: 14_468,
      codec: 'avc1.64000d',
      size: { widthPx: 320, heightPx: 134 },
    };
    const lines = linesOf(multivariantPlaylist([variant], [], [], pictures));
    expect(tag(lines, 'EXT-X-I-FRAME-STREAM-INF').map(parseAttributes)).toEqual([
      {
        BANDWIDTH: '84000',
        'AVERAGE-BANDWIDTH': '14468',
        CODECS: 'avc1.64000d',
        RESOLUTION: '320x134',
        'VIDEO-RANGE': 'SDR',
        URI: 'i/index.m3u8',
      },
    ]);
    const list = linesOf(picturePlaylist(Float64Array.of(0, 2_000_000, 5_500_000)));
    expect(list).toContain('#EXT-X-I-FRAMES-ONLY');
    expect(list).not.toContain('#EXT-X-INDEPENDENT-SEGMENTS');
    expect(tag(list, 'EXTINF')).toEqual(['2.000000,', '3.500000,']);
  });

  it('a whole movie of subtitles in one file', () => {
    expect(linesOf(subtitlePlaylist('../t3.vtt', 7_199_600_000))).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      '#EXT-X-TARGETDURATION:7200',
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-PLAYLIST-TYPE:VOD',
      '#EXTINF:7199.600000,',
      '../t3.vtt',
      '#EXT-X-ENDLIST',
    ]);
  });
});
