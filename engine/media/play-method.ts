/**
 * How a file reaches a device, and why not as it is. One pure function: what it is told decides, so a table can test it.
 *
 * Direct play sends the file. Remux sends its video packets anew packed (fragmented MP4, HLS) and copies or encodes the sound. Transcode
 * encodes the picture. Each step is taken only for a reason from the closed set, and every reason that holds is named: those against the
 * file as it is, and, for a transcode, those against copying its picture. The tracks come first: `track-choice.ts`.
 */
import type { AudioTrack, MediaInfo, VideoTrack } from '#protocol/schema/media.ts';
import { DRAWN_SUBTITLES, PLAY_REASONS } from '#protocol/schema/playback.ts';
import type {
  AudioReason,
  DeviceLesson,
  DeviceProfile,
  DrawnSubtitles,
  PlayMethod,
  PlayReason,
  SentForm,
  StyledTextReason,
  SubtitleReason,
  VideoCodecSupport,
} from '#protocol/schema/playback.ts';
import { DEFAULT_PREFERENCES } from '#protocol/schema/preferences.ts';
import type { PlaybackPreferences } from '#protocol/schema/preferences.ts';
import { encodeSize, maxBitrateFor } from './encode-ladder.ts';
import type { EncodeLimits } from './encode-ladder.ts';
import type { PictureSize } from './picture-size.ts';
import { isUndrawn, isUnfit, sentForm } from './play-lesson.ts';
import {
  audioObstacles,
  baseLayer,
  directObstacles,
  exceeds,
  remuxObstacles,
  segmentAudio,
  sides,
  tightest,
} from './play-obstacles.ts';
import type { ObstacleQuestion } from './play-obstacles.ts';
import type { SoundCodec, VideoCodec } from './rendition-spec.ts';
import { audibleTracks, chooseAudio, chooseSubtitle } from './track-choice.ts';
import type { RememberedTracks, SubtitleCandidate, TrackPreferences } from './track-choice.ts';

export interface PlayQuestion extends ObstacleQuestion {
  /** The track a person wants now; `null`, or one that the file does not have: `chooseAudio`. */
  readonly audioTrack: number | null;
  /** Methods that failed on this device for this file in this session. */
  readonly without: readonly PlayMethod[];
  /** What is encoded at most. */
  readonly limits: EncodeLimits;
  /** In which the movie was made; absent or `null`: not known. */
  readonly originalLanguage?: string | null;
  /** What the person chose in this movie before. */
  readonly remembered?: RememberedTracks;
  /** The subtitles that there are, in the file and beside it. */
  readonly subtitles?: readonly SubtitleCandidate[];
  /** The subtitles that the person wants now, `null` for none; absent: `chooseSubtitle`. */
  readonly subtitle?: string | null | undefined;
  /** Whether subtitles can be made a part of the film's picture. */
  readonly canBurnIn?: boolean;
  /** Whether all encoders are at work for others: styles are then left out rather than waited for. */
  readonly areEncodersBusy?: boolean;
  /** Whether this server encodes pictures at all; absent: it does. Where it does not, one that may stutter is better than none. */
  readonly canEncode?: boolean;
  /** What failed on this device before, and with which files. */
  readonly lessons?: readonly DeviceLesson[];
  /** By which lessons know the file. */
  readonly fileId?: string | null;
}

export interface CopiedTrack {
  readonly method: 'copy';
  readonly trackIndex: number;
  readonly fromCodec: string;
  /** The device does not show Dolby Vision; it gets the HDR10, HLG or SDR below it. */
  readonly withoutDolbyVision?: true;
}

export interface EncodedVideo {
  readonly method: 'transcode';
  readonly trackIndex: number;
  readonly fromCodec: string;
  /** Size of the picture that comes out, turned upright, with square pixels. Both even. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly maxBitrateBps: number;
  /** HDR must be mapped to what an ordinary screen shows. */
  readonly toneMap: boolean;
  readonly deinterlace: boolean;
  /** What it may be encoded as, best first: those that the device decodes by hardware at this size, and H.264 always. */
  readonly codecs: readonly VideoCodec[];
  /** Id of the subtitles that become a part of it; `null` for none. */
  readonly burnIn: string | null;
  /** How much later than their file says those are shown; a multiple of `BURN_IN_STEP_MS`. Absent: as it says. */
  readonly burnInOffsetMs?: number;
}

