/**
 * What this device plays, from questions that are put to it, never from its name: a wrong "yes" costs a failed start, a wrong "no"
 * a transcode that nobody needed.
 */
import type { Container, HdrKind } from '#protocol/schema/media.ts';
import type { DeviceProfile, VideoCodecSupport } from '#protocol/schema/playback.ts';

/** The browser's own answers. */
export interface MediaQuestions {
  /** What the device calls itself, for the server's log: `Firefox on Linux`. */
  readonly name: string;
  /** `canPlayType` says `probably` or `maybe`. */
  canPlayFile(type: string): boolean;
  /** Media Source Extensions take it; where there are none, the device's own HLS player. */
  canPlaySegments(type: string): boolean;
  /** `MediaCapabilities.decodingInfo()`; `null` where it can't be asked. */
  decodes(question: DecodingQuestion): Promise<DecodingAnswer | null>;
  /** The screen shows high dynamic range. */
  readonly hasHdrScreen: boolean;
  readonly colorGamut: NonNullable<DeviceProfile['colorGamut']>;
  /** What the page can draw itself over the picture. */
  readonly subtitles: NonNullable<DeviceProfile['subtitles']>;
  /** A video element plays any audio track of a file, and not only the first. */
  readonly choosesAudioTracks: boolean;
  /** Channels that the device puts out; `null` where it does not say. */
  readonly loudspeakers: number | null;
  /** What the browser is set to, best first. */
  readonly languages: readonly string[];
}

export interface DecodingAnswer {
  readonly isSupported: boolean;
  /** Without lost pictures, as far as the browser can tell. */
  readonly isSmooth: boolean;
  /** By hardware, as a rule. */
  readonly isPowerEfficient: boolean;
}

export interface DecodingQuestion {
  readonly as: 'file' | 'segments';
  readonly type: string;
  readonly width?: number;
  readonly height?: number;
  readonly frameRate?: number;
  readonly hdr?: HdrKind;
  readonly channels?: number;
}

interface VideoCodecQuestion {
  readonly codec: string;
  /** Codec strings (RFC 6381), 8 bits deep; the first is asked first, any one will do. */
  readonly plain: readonly string[];
  readonly tenBit: readonly string[];
  /** FFmpeg's level number → codec string, from the highest down. */
  readonly levels: readonly (readonly [level: number, codec: string])[];
}

const VIDEO: readonly VideoCodecQuestion[] = [
  {
    codec: 'h264',
    plain: ['avc1.640028'],
    tenBit: ['avc1.6E0028'],
    levels: [
      [62, 'avc1.64003E'],
      [52, 'avc1.640034'],
      [51, 'avc1.640033'],
      [42, 'avc1.64002A'],
      [41, 'avc1.640029'],
      [40, 'avc1.640028'],
    ],
  },
  {
    codec: 'hevc',
    plain: ['hvc1.1.6.L93.B0', 'hev1.1.6.L93.B0'],
    tenBit: ['hvc1.2.4.L93.B0', 'hev1.2.4.L93.B0'],
    levels: [
      [186, 'hvc1.1.6.L186.B0'],
      [156, 'hvc1.1.6.L156.B0'],
      [153, 'hvc1.1.6.L153.B0'],
      [150, 'hvc1.1.6.L150.B0'],
      [123, 'hvc1.1.6.L123.B0'],
      [120, 'hvc1.1.6.L120.B0'],
      [93, 'hvc1.1.6.L93.B0'],
    ],
  },
  {
    codec: 'av1',
    plain: ['av01.0.08M.08'],
    tenBit: ['av01.0.08M.10'],
    levels: [
      [19, 'av01.0.19M.08'],
      [16, 'av01.0.16M.08'],
      [13, 'av01.0.13M.08'],
      [12, 'av01.0.12M.08'],
      [9, 'av01.0.09M.08'],
      [8, 'av01.0.08M.08'],
    ],
  },
  { codec: 'vp9', plain: ['vp09.00.41.08', 'vp9'], tenBit: ['vp09.02.41.10'], levels: [] },
  { codec: 'vp8', plain: ['vp8'], tenBit: [], levels: [] },
  { codec: 'mpeg4', plain: ['mp4v.20.9', 'mp4v.20.240'], tenBit: [], levels: [] },
  { codec: 'mpeg2video', plain: ['mp4v.61'], tenBit: [], levels: [] },
  { codec: 'theora', plain: ['theora'], tenBit: [], levels: [] },
];

