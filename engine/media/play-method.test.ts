import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { BASELINE_PROFILE, PLAY_METHODS, PLAY_REASONS } from '#protocol/schema/playback.ts';
import type { DeviceProfile, PlayMethod, PlayReason } from '#protocol/schema/playback.ts';
import { audioTrack, mediaInfo, videoTrack } from '#test/support/media-info.ts';
import { decidePlayback } from './play-method.ts';
import type { PlayDecision, PlayQuestion } from './play-method.ts';

const h264 = { codec: 'h264', maxBitDepth: 8, maxLevel: 52 };
const hevc = { codec: 'hevc', maxBitDepth: 10, maxLevel: 153, maxWidth: 3840, maxHeight: 2160, maxFrameRate: 60 };
const vp9 = { codec: 'vp9', maxBitDepth: 10 };
const av1 = { codec: 'av1', maxBitDepth: 10 };

/** Like Chromium on Linux as measured: no HEVC, Matroska as a file, no Dolby codecs. */
const chromium: DeviceProfile = {
  name: 'chromium',
  file: [
    { container: 'mp4', video: [h264, vp9, av1], audio: ['aac', 'mp3', 'opus', 'flac'] },
    { container: 'matroska', video: [h264, vp9, av1], audio: ['aac', 'mp3', 'opus', 'flac', 'vorbis'] },
    { container: 'webm', video: [vp9, av1], audio: ['opus', 'vorbis'] },
    { container: 'audio', video: [], audio: ['mp3', 'flac'] },
  ],
  segments: { video: [h264, vp9, av1], audio: ['aac', 'opus', 'flac'] },
  hdr: [],
  maxAudioChannels: 8,
};
/** A television: HEVC, HDR10 and HLG, Dolby sound, MP4 only. */
const tv: DeviceProfile = {
  name: 'tv',
  file: [{ container: 'mp4', video: [h264, hevc], audio: ['aac', 'ac3', 'eac3'] }],
  segments: { video: [h264, hevc], audio: ['aac', 'ac3', 'eac3'] },
  hdr: ['hdr10', 'hlg'],
  maxAudioChannels: 6,
};
const dolbyTv: DeviceProfile = { ...tv, name: 'dolby tv', hdr: ['hdr10', 'hlg', 'dolbyVision'] };

const limits = { maxHeightPx: 1080 };
const decide = (media: MediaInfo, profile: DeviceProfile, more: Partial<PlayQuestion> = {}): PlayDecision | null =>
  decidePlayback({ media, profile, hasUsableKeyframes: true, audioTrack: null, without: [], limits, ...more });

const mkv = (part: Partial<MediaInfo> = {}): MediaInfo => mediaInfo({ container: 'matroska', ...part });
const hevc10 = (part: Parameters<typeof videoTrack>[0] = {}) =>
  videoTrack({ codec: 'hevc', profile: 'Main 10', level: 150, bitDepth: 10, pixelFormat: 'yuv420p10le', ...part });
const ac3 = audioTrack({ codec: 'ac3', profile: null, channels: 6 });

type Row = [
  what: string,
  media: MediaInfo,
  profile: DeviceProfile,
  method: PlayMethod,
  reasons: PlayReason[],
  audio: 'copy' | 'transcode' | null,
  more?: Partial<PlayQuestion>,
];