export interface EncodedAudio {
  readonly method: 'transcode';
  readonly trackIndex: number;
  readonly fromCodec: string;
  readonly codec: SoundCodec;
  readonly channels: 2 | 6;
  readonly bitrateBps: number;
  /** Speech up, explosions down. */
  readonly isNight?: true;
}

export interface PlayDecision {
  readonly method: PlayMethod;
  /** Why not direct play, in the order of `PLAY_REASONS`; empty for direct play. */
  readonly reasons: readonly PlayReason[];
  /** `null` where the file has no picture. */
  readonly video: CopiedTrack | EncodedVideo | null;
  /** What the picture becomes where it is encoded: a remux offers it too, to lines that the copy is too much for. `null` without a picture. */
  readonly encoded: EncodedVideo | null;
  /** What happens to the chosen track; `null` where the file has no sound. */
  readonly audio: CopiedTrack | EncodedAudio | null;
  /** What happens to each audio track of the file when it is the one that is heard: the renditions of an HLS playlist. */
  readonly audioTracks: readonly (CopiedTrack | EncodedAudio)[];
  /** `null` where the file has no sound. */
  readonly audioReason: AudioReason | null;
  /** Id of the subtitles to show; `null` for none. */
  readonly subtitle: string | null;
  readonly subtitleReason: SubtitleReason;
  /** Why they are shown as text, where they have styles and lose them. */
  readonly styledTextReason?: StyledTextReason;
  /** What the device is asked to play: by this it knows again what failed. */
  readonly sent: SentForm;
}

/** As fine as people set it by key: what is closer than that shares one picture. */
export const BURN_IN_STEP_MS = 50;

/** Stereo AAC at a rate where listeners can't tell it from its source. */
const STEREO = { codec: 'aac', channels: 2, bitrateBps: 160_000 } as const;
/** 5.1 for devices with as many loudspeakers, in what they take, best first: Dolby's codecs also reach a receiver behind the device. */
const SURROUND = [
  { codec: 'eac3', channels: 6, bitrateBps: 384_000 },
  { codec: 'ac3', channels: 6, bitrateBps: 448_000 },
  { codec: 'aac', channels: 6, bitrateBps: 384_000 },
] as const;

