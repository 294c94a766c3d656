/**
 * Entry of a study host: a child process that looks into users' movies with FFmpeg, for pictures to seek by and for intros and
 * credits. One thread, synchronous calls, ended by SIGKILL, as a probe host.
 */
import { findDarkPauses } from '#engine/av/dark-pauses.ts';
import { makePreviewSheet } from '#engine/av/preview-sheet.ts';
import { soundPrint } from '#engine/av/sound-print.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { findCommonSound } from '#engine/media/sound-match.ts';
import { serveHost } from '#engine/runtime/host-server.ts';
import { DARK_PAUSES_LIMIT_MS, PREVIEW_SHEET_LIMIT_MS, SOUND_PRINT_LIMIT_MS } from './study.port.ts';
import type { StudyPort } from './study.port.ts';

const calls: StudyPort = {
  previewSheet: (path, request) =>
    outcome(() => ({ ok: true, ...makePreviewSheet(path, { ...request, timeLimitMs: PREVIEW_SHEET_LIMIT_MS }) })),
  soundPrint: (path, request) =>
    outcome(() => ({ ok: true, words: soundPrint(path, { ...request, timeLimitMs: SOUND_PRINT_LIMIT_MS }) })),
  commonSounds: (_path, { words, others, minMs }) => ({
    ok: true,
    common: others.map((other) => findCommonSound(words, other, minMs)),
  }),
  darkPauses: (path, request) =>
    outcome(() => ({ ok: true, pauses: findDarkPauses(path, { ...request, timeLimitMs: DARK_PAUSES_LIMIT_MS }) })),
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
