import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { DeviceProfile } from '#protocol/schema/playback.ts';
import { browserVersion, deviceName } from './device-name.ts';
import { buildDeviceProfile } from './device-profile.ts';
import type { DecodingQuestion, MediaQuestions } from './device-profile.ts';

interface Browser {
  /** Content types that a video element opens, each with the codec strings it takes in them. */
  readonly files: Readonly<Record<string, RegExp>>;
  /** Codec strings that media sources take in fragmented MP4. */
  readonly segments: RegExp;
  readonly decodes?: (question: DecodingQuestion) => boolean | null;
  readonly isSmooth?: (question: DecodingQuestion) => boolean;
  readonly isPowerEfficient?: (question: DecodingQuestion) => boolean;
  readonly hasHdrScreen?: boolean;
}

function ask(browser: Browser): MediaQuestions {
  const { files, segments, decodes = () => true, hasHdrScreen = false } = browser;
  const { isSmooth = () => true, isPowerEfficient = () => false } = browser;
  const parse = (type: string): readonly [string, string | undefined] => {
    const [, container = '', codec] = /^([^;]+)(?:; codecs="([^"]+)")?$/.exec(type) ?? [];
    return [container.replace(/^audio\//, 'video/'), codec];
  };
  return {
    name: 'Test on a bench',
    canPlayFile(type) {
      const [container, codec] = parse(type);
      const codecs = files[container];
      return codecs !== undefined && (codec === undefined || codecs.test(codec));
    },
    canPlaySegments(type) {
      const [container, codec] = parse(type);
      return container === 'video/mp4' && codec !== undefined && segments.test(codec);
    },
    decodes: (question) => {
      const isSupported = decodes(question);
      return Promise.resolve(
        isSupported === null
          ? null
          : { isSupported, isSmooth: isSmooth(question), isPowerEfficient: isPowerEfficient(question) },
      );
    },
    hasHdrScreen,
    colorGamut: 'p3',
    loudspeakers: 2,
    subtitles: { styled: true, pictures: true },
    choosesAudioTracks: false,
    languages: ['de-AT', 'en'],
  };
}

// As the two browsers answered when they were asked (Chromium 156, Firefox ESR 153, Debian 12).
const chromium: Browser = {
  files: {
    'video/mp4': /^(avc1|av01|vp09|vp8|mp4a\.(40|69|6B)|mp3|opus|flac)/,
    'video/x-matroska': /^(avc1|mp4a\.40)/,
    'video/webm': /^(vp8|vp09|av01|opus|vorbis)/,
    'video/ogg': /^(opus|vorbis|flac)$/,
  },
  segments: /^(avc1|av01|vp09|mp4a\.40|opus|flac)/,
};
const firefox: Browser = {
  files: {
    'video/mp4': /^(avc1\.64|hvc1|hev1|av01|vp09|mp4a|opus|flac)/,
    'video/webm': /^(vp8|vp09|av01|opus|vorbis)/,
  },
  segments: /^(avc1\.64|hvc1|hev1|av01|vp09|mp4a|opus|flac|mp3)/,
};

describe('device profile', () => {
  it('is what the contract calls one', async () => {
    for (const browser of [chromium, firefox]) {
      const profile = await buildDeviceProfile(ask(browser));
      expect(v.parse(DeviceProfile, profile)).toEqual(profile);
    }
  });

  it('a browser that opens Matroska says so, with what it plays in it', async () => {
    const { file } = await buildDeviceProfile(ask(chromium));
    const matroska = file.find(({ container }) => container === 'matroska');
    expect(matroska?.video.map(({ codec }) => codec)).toEqual(['h264']);
    expect(matroska?.audio).toEqual(['aac']);
  });

  it('a container without any codec that plays is left out', async () => {
    const { file } = await buildDeviceProfile(ask(chromium));
    expect(file.map(({ container }) => container)).toEqual(['mp4', 'matroska', 'webm']);
  });

  it('HEVC, ten bits and Dolby sound are claimed only where they were found', async () => {
    const inChromium = await buildDeviceProfile(ask(chromium));
    const inFirefox = await buildDeviceProfile(ask(firefox));
    const codecs = ({ segments }: DeviceProfile): string[] => segments.video.map(({ codec }) => codec);
    expect(codecs(inChromium)).toEqual(['h264', 'av1', 'vp9']);
    expect(codecs(inFirefox)).toEqual(['h264', 'hevc', 'av1', 'vp9']);
    expect(inChromium.segments.video[0]).toMatchObject({ codec: 'h264', maxBitDepth: 10 });
    expect(inFirefox.segments.video[0]).toMatchObject({ codec: 'h264', maxBitDepth: 8 });
    expect(inChromium.segments.audio).toEqual(['aac', 'opus', 'flac']);
    expect(inFirefox.segments.audio).toContain('mp3');
  });

  it('a decoder that refuses what the type test accepted is believed', async () => {
    const { segments, file } = await buildDeviceProfile(
      ask({ ...chromium, decodes: ({ type, as }) => !(type.includes('av01') && as === 'segments') }),
    );
    expect(segments.video.map(({ codec }) => codec)).toEqual(['h264', 'vp9']);
    expect(file[0]?.video.map(({ codec }) => codec)).toContain('av1');
  });

  it('limits are told where there are any, and left out where none was found', async () => {
    const free = await buildDeviceProfile(ask(chromium));
    expect(free.segments.video[0]).toEqual({ codec: 'h264', maxBitDepth: 10, isPowerEfficient: false });
    const small = await buildDeviceProfile(
      ask({
        files: { 'video/mp4': /^(avc1\.64002[89]|mp4a)/ },
        segments: /^(avc1\.64002[89]|mp4a)/,
        decodes: ({ width = 0, frameRate = 0, channels = 0 }) => width <= 1_920 && frameRate <= 30 && channels <= 2,
      }),
    );
    expect(small.segments.video[0]).toEqual({
      codec: 'h264',
      maxBitDepth: 8,
      maxLevel: 41,
      maxWidth: 1_920,
      maxHeight: 1_080,
      maxFrameRate: 30,
      isPowerEfficient: false,
    });
    expect(small.maxAudioChannels).toBe(2);
  });

  it('a browser that can’t be asked about decoding is taken at its word, without limits', async () => {
    const profile = await buildDeviceProfile(ask({ ...chromium, decodes: () => null }));
    expect(profile.segments.video[0]).toEqual({ codec: 'h264', maxBitDepth: 10 });
    expect(profile.maxAudioChannels).toBe(2);
  });

  it('[PLAY40] a picture that would stutter is told apart from one that does not decode', async () => {
    const { segments } = await buildDeviceProfile(ask({ ...chromium, isSmooth: ({ width = 0 }) => width <= 1_920 }));
    expect(segments.video[0]).toEqual({
      ...{ codec: 'h264', maxBitDepth: 10, isPowerEfficient: false },
      ...{ maxSmoothWidth: 1_920, maxSmoothHeight: 1_080 },
    });
    // Who says that everything stutters is believed for all but the smallest.
    const slow = await buildDeviceProfile(ask({ ...chromium, isSmooth: () => false }));
    expect(slow.segments.video[0]).toMatchObject({ maxSmoothWidth: 1_280, maxSmoothHeight: 720 });
    expect(slow.segments.video[0]).not.toHaveProperty('maxFrameRate');
  });

  it('a device that is fast only with smaller pictures says both', async () => {
    const { segments } = await buildDeviceProfile(
      ask({ ...chromium, isSmooth: ({ width = 0, frameRate = 0 }) => width <= 1_920 || frameRate <= 30 }),
    );
    expect(segments.video.filter(({ codec }) => codec === 'h264')).toEqual([
      { codec: 'h264', maxBitDepth: 10, isPowerEfficient: false, maxFrameRate: 30 },
      { codec: 'h264', maxBitDepth: 10, isPowerEfficient: false, maxWidth: 1_920, maxHeight: 1_080 },
    ]);
  });

  it('what is decoded by hardware is told for each codec', async () => {
    const { segments } = await buildDeviceProfile(
      ask({ ...firefox, isPowerEfficient: ({ type }) => type.includes('hvc1') || type.includes('avc1') }),
    );
    const efficient = segments.video.filter(({ isPowerEfficient }) => isPowerEfficient).map(({ codec }) => codec);
    expect(efficient).toEqual(['h264', 'hevc']);
  });

  it('a browser that opens HEVC in one wrapping only says which', async () => {
    const entriesOf = async (types: RegExp) => {
      const { file } = await buildDeviceProfile(ask({ ...firefox, files: { 'video/mp4': types } }));
      return file[0]?.video.find(({ codec }) => codec === 'hevc')?.sampleEntries;
    };
    expect(await entriesOf(/^(avc1|hvc1|mp4a)/)).toEqual(['hvc1']);
    expect(await entriesOf(/^(avc1|hvc1|hev1|mp4a)/)).toBeUndefined();
  });

  it('tells the colours of the screen, what the page draws, and the languages of the browser', async () => {
    expect(await buildDeviceProfile(ask(chromium))).toMatchObject({
      colorGamut: 'p3',
      loudspeakers: 2,
      subtitles: { styled: true, pictures: true },
      choosesAudioTracks: false,
      languages: ['de-AT', 'en'],
    });
  });

  it('HDR needs a screen that shows it and a decoder that knows it', async () => {
    const hdr10Only: Browser = { ...chromium, decodes: ({ hdr }) => hdr === undefined || hdr === 'hdr10' };
    expect((await buildDeviceProfile(ask(hdr10Only))).hdr).toEqual([]);
    expect((await buildDeviceProfile(ask({ ...hdr10Only, hasHdrScreen: true }))).hdr).toEqual(['hdr10']);
  });

  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 'Firefox on Linux'],
    ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0', 'Edge on Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1', 'Safari on iPhone'],
    ['Mozilla/5.0 (Linux; Android 16) Chrome/156.0 Mobile Safari/537.36', 'Chrome on Android'],
    ['curl/8', 'Browser on an unknown system'],
  ])('%s is %s', (agent, name) => {
    expect(deviceName(agent)).toBe(name);
  });

  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 'Firefox 153'],
    ['Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/157.1', 'Edge 157'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.2 Mobile/1 Safari/604.1', 'Safari 19'],
    ['curl/8', 'Browser 0'],
  ])('[PLAY44] %s is %s', (agent, version) => {
    expect(browserVersion(agent)).toBe(version);
  });
});
