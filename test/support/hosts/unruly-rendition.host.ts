/**
 * A rendition host without FFmpeg. The name of its file says what happens at which segment: `crash-at-3`, `crash-once-at-3`,
 * `hang-at-3` (computes), `wait-at-3` (does not come up for air, uses no processor), `stall-at-3` (comes up, makes nothing).
 */
import { existsSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RenditionCalls, RenditionEvent, RenditionSpec, SegmentRange } from '#engine/hosts/rendition.port.ts';
import { serveHost } from '#engine/runtime/host-server.ts';

let spec: RenditionSpec | undefined;
let range: SegmentRange | undefined;
let isWorking = false;
let hasInit = false;
let next = 0;

const host = serveHost<RenditionCalls, RenditionEvent>({
  open(opened) {
    if (spec) throw new Error('opened twice');
    spec = opened;
  },
  produce(wanted) {
    if (wanted.from !== next || !range) next = wanted.from;
    range = wanted;
    if (!isWorking) void work();
  },
  pause() {
    range = undefined;
    if (!isWorking) host.emit({ kind: 'idle', next });
  },
});

async function work(): Promise<void> {
  isWorking = true;
  await nextTurn();
  if (!hasInit) {
    hasInit = true;
    host.emit({ kind: 'init', sizeBytes: process.pid });
  }
  while (range && next <= range.until) {
    await misbehave(next);
    host.emit({ kind: 'segment', index: next++, sizeBytes: 1_000 });
    await nextTurn();
  }
  isWorking = false;
  range = undefined;
  host.emit({ kind: 'idle', next });
}

async function misbehave(index: number): Promise<void> {
  const path = spec?.path ?? '';
  const [, act, at] = /^(.*)-at-(\d+)/.exec(basename(path)) ?? [];
  if (Number(at) !== index) return;
  await new Promise((resolve) => setTimeout(resolve, 20)); // what was sent before is in the pipe by now
  if (act === 'crash') process.abort();
  if (act === 'crash-once' && !existsSync(`${path}.met`)) {
    writeFileSync(`${path}.met`, '');
    process.abort();
  }
  if (act === 'hang') for (;;);
  if (act === 'wait') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (act === 'stall') await new Promise(() => setInterval(() => undefined, 1_000));
}
