import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MediaInfo } from '#protocol/schema/media.ts';
import { BASELINE_PROFILE, UNDRAWN, PLAY_METHODS, PLAY_REASONS } from '#protocol/schema/playback.ts';
import type { DeviceProfile } from '#protocol/schema/playback.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import { audioTrack, mediaInfo, videoTrack } from '#test/support/media-info.ts';
import { PLAY_TABLE, av1, chromium, dolbyTv, h264, hevc, hevc10, mkv, tv } from '#test/support/play-table.ts';
import { decidePlayback } from './play-method.ts';
import type { PlayDecision, PlayQuestion } from './play-method.ts';
import { isUnfit, sentForm } from './play-lesson.ts';

const limits = { maxHeightPx: 1080 };
const decide = (media: MediaInfo, profile: DeviceProfile, more: Partial<PlayQuestion> = {}): PlayDecision | null =>
  decidePlayback({ media, profile, hasUsableKeyframes: true, audioTrack: null, without: [], limits, ...more });

describe('decidePlayback', () => {
  it.each(PLAY_TABLE)('%s', (_what, media, profile, method, reasons, audio, more) => {
    const decision = decide(media, profile, more)!;
    expect({ method: decision.method, reasons: decision.reasons }).toEqual({ method, reasons });
    expect(decision.audio?.method ?? null).toBe(audio);
    expect(decision.video?.method ?? null).toBe(
      media.video.length === 0 ? null : method === 'transcode' ? 'transcode' : 'copy',
    );
  });

  it('uses every reason of the closed set in this table', () => {
    const used = new Set(PLAY_TABLE.flatMap((row) => row[4]));
    expect(PLAY_REASONS.filter((reason) => !used.has(reason))).toEqual([]);
  });

  it('has no answer where everything that is possible failed already', () => {
    expect(decide(mediaInfo(), chromium, { without: [...PLAY_METHODS] })).toBeNull();
    expect(decide(mediaInfo({ video: [] }), chromium, { without: ['directPlay', 'remux'] })).toBeNull();
  });

  it('has no answer for a device that says it plays nothing', () => {
    expect(decide(mediaInfo(), { ...chromium, file: [], segments: { video: [], audio: [] } })).toBeNull();
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
      { method: 'transcode', trackIndex: 2, fromCodec: 'dts', codec: 'aac', channels: 6, bitrateBps: 384_000 },
      { method: 'copy', trackIndex: 3, fromCodec: 'opus' },
    ]);
  });

  it.each([
    ['two loudspeakers', 'dts', 8, 2, ['aac', 'eac3'], 'aac', 2],
    ['a receiver that takes E-AC-3', 'truehd', 8, 8, ['aac', 'ac3', 'eac3'], 'eac3', 6],
    ['one that takes AC-3', 'dts', 6, 6, ['aac', 'ac3'], 'ac3', 6],
    ['loudspeakers, and neither', 'pcm_s24le', 6, 6, ['aac'], 'aac', 6],
    ['stereo, whatever the room', 'dts', 2, 6, ['aac', 'eac3'], 'aac', 2],
  ] as const)('encodes sound for %s', (_what, codec, channels, maxAudioChannels, audio, expected, sent) => {
    const profile = { ...chromium, file: [], maxAudioChannels, segments: { ...chromium.segments, audio: [...audio] } };
    const decision = decide(mkv({ audio: [audioTrack({ codec, channels })] }), profile)!;
    expect(decision.audio).toMatchObject({ method: 'transcode', codec: expected, channels: sent });
    expect(decision.sent.audioCodec).toBe(expected);
  });

  it.each([
    ['one that shows HDR10', 8, 1, ['hdr10'], true],
    ['one that shows HLG', 8, 4, ['hlg'], true],
    ['one that shows it', 8, 1, ['hdr10', 'dolbyVision'], undefined],
    ['two layers, for HDR10', 7, 6, ['hdr10'], true],
  ] as const)('copies Dolby Vision for %s', (_what, profile, compatibility, hdr, expected) => {
    const video = [
      videoTrack({
        codec: 'hevc',
        bitDepth: 10,
        hdr: 'dolbyVision',
        dolbyVision: { profile, level: 6, compatibility },
      }),
    ];
    const decision = decide(mkv({ video }), {
      ...tv,
      file: [],
      hdr: [...hdr],
      segments: { video: [hevc], audio: ['aac'] },
    })!;
    expect(decision.method).toBe('remux');
    expect(decision.video).toMatchObject({ method: 'copy' });
    expect((decision.video as { withoutDolbyVision?: true }).withoutDolbyVision).toBe(expected);
  });

  it('offers leaner codecs where the device decodes them by hardware, at that size, and they did not fail', () => {
    const efficient = (codec: string, part: object = {}) => ({
      codec,
      maxBitDepth: 10,
      isPowerEfficient: true,
      ...part,
    });
    const codecs = (video: DeviceProfile['segments']['video'], more: Partial<PlayQuestion> = {}) =>
      decide(
        mediaInfo(),
        { ...chromium, segments: { ...chromium.segments, video: [h264, ...video] } },
        { without: ['directPlay', 'remux'], ...more },
      )?.encoded?.codecs;
    expect(codecs([])).toEqual(['h264']);
    expect(codecs([efficient('hevc'), efficient('av1')])).toEqual(['av1', 'hevc', 'h264']);
    expect(codecs([efficient('hevc'), av1])).toEqual(['hevc', 'h264']);
    expect(codecs([efficient('hevc', { maxWidth: 1280, maxHeight: 720 })])).toEqual(['h264']);
    const form = sentForm('transcode', 'mp4', { width: 1920, height: 1080, bitDepth: 8 }, 'av1', 'aac');
    const lessons = [{ form, fileIds: ['x'] }];
    expect(codecs([efficient('av1')], { lessons, fileId: 'x' })).toEqual(['h264']);
    expect(codecs([efficient('av1')], { lessons, fileId: 'y' })).toEqual(['av1', 'h264']);
  });

  it('says what becomes of the picture also where it is copied, for lines that can’t carry the copy', () => {
    const decision = decide(mkv(), BASELINE_PROFILE)!;
    expect(decision.method).toBe('remux');
    expect(decision.encoded).toMatchObject({ method: 'transcode', heightPx: 1080, burnIn: null });
    expect(decide(mediaInfo({ video: [] }), chromium)!.encoded).toBeNull();
  });

  it('burns in only what the device can’t draw, and only where there is a picture', () => {
    const subtitles = [
      {
        ...{ id: 't7', label: 'x', language: 'en', format: 'pictures' as const, source: 'embedded' as const },
        ...{ isForced: false, isDefault: false, isHearingImpaired: false, isCommentary: false },
      },
    ];
    const burnt = decide(mediaInfo(), BASELINE_PROFILE, { subtitles, subtitle: 't7', canBurnIn: true })!;
    expect(burnt).toMatchObject({ subtitle: 't7', subtitleReason: 'chosen', encoded: { burnIn: 't7' } });
    expect(burnt.encoded).not.toHaveProperty('burnInOffsetMs');
    const shifted = subtitles.map((one) => ({ ...one, offsetMs: -1_480 }));
    const late = decide(mediaInfo(), BASELINE_PROFILE, { subtitles: shifted, subtitle: 't7', canBurnIn: true })!;
    expect(late.encoded).toMatchObject({ burnIn: 't7', burnInOffsetMs: -1_500 });
    expect(decide(mediaInfo(), BASELINE_PROFILE, { subtitles, subtitle: 't7' })).toMatchObject({
      method: 'directPlay',
      subtitle: null,
    });
    expect(
      decide(mediaInfo({ video: [] }), BASELINE_PROFILE, { subtitles, subtitle: 't7', canBurnIn: true }),
    ).toMatchObject({ subtitle: null, encoded: null });
  });

  it('[PLAY59] burns in what a device said that it draws and failed to: with that file, and from the second on with all', () => {
    const subtitles = [
      {
        ...{ id: 't7', label: 'x', language: 'en', format: 'pictures' as const, source: 'embedded' as const },
        ...{ isForced: false, isDefault: false, isHearingImpaired: false, isCommentary: false },
      },
    ];
    const drawing = { ...chromium, subtitles: { pictures: true, styled: true } };
    const reasons = (...fileIds: string[]) =>
      decide(mediaInfo(), drawing, {
        ...{ subtitles, subtitle: 't7', canBurnIn: true, fileId: 'x' },
        lessons: fileIds.length === 0 ? [] : [{ form: { ...UNDRAWN, subtitles: 'pictures' }, fileIds }],
      })!.reasons;
    expect(reasons()).toEqual([]);
    expect(reasons('y')).toEqual([]);
    expect(reasons('x')).toEqual(['subtitlesBurnedIn', 'failedOnThisDevice']);
    expect(reasons('y', 'z')).toEqual(['subtitlesBurnedIn', 'failedOnThisDevice']);
  });

  const script = {
    ...{ id: 't7', label: 'x', language: 'en', format: 'styled' as const, source: 'embedded' as const },
    ...{ isForced: false, isDefault: false, isHearingImpaired: false, isCommentary: false },
  };
  const ownStyle = {
    ...DEFAULT_PREFERENCES,
    subtitleStyle: { ...DEFAULT_PREFERENCES.subtitleStyle, overridesStyled: true },
  };
  const undrawn = [{ form: { ...UNDRAWN, subtitles: 'styled' as const }, fileIds: ['x'] }];

  it.each<[string, Partial<PlayQuestion> & { styled?: boolean }, object]>([
    ['is burnt in where the device draws no styles', {}, { encoded: { burnIn: 't7' }, method: 'transcode' }],
    ['is left to a device that draws them', { styled: true }, { encoded: { burnIn: null }, method: 'directPlay' }],
    [
      'is burnt in where the device said that it draws them, and did not',
      { styled: true, lessons: undrawn, fileId: 'x' },
      { method: 'transcode', reasons: ['subtitlesBurnedIn', 'failedOnThisDevice'] },
    ],
    ...(
      [
        ['preferred', { preferences: ownStyle }],
        ['preferred', { preferences: ownStyle, styled: true }],
        ['noEncoding', { canBurnIn: false }],
        ['noEncoding', { media: mediaInfo({ video: [] }) }],
        ['encodingFailed', { without: ['transcode'] }],
        ['encodersBusy', { areEncodersBusy: true }],
      ] as const
    ).map(([styledTextReason, asked]): [string, Partial<PlayQuestion> & { styled?: boolean }, object] => [
      `is text, and says why: ${styledTextReason} (${Object.keys(asked).join(', ')})`,
      asked,
      { method: 'directPlay', reasons: [], subtitle: 't7', subtitleReason: 'chosen', styledTextReason },
    ]),
  ])(
    '[PLAY55] [PLAY59] a script with styles %s',
    (_what, { styled = false, media = mediaInfo(), ...asked }, expected) => {
      const profile = { ...chromium, subtitles: { pictures: false, styled } };
      const decision = decide(media, profile, { subtitles: [script], subtitle: 't7', canBurnIn: true, ...asked })!;
      expect(decision).toMatchObject(expected);
      if (!('styledTextReason' in expected)) expect(decision).not.toHaveProperty('styledTextReason');
    },
  );

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
    maxHeightPx: fc.option(fc.constantFrom(480, 720, 1080)),
    smoothHeightPx: fc.option(fc.constantFrom(720, 1080)),
    lesson: fc.option(
      fc.record({ method: fc.constantFrom('directPlay' as const, 'remux' as const), files: fc.nat({ max: 3 }) }),
    ),
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
    profile: {
      ...q.profile,
      ...(q.maxBitrateBps !== null && { maxBitrateBps: q.maxBitrateBps }),
      ...(q.smoothHeightPx !== null && {
        segments: {
          ...q.profile.segments,
          video: q.profile.segments.video.map((one) => ({
            ...one,
            maxSmoothWidth: Math.round((q.smoothHeightPx! * 16) / 9),
            maxSmoothHeight: q.smoothHeightPx!,
          })),
        },
      }),
    },
    hasUsableKeyframes: q.hasUsableKeyframes,
    audioTrack: q.chosen,
    without: q.without,
    limits,
    preferences: { ...DEFAULT_PREFERENCES, maxHeightPx: q.maxHeightPx },
    lessons:
      q.lesson === null
        ? []
        : [
            {
              form: sentForm(
                q.lesson.method,
                q.lesson.method === 'remux' ? 'mp4' : q.container,
                { width: 1920, height: 1080, bitDepth: q.bitDepth },
                q.codec,
                q.sound[0]?.codec ?? null,
              ),
              fileIds: ['a', 'b', 'c'].slice(0, q.lesson.files),
            },
          ],
    fileId: 'a',
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

  it('keeps what is sent within every limit, and never repeats what failed here', () => {
    fc.assert(
      fc.property(question, (q) => {
        const asked = build(q);
        const decision = decidePlayback(asked);
        if (decision === null) return;
        const sent = decision.video?.method === 'transcode' ? decision.video : null;
        const sentPx = sent ? Math.min(sent.widthPx, sent.heightPx) : 1080;
        expect(sentPx).toBeLessThanOrEqual(q.maxHeightPx ?? Infinity);
        if (decision.method !== 'transcode') expect(isUnfit(decision.sent, asked.lessons!, 'a')).toBe(false);
        if (decision.video?.method === 'transcode') {
          expect(decision.video.codecs.at(-1)).toBe('h264');
          expect(decision.video).toEqual(decision.encoded);
        }
      }),
    );
  });

  it('gets no worse when less has failed and less is forbidden', () => {
    fc.assert(
      fc.property(question, (q) => {
        const asked = build(q);
        const rank = (decision: PlayDecision | null) =>
          decision === null ? PLAY_METHODS.length : PLAY_METHODS.indexOf(decision.method);
        const before = rank(decidePlayback(asked));
        const { maxBitrateBps: _none, ...unlimited } = asked.profile;
        expect(rank(decidePlayback({ ...asked, lessons: [] }))).toBeLessThanOrEqual(before);
        expect(rank(decidePlayback({ ...asked, preferences: DEFAULT_PREFERENCES }))).toBeLessThanOrEqual(before);
        expect(rank(decidePlayback({ ...asked, profile: unlimited }))).toBeLessThanOrEqual(before);
        expect(rank(decidePlayback({ ...asked, without: [] }))).toBeLessThanOrEqual(before);
      }),
    );
  });

  it('gets no worse when the device can do more', () => {
    fc.assert(
      fc.property(question, (q) => {
        // What failed is known of one device: a better one, which gets more as it is, has lessons of its own.
        const asked = { ...build(q), lessons: [] };
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
