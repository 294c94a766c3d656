/** A probe and study host without FFmpeg: the name of a file says what becomes of its host. */
import { existsSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { ProbePort, ProbeResult } from '#engine/hosts/probe.port.ts';
import type { StudyPort } from '#engine/hosts/study.port.ts';
import { serveHost } from '#engine/runtime/host-server.ts';

/** `crash-once` and the like: true the first time that any host meets this file. */
function isFirstTime(path: string): boolean {
  if (existsSync(`${path}.met`)) return false;
  writeFileSync(`${path}.met`, '');
  return true;
}

/** Answers with the host's process id as the size, so that a test sees who answered. */
function act(path: string): { readonly ok: true; readonly sizeBytes: number } | Promise<never> {
  const name = basename(path);
  if (name.startsWith('crash-once')) {
    if (isFirstTime(path)) process.abort();
  } else if (name.startsWith('crash')) process.abort();
  if (name.startsWith('hang')) for (;;);
  if (name.startsWith('wait')) return new Promise(() => undefined);
  if (name.startsWith('fault')) throw new RangeError('a fault in the host');
  return { ok: true, sizeBytes: process.pid };
}

const answer = act as (path: string) => never;

serveHost<ProbePort & StudyPort>({
  probe: (path): ProbeResult => answer(path),
  keyframes: (path) => answer(path),
  picture: (path) => answer(path),
  subtitle: (path) => answer(path),
  entryPoints: (path) => answer(path),
  previewSheet: (path) => answer(path),
  soundPrint: (path) => answer(path),
  commonSounds: (path) => answer(path),
  darkPauses: (path) => answer(path),
});
