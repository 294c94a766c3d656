/** `MediaInfo` for tests: an ordinary movie, with whatever a test wants different. */
import type { AudioTrack, MediaInfo, SubtitleTrack, VideoTrack } from '#protocol/schema/media.ts';

const PLAIN = {
  default: false,
  forced: false,
  original: false,
  commentary: false,
  hearingImpaired: false,
  visualImpaired: false,
};

type TrackPart<T> = Partial<Omit<T, 'disposition'>> & { disposition?: Partial<typeof PLAIN> };

/** 1080p H.264 High at 24000/1001. */
export function videoTrack(part: TrackPart<VideoTrack> = {}): VideoTrack {
  return {
    index: 0,
    codec: 'h264',
    profile: 'High',
    language: null,
    title: null,
    bitrateBps: null,
    codecString: null,
    level: 40,
    width: 1920,
    height: 1080,
    pixelAspect: { num: 1, den: 1 },
    rotation: 0,
    pixelFormat: 'yuv420p',
    bitDepth: 8,
    frameRate: { num: 24_000, den: 1_001 },
    isVariableFrameRate: false,
    isInterlaced: false,
    hdr: null,
    dolbyVision: null,
    color: { primaries: null, transfer: null, matrix: null, range: null },
    ...part,
    disposition: { ...PLAIN, default: true, ...part.disposition },
  };
}

/** Stereo AAC-LC. */
export function audioTrack(part: TrackPart<AudioTrack> = {}): AudioTrack {
  return {
    index: 1,
    codec: 'aac',
    profile: 'LC',
    language: 'en',
    title: null,
    bitrateBps: null,
    codecString: null,
    channels: 2,
    channelLayout: 'stereo',
    sampleRateHz: 48_000,
    bitDepth: null,
    ...part,
    disposition: { ...PLAIN, ...part.disposition },
  };
}

/** SubRip. */
export function subtitleTrack(part: TrackPart<SubtitleTrack> = {}): SubtitleTrack {
  return {
    index: 2,
    codec: 'subrip',
    profile: null,
    language: 'en',
    title: null,
    bitrateBps: null,
    codecString: null,
    isText: true,
    ...part,
    disposition: { ...PLAIN, ...part.disposition },
  };
}

/** A minute of MP4 with one picture and one sound track. */
export function mediaInfo(part: Partial<MediaInfo> = {}): MediaInfo {
  return {
    container: 'mp4',
    demuxer: 'mov,mp4,m4a,3gp,3g2,mj2',
    durationMs: 60_000,
    startMs: 0,
    bitrateBps: 4_000_000,
    sizeBytes: 30_000_000,
    title: null,
    video: [videoTrack()],
    audio: [audioTrack()],
    subtitles: [],
    chapters: [],
    attachments: [],
    ...part,
  };
}
