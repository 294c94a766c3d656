/** A probe and study host without FFmpeg: the name of a file says what becomes of its host. */
import { existsSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { ProbePort } from '#engine/hosts/probe.port.ts';
import type { StudyPort } from '#engine/hosts/study.port.ts';
import { serveHost } from '#engine/runtime/host-server.ts';

type Calls = ProbePort & StudyPort;

/** `crash-once` and the like: true the first time that any host is asked this about the file. */
function isFirstTime(path: string, call: keyof Calls): boolean {
  const met = `${path}.${call}`;
  if (existsSync(met)) return false;
  writeFileSync(met, '');
  return true;
}

/** Answers with the host's process id as the size, so that a test sees who answered. */
function act(path: string, call: keyof Calls): { readonly ok: true; readonly sizeBytes: number } | Promise<never> {
  const name = basename(path);
  if (name.startsWith('crash-once')) {
    if (isFirstTime(path, call)) process.abort();
  } else if (name.startsWith('crash')) process.abort();
  if (name.startsWith('hang')) for (;;);
  if (name.startsWith('wait')) return new Promise(() => undefined);
  if (name.startsWith('fault')) throw new RangeError('a fault in the host');
  return { ok: true, sizeBytes: process.pid };
}

const answer =
  (call: keyof Calls) =>
  (path: string): never =>
    act(path, call) as never;

serveHost<Calls>({
  probe: answer('probe'),
  keyframes: answer('keyframes'),
  picture: answer('picture'),
  subtitle: answer('subtitle'),
  entryPoints: answer('entryPoints'),
  previewSheet: answer('previewSheet'),
  soundPrint: answer('soundPrint'),
  commonSounds: answer('commonSounds'),
  darkPauses: answer('darkPauses'),
});
