/**
 * A rendition host without FFmpeg. The name of its file says what happens at which segment: `crash-at-3`, `crash-once-at-3`, `grow-once-at-3`,
 * `hang-at-3` (computes), `wait-at-3` (does not come up for air, uses no processor), `stall-at-3` (comes up, makes nothing).
 */
import { existsSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RenditionCalls, RenditionHostEvent, RenditionSpec, SegmentRange } from '#engine/hosts/rendition.port.ts';
import { serveHost } from '#engine/runtime/host-server.ts';

interface Rendition {
  readonly spec: RenditionSpec;
  range: SegmentRange | undefined;
  isWorking: boolean;
  hasInit: boolean;
  next: number;
}

const hoard: Buffer[] = [];
const renditions = new Map<number, Rendition>();
const opened = (id: number): Rendition => {
  const rendition = renditions.get(id);
  if (!rendition) throw new Error('not opened');
  return rendition;
};

const host = serveHost<RenditionCalls, RenditionHostEvent>({
  open(id, spec) {
    if (renditions.has(id)) throw new Error('opened twice');
    renditions.set(id, { spec, range: undefined, isWorking: false, hasInit: false, next: 0 });
  },
  produce(id, wanted) {
    const rendition = opened(id);
    if (wanted.from !== rendition.next || !rendition.range) rendition.next = wanted.from;
    rendition.range = wanted;
    if (!rendition.isWorking) void work(id, rendition);
  },
  pause(id) {
    const rendition = opened(id);
    rendition.range = undefined;
    if (!rendition.isWorking) host.emit({ id, event: { kind: 'idle', next: rendition.next } });
  },
  close(id) {
    opened(id).range = undefined;
    renditions.delete(id);
  },
});

async function work(id: number, rendition: Rendition): Promise<void> {
  rendition.isWorking = true;
  await nextTurn();
  if (!rendition.hasInit) {
    rendition.hasInit = true;
    host.emit({ id, event: { kind: 'init', sizeBytes: process.pid } });
  }
  while (rendition.range && rendition.next <= rendition.range.until) {
    await misbehave(rendition.spec, rendition.next);
    host.emit({ id, event: { kind: 'segment', index: rendition.next++, sizeBytes: 1_000 } });
    await nextTurn();
  }
  rendition.isWorking = false;
  rendition.range = undefined;
  host.emit({ id, event: { kind: 'idle', next: rendition.next } });
}

async function misbehave({ path }: RenditionSpec, index: number): Promise<void> {
  const [, act, at] = /^(.*)-at-(\d+)/.exec(basename(path)) ?? [];
  if (Number(at) !== index) return;
  await new Promise((resolve) => setTimeout(resolve, 20)); // what was sent before is in the pipe by now
  if (act === 'crash') process.abort();
  if (act === 'crash-once' && !existsSync(`${path}.met`)) {
    writeFileSync(`${path}.met`, '');
    process.abort();
  }
  if (act === 'grow-once' && !existsSync(`${path}.met`)) {
    writeFileSync(`${path}.met`, '');
    hoard.push(Buffer.alloc(400 << 20, 1));
    await new Promise(() => setInterval(() => undefined, 1_000));
  }
  if (act === 'hang') for (;;);
  if (act === 'wait') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  if (act === 'stall') await new Promise(() => setInterval(() => undefined, 1_000));
}
