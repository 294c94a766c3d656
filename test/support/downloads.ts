/** Downloads and what is offered, as a server tells of them, for tests of the client. */
import type { Download, DownloadFileOffer, DownloadRoom } from '#protocol/schema/downloads.ts';

let made = 0;
const idOf = (number: number): string => `01890000-0000-7000-8000-${String(number).padStart(12, '0')}`;

export const downloadRoom: DownloadRoom = {
  usedBytes: 2_100_000_000,
  limitBytes: 50_000_000_000,
  keptForMs: 7 * 86_400_000,
};

export function downloadOf(more: Partial<Download> = {}): Download {
  made += 1;
  return {
    id: idOf(made),
    ...{ movieId: idOf(900_001), fileId: idOf(900_002), title: 'Metropolis', year: 1927, poster: null },
    ...{ edition: null, part: null, quality: '720p', audioTracks: [1], subtitles: [], burnedSubtitle: null },
    ...{
      state: 'ready',
      place: null,
      progress: null,
      speed: null,
      leftMs: null,
      isHeld: false,
      name: 'Metropolis (1927) - 720p.mp4',
    },
    ...{ sizeBytes: 1_200_000_000, failure: null, createdAt: made, readyAt: null, expiresAt: null },
    ...more,
  };
}

const audio = { codec: 'aac', channels: 2, isDefault: false, isCopied: true, estimatedBytes: 100_000_000 };
const subtitle = { source: 'embedded', format: 'text', isForced: false, isHearingImpaired: false } as const;
const encoded = { codec: 'h264', method: 'encode' } as const;

/** A file of HEVC in Matroska with two languages: German is what plays by itself. */
export function fileOffer(more: Partial<DownloadFileOffer> = {}): DownloadFileOffer {
  return {
    ...{ fileId: idOf(900_002), edition: null, extra: null, part: null, durationMs: 7_200_000, hindrance: null },
    original: {
      ...{ name: 'Metropolis (1927).mkv', sizeBytes: 8_400_000_000, container: 'matroska' },
      obstacles: ['container', 'videoCodec'],
    },
    qualities: [
      {
        ...{ quality: 'copy', codec: 'hevc', widthPx: 1920, heightPx: 800, method: 'copy' },
        ...{ obstacles: ['videoCodec'], estimatedBytes: 8_000_000_000 },
      },
      { ...encoded, obstacles: [], quality: '1080p', widthPx: 1920, heightPx: 800, estimatedBytes: 4_000_000_000 },
      { ...encoded, obstacles: [], quality: '720p', widthPx: 1280, heightPx: 534, estimatedBytes: 2_000_000_000 },
    ],
    audioTracks: [
      { ...audio, trackIndex: 1, label: 'English · Stereo', language: 'en' },
      { ...audio, trackIndex: 2, label: 'Deutsch · Stereo', language: 'de', isDefault: true },
      { ...audio, trackIndex: 3, label: 'English · Stereo · Commentary', language: 'en' },
    ],
    subtitles: [
      { ...subtitle, id: 't4', label: 'Deutsch', language: 'de', isDefault: true, problem: null },
      { ...subtitle, id: 't5', label: 'English', language: 'en', isDefault: false, problem: null },
      { ...subtitle, id: 't6', label: 'Français', language: 'fr', isDefault: false, problem: 'pictures' },
    ],
    ...more,
  };
}
