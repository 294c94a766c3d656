/** What a probe says of an ordinary movie, for tests that need no real file. */
import type { HdrKind, MediaInfo } from '#protocol/schema/media.ts';

export function testMedia(
  overrides: { durationMs?: number; width?: number; height?: number; hdr?: HdrKind | null; title?: string | null } = {},
): MediaInfo {
  const { durationMs = 6_000_000, width = 1920, height = 1080, hdr = null, title = null } = overrides;
  const disposition = {
    default: true,
    forced: false,
    original: false,
    commentary: false,
    hearingImpaired: false,
    visualImpaired: false,
  };
  return {
    container: 'matroska',
    demuxer: 'matroska,webm',
    durationMs,
    startMs: 0,
    bitrateBps: 4_000_000,
    sizeBytes: 3_000_000_000,
    title,
    video: [
      {
        index: 0,
        codec: 'h264',
        profile: 'High',
        level: 41,
        language: null,
        title: null,
        disposition,
        bitrateBps: null,
        codecString: 'avc1.640029',
        width,
        height,
        pixelAspect: { num: 1, den: 1 },
        rotation: 0,
        pixelFormat: 'yuv420p',
        bitDepth: 8,
        frameRate: { num: 24, den: 1 },
        isVariableFrameRate: false,
        isInterlaced: false,
        hdr,
        dolbyVision: null,
        color: { primaries: null, transfer: null, matrix: null, range: null },
      },
    ],
    audio: [],
    subtitles: [],
    chapters: [],
    attachments: [],
  };
}