const TABLE: Row[] = [
  ['H.264 and AAC in MP4', mediaInfo(), chromium, 'directPlay', [], 'copy'],
  ['the same on the baseline', mediaInfo(), BASELINE_PROFILE, 'directPlay', [], 'copy'],
  ['Matroska where it is played as a file', mkv(), chromium, 'directPlay', [], 'copy'],
  ['Matroska where it is not', mkv(), BASELINE_PROFILE, 'remux', ['containerNotSupported'], 'copy'],
  ['a picture without sound', mediaInfo({ audio: [] }), chromium, 'directPlay', [], null],
  [
    'sound without a picture',
    mediaInfo({ container: 'audio', video: [], audio: [audioTrack({ codec: 'mp3' })] }),
    chromium,
    'directPlay',
    [],
    'copy',
  ],
  [
    'sound without a picture in a strange container',
    mediaInfo({ container: 'ogg', video: [], audio: [audioTrack({ codec: 'vorbis' })] }),
    chromium,
    'remux',
    ['containerNotSupported', 'audioCodecNotSupported'],
    'transcode',
  ],
  ['AC-3 in MP4', mediaInfo({ audio: [ac3] }), chromium, 'remux', ['audioCodecNotSupported'], 'transcode'],
  [
    'AC-3 in Matroska',
    mkv({ audio: [ac3] }),
    BASELINE_PROFILE,
    'remux',
    ['containerNotSupported', 'audioCodecNotSupported', 'audioChannelsNotSupported'],
    'transcode',
  ],
  ['AC-3 in Matroska on a television', mkv({ audio: [ac3] }), tv, 'remux', ['containerNotSupported'], 'copy'],
  [
    'AAC 5.1 for two loudspeakers',
    mediaInfo({ audio: [audioTrack({ channels: 6 })] }),
    BASELINE_PROFILE,
    'remux',
    ['audioChannelsNotSupported'],
    'transcode',
  ],
  [
    'AAC of the Main type',
    mediaInfo({ audio: [audioTrack({ profile: 'Main' })] }),
    chromium,
    'remux',
    ['audioCodecNotSupported'],
    'transcode',
  ],
  ['HE-AAC', mediaInfo({ audio: [audioTrack({ profile: 'HE-AAC' })] }), chromium, 'directPlay', [], 'copy'],
  [
    'Vorbis, which plays as a file only',
    mkv({ audio: [audioTrack({ codec: 'vorbis' })] }),
    chromium,
    'directPlay',
    [],
    'copy',
  ],
  [
    'a second sound track was chosen',
    mediaInfo({ audio: [audioTrack(), audioTrack({ index: 2, language: 'fr' })] }),
    chromium,
    'remux',
    ['audioTrackSelected'],
    'copy',
    { audioTrack: 2 },
  ],
  [
    'the first sound track was chosen',
    mediaInfo({ audio: [audioTrack(), audioTrack({ index: 2, disposition: { default: true } })] }),
    chromium,
    'directPlay',
    [],
    'copy',
    { audioTrack: 1 },
  ],
  [
    'the default sound is not the first',
    mediaInfo({ audio: [audioTrack({ disposition: { commentary: true } }), audioTrack({ index: 2 })] }),
    chromium,
    'remux',
    ['audioTrackSelected'],
    'copy',
  ],
  [
    'a chosen track that has to be encoded, which the file’s player would not need',
    mkv({ audio: [audioTrack(), audioTrack({ index: 2, codec: 'vorbis' })] }),
    chromium,
    'remux',
    ['audioCodecNotSupported', 'audioTrackSelected'],
    'transcode',
    { audioTrack: 2 },
  ],
  [
    'sound of which nothing is known',
    mediaInfo({ audio: [audioTrack({ codec: 'none' })] }),
    chromium,
    'directPlay',
    [],
    null,
  ],
  ['a chosen track that does not exist', mediaInfo(), chromium, 'directPlay', [], 'copy', { audioTrack: 99 }],
  [
    'HEVC where there is none',
    mediaInfo({ video: [hevc10()] }),
    chromium,
    'transcode',
    ['videoCodecNotSupported'],
    'copy',
  ],
  [
    'HEVC and AC-3 in Matroska where there are none',
    mkv({ video: [hevc10()], audio: [ac3] }),
    BASELINE_PROFILE,
    'transcode',
    ['containerNotSupported', 'videoCodecNotSupported', 'audioCodecNotSupported', 'audioChannelsNotSupported'],
    'transcode',
  ],
  ['HEVC in Matroska on a television', mkv({ video: [hevc10()] }), tv, 'remux', ['containerNotSupported'], 'copy'],
  [
    'H.264 of 10 bits',
    mediaInfo({ video: [videoTrack({ bitDepth: 10 })] }),
    chromium,
    'transcode',
    ['videoBitDepthNotSupported'],
    'copy',
  ],
  [
    'H.264 4:4:4',
    mediaInfo({ video: [videoTrack({ pixelFormat: 'yuv444p' })] }),
    chromium,
    'transcode',
    ['videoCodecNotSupported'],
    'copy',
  ],
  [
    'H.264 of level 6',
    mediaInfo({ video: [videoTrack({ level: 60 })] }),
    chromium,
    'transcode',
    ['videoLevelNotSupported'],
    'copy',
  ],
  ['an unknown level', mediaInfo({ video: [videoTrack({ level: null })] }), chromium, 'directPlay', [], 'copy'],
  [
    'more pixels than the device has',
    mediaInfo({ video: [hevc10({ width: 7680, height: 4320 })] }),
    tv,
    'transcode',
    ['videoResolutionNotSupported'],
    'copy',
  ],
  [
    'an upright picture of as many',
    mediaInfo({ video: [hevc10({ width: 2160, height: 3840 })] }),
    tv,
    'directPlay',
    [],
    'copy',
  ],
  [
    '120 pictures a second',
    mediaInfo({ video: [hevc10({ frameRate: { num: 120, den: 1 } })] }),
    tv,
    'transcode',
    ['videoFrameRateNotSupported'],
    'copy',
  ],
  [
    '60.02 pictures a second',
    mediaInfo({ video: [hevc10({ frameRate: { num: 3001, den: 50 } })] }),
    tv,
    'directPlay',
    [],
    'copy',
  ],
  [
    'interlaced',
    mediaInfo({ video: [videoTrack({ isInterlaced: true })] }),
    chromium,
    'transcode',
    ['interlacedNotSupported'],
    'copy',
  ],
  ['turned, in MP4', mediaInfo({ video: [videoTrack({ rotation: 90 })] }), chromium, 'directPlay', [], 'copy'],
  [
    'turned, in Matroska',
    mkv({ video: [videoTrack({ rotation: 90 })] }),
    chromium,
    'transcode',
    ['rotationNotSupported'],
    'copy',
  ],
  [
    'turned, in MP4, with AC-3',
    mediaInfo({ video: [videoTrack({ rotation: 180 })], audio: [ac3] }),
    chromium,
    'transcode',
    ['rotationNotSupported', 'audioCodecNotSupported'],
    'transcode',
  ],
  [
    'oblong pixels',
    mediaInfo({ video: [videoTrack({ pixelAspect: { num: 64, den: 45 }, width: 720, height: 576 })] }),
    chromium,
    'directPlay',
    [],
    'copy',
  ],
  [
    'HDR10 on an ordinary screen',
    mediaInfo({ video: [hevc10({ hdr: 'hdr10' })] }),
    { ...tv, hdr: [] },
    'transcode',
    ['hdrNotSupported'],
    'copy',
  ],
  [
    'HDR10 and HEVC where there is neither',
    mediaInfo({ video: [hevc10({ hdr: 'hdr10' })] }),
    chromium,
    'transcode',
    ['videoCodecNotSupported', 'hdrNotSupported'],
    'copy',
  ],
  ['HDR10 on a television', mediaInfo({ video: [hevc10({ hdr: 'hdr10' })] }), tv, 'directPlay', [], 'copy'],
  [
    'HDR10+ on a television for HDR10',
    mediaInfo({ video: [hevc10({ hdr: 'hdr10plus' })] }),
    tv,
    'directPlay',
    [],
    'copy',
  ],
  [
    'HLG on a screen for HDR10 only',
    mediaInfo({ video: [hevc10({ hdr: 'hlg' })] }),
    { ...tv, hdr: ['hdr10'] },
    'transcode',
    ['hdrNotSupported'],
    'copy',
  ],
  [
    'Dolby Vision 5 on a television for HDR10',
    mediaInfo({ video: [hevc10({ hdr: 'dolbyVision', dolbyVision: { profile: 5, level: 6, compatibility: 0 } })] }),
    tv,
    'transcode',
    ['dolbyVisionNotSupported'],
    'copy',
  ],
  [
    'Dolby Vision 5 where it is known',
    mediaInfo({ video: [hevc10({ hdr: 'dolbyVision', dolbyVision: { profile: 5, level: 6, compatibility: 0 } })] }),
    dolbyTv,
    'directPlay',
    [],
    'copy',
  ],
  [
    'Dolby Vision 8.1 on a television for HDR10',
    mediaInfo({ video: [hevc10({ hdr: 'dolbyVision', dolbyVision: { profile: 8, level: 6, compatibility: 1 } })] }),
    tv,
    'directPlay',
    [],
    'copy',
  ],
  [
    'Dolby Vision 8.4 on a television for HLG',
    mediaInfo({ video: [hevc10({ hdr: 'dolbyVision', dolbyVision: { profile: 8, level: 6, compatibility: 4 } })] }),
    tv,
    'directPlay',
    [],
    'copy',
  ],
  [
    'Dolby Vision 8.1 on an ordinary screen',
    mediaInfo({ video: [hevc10({ hdr: 'dolbyVision', dolbyVision: { profile: 8, level: 6, compatibility: 1 } })] }),
    { ...tv, hdr: [] },
    'transcode',
    ['hdrNotSupported'],
    'copy',
  ],
  [
    'Dolby Vision 8.2 on an ordinary screen',
    mediaInfo({ video: [hevc10({ hdr: 'dolbyVision', dolbyVision: { profile: 8, level: 6, compatibility: 2 } })] }),
    { ...tv, hdr: [] },
    'directPlay',
    [],
    'copy',
  ],
  [
    'H.264 in AVI',
    mediaInfo({ container: 'avi' }),
    chromium,
    'transcode',
    ['containerNotSupported', 'timestampsUnreliable'],
    'copy',
  ],
  [
    'MPEG-4 and MP3 in AVI',
    mediaInfo({ container: 'avi', video: [videoTrack({ codec: 'mpeg4' })], audio: [audioTrack({ codec: 'mp3' })] }),
    chromium,
    'transcode',
    ['containerNotSupported', 'videoCodecNotSupported', 'audioCodecNotSupported'],
    'transcode',
  ],
  ['H.264 in MPEG-TS', mediaInfo({ container: 'mpegts' }), chromium, 'remux', ['containerNotSupported'], 'copy'],
  [
    'no keyframes to cut at',
    mkv(),
    BASELINE_PROFILE,
    'transcode',
    ['containerNotSupported', 'keyframesUnusable'],
    'copy',
    { hasUsableKeyframes: false },
  ],
  ['no keyframes, and none needed', mkv(), chromium, 'directPlay', [], 'copy', { hasUsableKeyframes: false }],
  [
    'no keyframes for a picture that has to be encoded anyway',
    mkv({ video: [hevc10()] }),
    chromium,
    'transcode',
    ['videoCodecNotSupported'],
    'copy',
    { hasUsableKeyframes: false },
  ],
  [
    'VP8, which segments cannot hold',
    mediaInfo({
      container: 'webm',
      video: [videoTrack({ codec: 'vp8', level: null })],
      audio: [audioTrack({ codec: 'vorbis' })],
    }),
    { ...chromium, segments: { video: [{ codec: 'vp8', maxBitDepth: 8 }], audio: ['vorbis'] } },
    'transcode',
    ['videoCodecNotSupported', 'audioCodecNotSupported'],
    'transcode',
  ],
  [
    'more than the line carries',
    mediaInfo({ bitrateBps: 20_000_000 }),
    { ...chromium, maxBitrateBps: 8_000_000 },
    'transcode',
    ['bitrateTooHigh'],
    'copy',
  ],
  [
    'more than the line carries, by its size',
    mediaInfo({ bitrateBps: null, sizeBytes: 150_000_000 }),
    { ...chromium, maxBitrateBps: 8_000_000 },
    'transcode',
    ['bitrateTooHigh'],
    'copy',
  ],
  [
    'more than the line carries only with all its sound tracks',
    mediaInfo({
      bitrateBps: 9_000_000,
      video: [videoTrack({ bitrateBps: 5_000_000 })],
      audio: [audioTrack({ bitrateBps: 200_000 }), audioTrack({ index: 2, codec: 'truehd', bitrateBps: 3_800_000 })],
    }),
    { ...chromium, maxBitrateBps: 8_000_000 },
    'remux',
    ['bitrateTooHigh'],
    'copy',
  ],
  [
    'direct play failed here',
    mediaInfo(),
    chromium,
    'remux',
    ['failedOnThisDevice'],
    'copy',
    { without: ['directPlay'] },
  ],
  [
    'direct play and remux failed here',
    mediaInfo(),
    chromium,
    'transcode',
    ['failedOnThisDevice'],
    'copy',
    { without: ['directPlay', 'remux'] },
  ],
  [
    'remux failed here, direct play never came into question',
    mkv(),
    BASELINE_PROFILE,
    'transcode',
    ['containerNotSupported', 'failedOnThisDevice'],
    'copy',
    { without: ['remux'] },
  ],
  [
    'remux failed here, which was not asked for',
    mediaInfo({ video: [hevc10()] }),
    chromium,
    'transcode',
    ['videoCodecNotSupported'],
    'copy',
    { without: ['remux'] },
  ],
];

