/** The questions of `device-profile.ts`, put to the browser that runs this page. */
import type { HdrKind } from '#protocol/schema/media.ts';
import type { DeviceProfile } from '#protocol/schema/playback.ts';
import { DeviceLessons } from '#client/store/device-lessons.ts';
import { deviceMemory } from '#client/store/memory.ts';
import { browserVersion, deviceName } from './device-name.ts';
import { buildDeviceProfile } from './device-profile.ts';
import type { DecodingAnswer, DecodingQuestion, MediaQuestions } from './device-profile.ts';

/** What Media Capabilities wants to know of each HDR kind (Media Capabilities, section 2.2). */
const HDR_QUESTION: Readonly<
  Record<HdrKind, Pick<VideoConfiguration, 'hdrMetadataType' | 'colorGamut' | 'transferFunction'>>
> = {
  hdr10: { hdrMetadataType: 'smpteSt2086', colorGamut: 'rec2020', transferFunction: 'pq' },
  hdr10plus: { hdrMetadataType: 'smpteSt2094-40', colorGamut: 'rec2020', transferFunction: 'pq' },
  hlg: { colorGamut: 'rec2020', transferFunction: 'hlg' },
  dolbyVision: { hdrMetadataType: 'smpteSt2094-10', colorGamut: 'rec2020', transferFunction: 'pq' },
};

/** Bits per second for a picture of this size; the tests ask about ordinary movies, not extremes. */
const typicalBitrate = (width: number, height: number): number => Math.round(width * height * 4);

async function decodes(question: DecodingQuestion): Promise<DecodingAnswer | null> {
  if (!('mediaCapabilities' in navigator)) return null;
  const { as, type, width = 1920, height = 1080, frameRate = 24, hdr, channels } = question;
  try {
    const answer = await navigator.mediaCapabilities.decodingInfo({
      type: as === 'file' ? 'file' : 'media-source',
      ...(channels === undefined
        ? {
            video: {
              contentType: type,
              width,
              height,
              framerate: frameRate,
              bitrate: typicalBitrate(width, height),
              ...(hdr !== undefined && HDR_QUESTION[hdr]),
            },
          }
        : { audio: { contentType: type, channels: String(channels), bitrate: 384_000, samplerate: 48_000 } }),
    });
    return { isSupported: answer.supported, isSmooth: answer.smooth, isPowerEfficient: answer.powerEfficient };
  } catch {
    // Thrown for a type that the browser does not parse as such: no answer, not a "no".
    return null;
  }
}

interface ManagedMediaSourceWindow {
  /** Safari on iPhone has this instead of `MediaSource`. */
  readonly ManagedMediaSource?: typeof MediaSource;
}

export function mediaSource(): typeof MediaSource | null {
  return globalThis.MediaSource ?? (globalThis as ManagedMediaSourceWindow).ManagedMediaSource ?? null;
}

/** Where there are no Media Source Extensions, the device's own HLS player is the way. */
export function playsHlsItself(): boolean {
  return document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '';
}

let asked: Promise<DeviceProfile> | undefined;
let answered: DeviceProfile | undefined;
let lessons: DeviceLessons | undefined;

/** What failed on this device before. */
export function deviceLessons(): DeviceLessons {
  lessons ??= new DeviceLessons(deviceMemory, browserVersion(navigator.userAgent));
  return lessons;
}

/**
 * What this device plays. Asked once a page: the answers do not change, and take a browser up to a second; what failed meanwhile is added.
 * No promise where the answers are there, so that what is sent with them need not wait until a screen has been drawn.
 */
export function deviceProfile(): DeviceProfile | Promise<DeviceProfile> {
  if (answered !== undefined) return withLessons(answered);
  asked ??= buildDeviceProfile(browserQuestions()).then((answers) => (answered = answers));
  return asked.then(withLessons);
}

function withLessons(answers: DeviceProfile): DeviceProfile {
  const { deviceId, browser, all } = deviceLessons();
  return { ...answers, deviceId, browser, lessons: all.map(({ form, fileIds }) => ({ form, fileIds })) };
}

/** What the sound goes to: a laptop decodes 5.1 and mixes it down by itself, with less care for the voices than the server. */
function loudspeakers(): number | null {
  try {
    const context = new AudioContext();
    const channels = context.destination.maxChannelCount;
    void context.close();
    return channels > 0 ? channels : null;
  } catch {
    return null;
  }
}

/** The widest that the screen says it shows. */
function colorGamut(): NonNullable<DeviceProfile['colorGamut']> {
  const wider = (['rec2020', 'p3'] as const).find((gamut) => matchMedia(`(color-gamut: ${gamut})`).matches);
  return wider ?? 'srgb';
}

/** Whether pictures of subtitles are drawn here. Where they are not, they become a part of the movie's picture. */
export function drawsSubtitlePictures(): boolean {
  return 'createImageBitmap' in globalThis;
}

/** The same of scripts with styles. JASSUB is WebAssembly in a worker that draws by itself. */
export function drawsStyledSubtitles(): boolean {
  return 'WebAssembly' in globalThis && 'Worker' in globalThis && 'OffscreenCanvas' in globalThis;
}

function browserQuestions(): MediaQuestions {
  const video = document.createElement('video');
  const canPlayFile = (type: string): boolean => video.canPlayType(type) !== '';
  const source = mediaSource();
  return {
    name: deviceName(navigator.userAgent),
    canPlayFile,
    canPlaySegments: source === null ? canPlayFile : (type) => source.isTypeSupported(type),
    decodes: (question) =>
      source === null && question.as === 'segments' ? decodes({ ...question, as: 'file' }) : decodes(question),
    hasHdrScreen: matchMedia('(video-dynamic-range: high)').matches || matchMedia('(dynamic-range: high)').matches,
    colorGamut: colorGamut(),
    subtitles: {
      styled: drawsStyledSubtitles(),
      pictures: drawsSubtitlePictures(),
    },
    loudspeakers: loudspeakers(),
    choosesAudioTracks: 'audioTracks' in video,
    languages: navigator.languages,
  };
}