/** Decides how to send a file. `null` where no method is left: all that were possible are among `without`. */
export function decidePlayback(asked: PlayQuestion): PlayDecision | null {
  const question = asked.canEncode === false ? { ...asked, profile: takingStutter(asked.profile) } : asked;
  const { media, profile, without } = question;
  if (playsNothing(profile)) return null;
  const video = media.video[0] ?? null;
  const sounds = audibleTracks(media.audio);
  const tracks = chooseTracks(question, sounds);
  const { audio } = tracks;
  const encoded = (soundBps: number): EncodedVideo | null =>
    video && encodeVideo(video, question, soundBps, tracks.burnIn);
  const { audioReason, subtitle, subtitleReason, styledTextReason } = tracks;
  const common = { audioReason, subtitle, subtitleReason, ...(styledTextReason && { styledTextReason }) };
  const isPossible = (sent: SentForm): boolean =>
    !without.includes(sent.method) && !isUnfit(sent, question.lessons ?? [], question.fileId ?? null);

  const againstDirect = directObstacles(question, video, audio, overallBitrateBps(media));
  if (tracks.burnIn !== null) againstDirect.add('subtitlesBurnedIn');
  if (tracks.hasFailedBefore) againstDirect.add('failedOnThisDevice');
  if (audio && profile.nightSound === true) againstDirect.add('nightSound');
  if (againstDirect.size === 0) {
    const sent = sentForm('directPlay', media.container, video, video?.codec ?? null, audio?.codec ?? null);
    if (isPossible(sent)) {
      return {
        method: 'directPlay',
        reasons: [],
        video: copy(video),
        encoded: encoded(0),
        audio: copy(audio),
        audioTracks: sounds.map((track) => copy(track)),
        ...common,
        sent,
      };
    }
    againstDirect.add('failedOnThisDevice');
  }

  const audioTracks = sounds.map((track) => decideAudio(track, profile));
  const audioSent = audioTracks.find(({ trackIndex }) => trackIndex === audio?.index) ?? null;
  const soundBps = audioSent ? audioBitrateBps(audio, audioSent) : 0;
  const soundCodec = audioSent && (audioSent.method === 'copy' ? audioSent.fromCodec : audioSent.codec);
  const reasons = new Set(againstDirect);
  if (audio && audioSent?.method === 'transcode') {
    for (const reason of audioObstacles(audio, segmentAudio(profile), profile)) reasons.add(reason);
  }

  const pictureBps = video && videoBitrateBps(media, video);
  const againstRemux = remuxObstacles(question, video, pictureBps === null ? null : pictureBps + soundBps);
  if (video && tracks.burnIn !== null) againstRemux.add('subtitlesBurnedIn');
  if (againstRemux.size === 0) {
    const sent = sentForm('remux', 'mp4', video, video?.codec ?? null, soundCodec);
    if (isPossible(sent)) {
      return {
        method: 'remux',
        reasons: ordered(reasons),
        video: video && copyPicture(video, profile),
        encoded: encoded(soundBps),
        audio: audioSent,
        audioTracks,
        ...common,
        sent,
      };
    }
    againstRemux.add('failedOnThisDevice');
  }
  // Without a picture there is nothing that a transcode would do and a remux would not.
  const picture = encoded(soundBps);
  if (!picture || without.includes('transcode')) return null;
  for (const reason of againstRemux) reasons.add(reason);
  return {
    method: 'transcode',
    reasons: ordered(reasons),
    video: picture,
    encoded: picture,
    audio: audioSent,
    audioTracks,
    ...common,
    sent: sentForm('transcode', 'mp4', encodedPicture(picture), picture.codecs[0]!, soundCodec),
  };
}

function takingStutter({ file, segments, ...rest }: DeviceProfile): DeviceProfile {
  const patient = ({ maxSmoothWidth: _width, maxSmoothHeight: _height, ...support }: VideoCodecSupport) => support;
  return {
    ...rest,
    file: file.map((entry) => ({ ...entry, video: entry.video.map(patient) })),
    segments: { ...segments, video: segments.video.map(patient) },
  };
}

/** A device that says so is believed: what is encoded for it would be wasted. */
function playsNothing({ file, segments }: DeviceProfile): boolean {
  return file.length === 0 && segments.video.length === 0 && segments.audio.length === 0;
}

interface ChosenTracks {
  readonly audio: AudioTrack | null;
  readonly audioReason: AudioReason | null;
  readonly subtitle: string | null;
  readonly subtitleReason: SubtitleReason;
  readonly styledTextReason: StyledTextReason | null;
  /** Those that this device does not draw, and that are therefore made a part of the picture. */
  readonly burnIn: SubtitleCandidate | null;
  /** It said that it does, and did not. */
  readonly hasFailedBefore: boolean;
}