describe('decidePlayback', () => {
  it.each(TABLE)('%s', (_what, media, profile, method, reasons, audio, more) => {
    const decision = decide(media, profile, more)!;
    expect({ method: decision.method, reasons: decision.reasons }).toEqual({ method, reasons });
    expect(decision.audio?.method ?? null).toBe(audio);
    expect(decision.video?.method ?? null).toBe(
      media.video.length === 0 ? null : method === 'transcode' ? 'transcode' : 'copy',
    );
  });

  it('uses every reason of the closed set in this table', () => {
    const used = new Set(TABLE.flatMap((row) => row[4]));
    expect(PLAY_REASONS.filter((reason) => !used.has(reason))).toEqual([]);
  });

  it('has no answer where everything that is possible failed already', () => {
    expect(decide(mediaInfo(), chromium, { without: [...PLAY_METHODS] })).toBeNull();
    expect(decide(mediaInfo({ video: [] }), chromium, { without: ['directPlay', 'remux'] })).toBeNull();
  });

  it('takes the best of several things that a device says of one codec', () => {
    const profile = {
      ...tv,
      file: [{ container: 'mp4' as const, video: [{ ...hevc, maxBitDepth: 8 }, hevc], audio: ['aac'] }],
    };
    expect(decide(mediaInfo({ video: [hevc10()] }), profile)).toMatchObject({ method: 'directPlay' });
  });

  it('takes the best of several combinations that a device names for one container', () => {
    const profile: DeviceProfile = {
      ...tv,
      file: [
        { container: 'mp4', video: [hevc], audio: ['ac3'] },
        { container: 'mp4', video: [h264], audio: ['aac'] },
      ],
    };
    expect(decide(mediaInfo(), profile)).toMatchObject({ method: 'directPlay' });
  });

  it('decides for each sound track on its own', () => {
    const audio = [
      audioTrack(),
      audioTrack({ index: 2, codec: 'dts', channels: 6 }),
      audioTrack({ index: 3, codec: 'opus' }),
    ];
    const decision = decide(mkv({ audio }), { ...chromium, file: [] })!;
    expect(decision.audioTracks).toEqual([
      { method: 'copy', trackIndex: 1, fromCodec: 'aac' },
      { method: 'transcode', trackIndex: 2, fromCodec: 'dts', channels: 2, bitrateBps: 160_000 },
      { method: 'copy', trackIndex: 3, fromCodec: 'opus' },
    ]);
  });

  it.each<[string, Parameters<typeof videoTrack>[0], Partial<DeviceProfile>, number, object]>([
    ['1080p as it is', {}, {}, 1080, { widthPx: 1920, heightPx: 1080, maxBitrateBps: 7_000_000 }],
    ['1080p on a small server', {}, {}, 720, { widthPx: 1280, heightPx: 720, maxBitrateBps: 3_500_000 }],
    [
      'Cinemascope',
      { width: 3840, height: 1600 },
      {},
      1080,
      { widthPx: 1920, heightPx: 800, maxBitrateBps: 7_000_000 },
    ],
    [
      'never larger than the source',
      { width: 640, height: 360 },
      {},
      1080,
      { widthPx: 640, heightPx: 360, maxBitrateBps: 800_000 },
    ],
    ['odd sizes made even', { width: 853, height: 479 }, {}, 1080, { widthPx: 854, heightPx: 480 }],
    [
      'oblong pixels made square',
      { width: 720, height: 576, pixelAspect: { num: 64, den: 45 } },
      {},
      1080,
      { widthPx: 1024, heightPx: 576 },
    ],
    ['turned upright', { rotation: 90 }, {}, 720, { widthPx: 720, heightPx: 1280 }],
    ['60 pictures a second cost more', { frameRate: { num: 60, den: 1 } }, {}, 1080, { maxBitrateBps: 10_500_000 }],
    [
      'a line of 4 Mbit/s',
      {},
      { maxBitrateBps: 4_000_000 },
      1080,
      { widthPx: 1280, heightPx: 720, maxBitrateBps: 3_500_000 },
    ],
    [
      'a line of 1 Mbit/s',
      {},
      { maxBitrateBps: 1_000_000 },
      1080,
      { widthPx: 640, heightPx: 360, maxBitrateBps: 800_000 },
    ],
    ['a line of nothing', {}, { maxBitrateBps: 1 }, 1080, { widthPx: 426, heightPx: 240, maxBitrateBps: 150_000 }],
    [
      'a device for 720p',
      {},
      { segments: { video: [{ ...h264, maxWidth: 1280, maxHeight: 720 }], audio: ['aac'] } },
      1080,
      { widthPx: 1280, heightPx: 720 },
    ],
    ['a size that is not known', { width: 0, height: 0 }, {}, 720, { widthPx: 1280, heightPx: 720 }],
    ['HDR is mapped', { hdr: 'hdr10' }, {}, 1080, { toneMap: true }],
    [
      'Dolby Vision is mapped',
      { hdr: 'dolbyVision', dolbyVision: { profile: 5, level: 6, compatibility: 0 } },
      {},
      1080,
      { toneMap: true },
    ],
    [
      'Dolby Vision over SDR is not',
      { hdr: 'dolbyVision', dolbyVision: { profile: 8, level: 6, compatibility: 2 } },
      {},
      1080,
      { toneMap: false },
    ],
    ['interlaced', { isInterlaced: true }, {}, 1080, { deinterlace: true, toneMap: false }],
  ])('encodes %s', (_what, video, device, maxHeightPx, expected) => {
    const decision = decide(
      mediaInfo({ video: [videoTrack(video)] }),
      { ...chromium, ...device },
      {
        without: ['directPlay', 'remux'],
        limits: { maxHeightPx },
      },
    );
    expect(decision?.video).toMatchObject({ method: 'transcode', trackIndex: 0, fromCodec: 'h264', ...expected });
  });
});

