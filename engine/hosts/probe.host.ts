/**
 * Entry of a probe host: a child process that reads users' files with FFmpeg.
 *
 * One thread, synchronous calls: FFmpeg cannot be stopped inside a call but by SIGKILL, and a thread that is terminated
 * during one aborts the process (measured). Parallel work is more processes, which also keeps the blame for a crash exact.
 */
import { areEntryPoints } from '#engine/av/entry-points.ts';
import { findKeyframes } from '#engine/av/keyframes.ts';
import { takePicture } from '#engine/av/picture.ts';
import { probe } from '#engine/av/probe.ts';
import { readSubtitleFile } from '#engine/av/subtitle-file.ts';
import { extractSubtitles } from '#engine/av/subtitle.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { serveHost } from '#engine/runtime/host-server.ts';
import {
  ENTRY_POINTS_LIMIT_MS,
  KEYFRAMES_LIMIT_MS,
  PICTURE_LIMIT_MS,
  SUBTITLE_LIMIT_MS,
  SUBTITLE_LOOK_LIMIT_MS,
} from './probe.port.ts';
import type { ProbePort } from './probe.port.ts';

const calls: ProbePort = {
  probe: (path) => outcome(() => ({ ok: true, ...probe(path) })),
  keyframes: (path, trackIndex) =>
    outcome(() => {
      const startUs = probe(path).media.startMs * 1000;
      const found = findKeyframes(path, trackIndex, { startUs, timeLimitMs: KEYFRAMES_LIMIT_MS });
      return { ok: true, keyframesUs: found.timesUs, keyframeBytes: found.bytes };
    }),
  picture: (path, request) =>
    outcome(() => ({
      ok: true,
      mimeType: 'image/webp',
      ...takePicture(path, { ...request, timeLimitMs: PICTURE_LIMIT_MS }),
    })),
  subtitle: (path, request) =>
    outcome(() => {
      if (request.kind === 'file') {
        const timeLimitMs = request.folder === null ? SUBTITLE_LOOK_LIMIT_MS : SUBTITLE_LIMIT_MS;
        const { kind } = readSubtitleFile(path, { ...request, timeLimitMs });
        return { ok: true, made: [request.id], fileKind: kind };
      }
      const { made } = extractSubtitles(path, { ...request, timeLimitMs: SUBTITLE_LIMIT_MS });
      return { ok: true, made: made.map((index) => `t${index}`), fileKind: null };
    }),
  entryPoints: (path, request) =>
    outcome(() => ({ ok: true, areUsable: areEntryPoints(path, { ...request, timeLimitMs: ENTRY_POINTS_LIMIT_MS }) })),
};

/** What is wrong with the file is an answer; everything else is a defect and goes to the log with its stack. */
function outcome<Result>(work: () => Result): Result | { readonly ok: false; readonly failure: MediaFailure } {
  try {
    return work();
  } catch (error) {
    if (error instanceof MediaError && error.failure !== 'internal') return { ok: false, failure: error.failure };
    throw error;
  }
}

serveHost(calls);