function chooseTracks(question: PlayQuestion, sounds: readonly AudioTrack[]): ChosenTracks {
  const { profile, remembered = {}, originalLanguage = null, subtitles = [], canBurnIn = false } = question;
  const preferences = trackPreferences(question.preferences ?? DEFAULT_PREFERENCES, profile);
  const heard = chooseAudio({ tracks: sounds, chosen: question.audioTrack, remembered, preferences, originalLanguage });
  const isDrawn = (kind: DrawnSubtitles): boolean =>
    profile.subtitles?.[kind] === true && !isUndrawn(kind, question.lessons ?? [], question.fileId ?? null);
  const shown = chooseSubtitle({
    subtitles,
    chosen: question.subtitle,
    remembered,
    preferences,
    audioLanguage: heard?.track.language ?? null,
    showsPictures: isDrawn('pictures') || (canBurnIn && question.media.video.length > 0),
  });
  const kind = DRAWN_SUBTITLES.find((one) => one === shown.subtitle?.format) ?? null;
  const styledTextReason = kind === 'styled' ? whyText(question, isDrawn(kind)) : null;
  const isBurned = kind !== null && !isDrawn(kind) && styledTextReason === null;
  return {
    audio: heard?.track ?? null,
    audioReason: heard?.reason ?? null,
    subtitle: shown.subtitle?.id ?? null,
    subtitleReason: shown.reason,
    styledTextReason,
    burnIn: isBurned ? shown.subtitle : null,
    hasFailedBefore: isBurned && profile.subtitles?.[kind] === true,
  };
}

/** Why styles are left out: a person who can read text waits for nothing, and is refused nothing. `null`: they are not. */
function whyText(question: PlayQuestion, isDrawn: boolean): StyledTextReason | null {
  const { preferences = DEFAULT_PREFERENCES, canBurnIn = false, areEncodersBusy = false, media, without } = question;
  if (preferences.subtitleStyle.overridesStyled) return 'preferred';
  if (isDrawn) return null;
  if (!canBurnIn || media.video.length === 0) return 'noEncoding';
  if (without.includes('transcode')) return 'encodingFailed';
  return areEncodersBusy ? 'encodersBusy' : null;
}

/** Who has not said what they speak is taken to speak what their browser is set to. */
function trackPreferences(preferences: PlaybackPreferences, profile: DeviceProfile): TrackPreferences {
  return { ...preferences, spokenLanguages: preferences.spokenLanguages ?? profile.languages ?? [] };
}

function decideAudio(track: AudioTrack, profile: DeviceProfile): CopiedTrack | EncodedAudio {
  const isNight = profile.nightSound === true;
  if (!isNight && audioObstacles(track, segmentAudio(profile), profile).size === 0) return copy(track);
  const hasSurround = track.channels >= 6 && Math.min(profile.maxAudioChannels, profile.loudspeakers ?? Infinity) >= 6;
  const surround = SURROUND.find(({ codec }) => hasSurround && segmentAudio(profile).includes(codec));
  return {
    method: 'transcode',
    trackIndex: track.index,
    fromCodec: track.codec,
    ...(surround ?? STEREO),
    ...(isNight && { isNight }),
  };
}

/** The picture as it is, but for Dolby Vision that the device would stumble over. Of profile 5 nothing would be left. */
function copyPicture(video: VideoTrack, { hdr }: DeviceProfile): CopiedTrack {
  const isUnwanted = video.dolbyVision !== null && !hdr.includes('dolbyVision') && baseLayer(video) !== 'none';
  return isUnwanted ? { ...copy(video), withoutDolbyVision: true } : copy(video);
}

function encodeVideo(
  video: VideoTrack,
  question: PlayQuestion,
  soundBps: number,
  burnIn: SubtitleCandidate | null,
): EncodedVideo {
  const { profile, limits } = question;
  const h264 = profile.segments.video.find(({ codec }) => codec === 'h264');
  const { maxBitrateBps, maxHeightPx } = tightest(question);
  const roomBps = maxBitrateBps === null ? null : Math.max(0, maxBitrateBps - soundBps);
  const deviceWidthPx = h264?.maxSmoothWidth ?? h264?.maxWidth;
  const deviceHeightPx = h264?.maxSmoothHeight ?? h264?.maxHeight;
  const size = encodeSize(video, {
    ...limits,
    maxHeightPx: Math.min(limits.maxHeightPx, maxHeightPx ?? Infinity),
    ...(deviceWidthPx !== undefined && { deviceWidthPx }),
    ...(deviceHeightPx !== undefined && { deviceHeightPx }),
    maxBitrateBps: roomBps,
  });
  const rate = video.frameRate ? video.frameRate.num / video.frameRate.den : 0;
  const base = baseLayer(video);
  const burnInOffsetMs = Math.round((burnIn?.offsetMs ?? 0) / BURN_IN_STEP_MS) * BURN_IN_STEP_MS;
  return {
    method: 'transcode',
    trackIndex: video.index,
    fromCodec: video.codec,
    ...size,
    maxBitrateBps: maxBitrateFor(size, rate, roomBps),
    toneMap: base !== null && base !== 'sdr',
    deinterlace: video.isInterlaced,
    codecs: codecsToEncode(question, size, rate),
    burnIn: burnIn?.id ?? null,
    ...(burnInOffsetMs !== 0 && { burnInOffsetMs }),
  };
}