describe('any decision', () => {
  const question = fc.record({
    container: fc.constantFrom('mp4', 'matroska', 'webm', 'avi', 'mpegts'),
    codec: fc.constantFrom('h264', 'hevc', 'vp8', 'vp9', 'av1', 'mpeg2video'),
    bitDepth: fc.constantFrom(8, 10, 12),
    hdr: fc.constantFrom(null, 'hdr10', 'hlg', 'dolbyVision'),
    rotation: fc.constantFrom(0, 90),
    isInterlaced: fc.boolean(),
    sound: fc.array(
      fc.record({ codec: fc.constantFrom('aac', 'ac3', 'dts', 'opus'), channels: fc.constantFrom(1, 2, 6) }),
      { maxLength: 3 },
    ),
    chosen: fc.option(fc.nat({ max: 3 })),
    profile: fc.constantFrom(chromium, tv, dolbyTv, BASELINE_PROFILE),
    maxBitrateBps: fc.option(fc.nat({ max: 10_000_000 })),
    without: fc.subarray([...PLAY_METHODS]),
    hasUsableKeyframes: fc.boolean(),
  });

  const build = (q: typeof question extends fc.Arbitrary<infer T> ? T : never): PlayQuestion => ({
    media: mediaInfo({
      container: q.container as MediaInfo['container'],
      video: [
        videoTrack({
          codec: q.codec,
          bitDepth: q.bitDepth,
          hdr: q.hdr as null,
          rotation: q.rotation as 0,
          isInterlaced: q.isInterlaced,
        }),
      ],
      audio: q.sound.map((sound, at) => audioTrack({ ...sound, index: at + 1 })),
    }),
    profile: q.maxBitrateBps === null ? q.profile : { ...q.profile, maxBitrateBps: q.maxBitrateBps },
    hasUsableKeyframes: q.hasUsableKeyframes,
    audioTrack: q.chosen,
    without: q.without,
    limits,
  });

  it('never uses a method that failed, and gives reasons exactly where the file is not sent as it is', () => {
    fc.assert(
      fc.property(question, (q) => {
        const decision = decidePlayback(build(q));
        if (decision === null) {
          expect(q.without).toContain('transcode');
          return;
        }
        expect(q.without).not.toContain(decision.method);
        expect(decision.reasons.length > 0).toBe(decision.method !== 'directPlay');
        expect(decision.reasons).toEqual(PLAY_REASONS.filter((reason) => decision.reasons.includes(reason)));
      }),
    );
  });

  it('sends nothing that the device does not decode', () => {
    fc.assert(
      fc.property(question, (q) => {
        const decision = decidePlayback(build(q));
        if (decision === null) return;
        const entry = q.profile.file.find(({ container }) => container === q.container);
        const takes = decision.method === 'directPlay' ? entry! : q.profile.segments;
        if (decision.video?.method === 'copy') {
          expect(takes.video.map(({ codec }) => codec)).toContain(decision.video.fromCodec);
        }
        if (decision.audio?.method === 'copy') expect(takes.audio).toContain(decision.audio.fromCodec);
      }),
    );
  });

  it('gets no worse when the device can do more', () => {
    fc.assert(
      fc.property(question, (q) => {
        const asked = build(q);
        const better: DeviceProfile = {
          ...asked.profile,
          file: [...asked.profile.file, ...chromium.file, ...dolbyTv.file],
          segments: {
            video: [...asked.profile.segments.video, ...chromium.segments.video, ...tv.segments.video],
            audio: [...asked.profile.segments.audio, ...tv.segments.audio, 'opus'],
          },
          hdr: ['hdr10', 'hlg', 'dolbyVision'],
          maxAudioChannels: 8,
        };
        const rank = (decision: PlayDecision | null) => PLAY_METHODS.indexOf(decision?.method ?? 'transcode');
        expect(rank(decidePlayback({ ...asked, profile: better }))).toBeLessThanOrEqual(rank(decidePlayback(asked)));
      }),
    );
  });
});