const AUDIO: readonly (readonly [codec: string, strings: readonly string[]])[] = [
  ['aac', ['mp4a.40.2']],
  ['mp3', ['mp4a.6B', 'mp4a.69', 'mp3']],
  ['opus', ['opus', 'Opus']],
  ['flac', ['flac', 'fLaC']],
  ['vorbis', ['vorbis']],
  ['ac3', ['ac-3']],
  ['eac3', ['ec-3']],
  ['dts', ['dtsc']],
  ['truehd', ['mlpa']],
  ['alac', ['alac']],
];

/** Containers that a video element might open from a URL, with their content types. */
const FILE_TYPES: readonly (readonly [container: Container, types: readonly string[]])[] = [
  ['mp4', ['video/mp4']],
  ['matroska', ['video/x-matroska', 'video/matroska']],
  ['webm', ['video/webm']],
  ['mpegts', ['video/mp2t']],
  ['ogg', ['video/ogg']],
  ['avi', ['video/x-msvideo']],
  ['mpegps', ['video/mpeg']],
  ['flv', ['video/x-flv']],
];

/** Picture sizes from the largest down; a device that takes the first has no limit worth telling. */
const SIZES = [
  [7680, 4320],
  [3840, 2160],
  [2560, 1440],
  [1920, 1080],
  [1280, 720],
] as const;

/** In the words of a codec string's type: HDR10+ and Dolby Vision are extensions that a plain HEVC or AV1 test does not cover. */
const HDR_STRINGS: Readonly<Record<HdrKind, readonly string[]>> = {
  hdr10: ['hvc1.2.4.L153.B0', 'av01.0.13M.10', 'vp09.02.51.10'],
  hdr10plus: ['hvc1.2.4.L153.B0', 'av01.0.13M.10'],
  hlg: ['hvc1.2.4.L153.B0', 'av01.0.13M.10', 'vp09.02.51.10'],
  dolbyVision: ['dvh1.08.06', 'dvh1.05.06'],
};

const typed = (type: string, codec: string): string => `${type}; codecs="${codec}"`;

type Ask = (as: DecodingQuestion['as'], type: string) => boolean;

function asker(questions: MediaQuestions): Ask {
  return (as, type) => (as === 'file' ? questions.canPlayFile(type) : questions.canPlaySegments(type));
}

/** What a device says of one codec, as one entry, or as two where it is slower with larger pictures. */
async function videoSupport(
  questions: MediaQuestions,
  ask: Ask,
  as: DecodingQuestion['as'],
  type: string,
  { codec, plain, tenBit, levels }: VideoCodecQuestion,
): Promise<VideoCodecSupport[]> {
  const accepted = plain.filter((string) => ask(as, typed(type, string)));
  const [first] = accepted;
  if (first === undefined) return [];
  const decodes = (width: number, height: number, frameRate: number): Promise<DecodingAnswer | null> =>
    questions.decodes({ as, type: typed(type, first), width, height, frameRate });

  if ((await decodes(1280, 720, 24))?.isSupported === false) return [];
  const deep = tenBit.some((string) => ask(as, typed(type, string)));
  const support: VideoCodecSupport = { codec, maxBitDepth: deep ? 10 : 8 };

  const highest = levels.findIndex(([, string]) => ask(as, typed(type, string)));
  // The highest level that exists is no limit; a codec whose levels all fail tells nothing about levels.
  if (highest > 0) support.maxLevel = levels[highest]![0];
  // Apple’s devices open HEVC in files only with its parameter sets in the sample entry.
  const entries = [...new Set(accepted.map((string) => string.split('.', 1)[0]!))];
  const isPartial = new Set(plain.map((string) => string.split('.', 1)[0])).size > entries.length;
  if (as === 'file' && codec === 'hevc' && isPartial) support.sampleEntries = entries;

  const usual = await decodes(1920, 1080, 24);
  if (usual !== null) support.isPowerEfficient = usual.isSupported && usual.isPowerEfficient;
  const answers: (readonly [size: (typeof SIZES)[number], slow: DecodingAnswer])[] = [];
  for (const size of SIZES) {
    const slow = await decodes(size[0], size[1], 24);
    if (slow === null) return [support];
    if (slow.isSupported) answers.push([size, slow]);
  }
  const [largest] = answers;
  if (largest === undefined) return [support];
  const [maxWidth, maxHeight] = largest[0];
  if (largest[0] !== SIZES[0]) Object.assign(support, { maxWidth, maxHeight });
  const smooth = answers.find(([, { isSmooth }]) => isSmooth) ?? answers.at(-1)!;
  if (smooth !== largest) Object.assign(support, { maxSmoothWidth: smooth[0][0], maxSmoothHeight: smooth[0][1] });

  const isFast = async ([width, height]: (typeof SIZES)[number]): Promise<boolean> => {
    const fast = await decodes(width, height, 60);
    return fast === null || (fast.isSupported && (fast.isSmooth || !smooth[1].isSmooth));
  };
  if (await isFast(smooth[0])) return [support];
  support.maxFrameRate = 30;
  for (const [size] of answers.slice(answers.indexOf(smooth) + 1)) {
    if (!(await isFast(size))) continue;
    const { maxFrameRate: _slow, maxSmoothWidth: _width, maxSmoothHeight: _height, ...rest } = support;
    return [support, { ...rest, maxWidth: size[0], maxHeight: size[1] }];
  }
  return [support];
}