/** From the one that needs the fewest bits. */
const LEAN_CODECS = ['av1', 'hevc'] as const;

/**
 * What a device gains by: a codec that it decodes by hardware, since bits that are saved would else be paid for in battery and heat. A
 * codec in which a transcode failed there is left out.
 */
function codecsToEncode(
  { profile, lessons = [], fileId = null }: PlayQuestion,
  size: PictureSize,
  framesPerSecond: number,
): VideoCodec[] {
  const [long, short] = sides(size.widthPx, size.heightPx);
  const lean = LEAN_CODECS.filter((name) =>
    profile.segments.video.some(({ codec, isPowerEfficient, ...most }) => {
      if (codec !== name || isPowerEfficient !== true) return false;
      const [maxLong, maxShort] = sides(
        most.maxSmoothWidth ?? most.maxWidth ?? Infinity,
        most.maxSmoothHeight ?? most.maxHeight ?? Infinity,
      );
      return long <= maxLong && short <= maxShort && !exceeds(framesPerSecond / 1.01, most.maxFrameRate);
    }),
  );
  const picture = encodedPicture(size);
  return [
    ...lean.filter((codec) => !isUnfit(sentForm('transcode', 'mp4', picture, codec, null), lessons, fileId)),
    'h264',
  ];
}

const encodedPicture = ({ widthPx, heightPx }: PictureSize) => ({ width: widthPx, height: heightPx, bitDepth: 8 });

function copy(track: VideoTrack | AudioTrack): CopiedTrack;
function copy(track: VideoTrack | AudioTrack | null): CopiedTrack | null;
function copy(track: VideoTrack | AudioTrack | null): CopiedTrack | null {
  return track && { method: 'copy', trackIndex: track.index, fromCodec: track.codec };
}

/** Bit rate of the whole file, from its size where it does not say; `null` where neither is known. */
export function overallBitrateBps(media: MediaInfo): number | null {
  if (media.bitrateBps !== null && media.bitrateBps > 0) return media.bitrateBps;
  return media.durationMs ? Math.round((media.sizeBytes * 8_000) / media.durationMs) : null;
}

/** Bit rate of the picture: what the track says, or what the known tracks leave of the whole. */
export function videoBitrateBps(media: MediaInfo, video: VideoTrack): number | null {
  if (video.bitrateBps !== null && video.bitrateBps > 0) return video.bitrateBps;
  const overallBps = overallBitrateBps(media);
  const soundBps = media.audio.reduce((sum, track) => sum + (track.bitrateBps ?? 0), 0);
  return overallBps === null ? null : Math.max(0, overallBps - soundBps);
}

/** Bit rate of a rendition of sound as it is sent; a copied track of unknown rate counts as 128 kbit/s a pair of channels. */
export function audioBitrateBps(track: AudioTrack | null, sent: CopiedTrack | EncodedAudio): number {
  if (sent.method === 'transcode') return sent.bitrateBps;
  return track?.bitrateBps ?? Math.ceil((track?.channels ?? 2) / 2) * 128_000;
}

const ordered = (reasons: ReadonlySet<PlayReason>): PlayReason[] =>
  PLAY_REASONS.filter((reason) => reasons.has(reason));