async function fileSupport(questions: MediaQuestions, ask: Ask): Promise<DeviceProfile['file']> {
  const containers = await Promise.all(
    FILE_TYPES.map(async ([container, types]) => {
      const type = types.find((candidate) => questions.canPlayFile(candidate));
      if (type === undefined) return null;
      const video = await Promise.all(VIDEO.map((codec) => videoSupport(questions, ask, 'file', type, codec)));
      const known = video.flat();
      if (known.length === 0) return null;
      const audio = AUDIO.filter(([, strings]) => strings.some((string) => questions.canPlayFile(typed(type, string))));
      return { container, video: known, audio: audio.map(([codec]) => codec) };
    }),
  );
  return containers.filter((container) => container !== null);
}

async function hdrSupport(questions: MediaQuestions): Promise<HdrKind[]> {
  if (!questions.hasHdrScreen) return [];
  const kinds = Object.keys(HDR_STRINGS) as HdrKind[];
  const answers = await Promise.all(
    kinds.map(async (kind) => {
      for (const string of HDR_STRINGS[kind]) {
        const type = typed('video/mp4', string);
        if (!questions.canPlayFile(type)) continue;
        if (
          (await questions.decodes({ as: 'file', type, width: 3840, height: 2160, frameRate: 24, hdr: kind }))
            ?.isSupported === true
        ) {
          return true;
        }
      }
      return false;
    }),
  );
  return kinds.filter((_, index) => answers[index]);
}

/** The most channels of AAC that decode; a device that can't be asked gets stereo, which every one plays. */
async function audioChannels(questions: MediaQuestions): Promise<number> {
  const type = typed('audio/mp4', 'mp4a.40.2');
  for (const channels of [8, 6]) {
    if ((await questions.decodes({ as: 'segments', type, channels }))?.isSupported === true) return channels;
  }
  return 2;
}

export async function buildDeviceProfile(questions: MediaQuestions): Promise<DeviceProfile> {
  const ask = asker(questions);
  const [file, segmentVideo, hdr, maxAudioChannels] = await Promise.all([
    fileSupport(questions, ask),
    Promise.all(VIDEO.map((codec) => videoSupport(questions, ask, 'segments', 'video/mp4', codec))),
    hdrSupport(questions),
    audioChannels(questions),
  ]);
  const segmentAudio = AUDIO.filter(([, strings]) =>
    strings.some((string) => questions.canPlaySegments(typed('audio/mp4', string))),
  );
  return {
    name: questions.name,
    file,
    segments: { video: segmentVideo.flat(), audio: segmentAudio.map(([codec]) => codec) },
    hdr,
    maxAudioChannels,
    ...(questions.loudspeakers !== null && { loudspeakers: questions.loudspeakers }),
    colorGamut: questions.colorGamut,
    subtitles: questions.subtitles,
    choosesAudioTracks: questions.choosesAudioTracks,
    languages: questions.languages.slice(0, 16),
  };
}
