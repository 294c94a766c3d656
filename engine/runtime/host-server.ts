import { writeFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { Worker } from 'node:worker_threads';
import { ORPHAN_WATCH, PING } from './host-wire.ts';
import type { CallName, FromHost, ToHost } from './host-wire.ts';

export interface HostServer<Event> {
  /** Sends an event to the parent, after everything sent before. */
  emit(event: Event): void;
}

/**
 * The child's half of a ProcessHost: an entry calls this once, after its imports, and is ready from then on.
 *
 * Calls run one at a time in order of arrival, so that when this process dies the parent knows which call killed it
 * [HOST3]. Long work that must hear further calls (a rendition) is started by a call, goes on behind it, and comes up for
 * air with `setImmediate`.
 *
 * `onStop` is the cooperative end: it has the parent's grace period, after that comes SIGKILL. When the parent is gone
 * this process ends at once, without `onStop`.
 */
export function serveHost<Calls extends object, Event = never>(
  calls: Calls,
  onStop: () => Promise<void> | void = () => undefined,
): HostServer<Event> {
  if (!process.send) throw new Error('This entry is a host: the engine starts it as a child process.');
  volunteerForOutOfMemoryKill();
  dieWithParent();

  /** Resolves when the message is in the pipe. A closed pipe means that the parent is gone, and `disconnect` follows. */
  const send = (message: FromHost<Event>): Promise<void> =>
    new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()));
  let line: Promise<void> = Promise.resolve();
  let callId = 0;
  /** Calls that came and are not answered. */
  let waiting = 0;
  process.on('message', (message: ToHost) => {
    if (message.kind === 'stop') void Promise.resolve(onStop()).finally(() => process.exit(0));
    else {
      const wasIdle = waiting++ === 0;
      line = line.then(async () => {
        callId = message.id;
        // What is told here is in the pipe before the next thing begins: lost in a crash, it would put the blame on the wrong call.
        if (wasIdle) await send({ kind: 'begun', id: message.id });
        const outcome = await run(calls, message);
        waiting--;
        await send({ ...outcome, id: message.id, isBusy: waiting > 0 });
      });
    }
  });
  void send({ kind: 'ready' });
  // Otherwise written at the end of the process, which most of these never see: they are killed.
  setImmediate(flushCompileCache);
  return { emit: (event) => void send({ kind: 'event', event, callId }) };
}

async function run<Calls extends object>(
  calls: Calls,
  { name, args }: Extract<ToHost, { kind: 'call' }>,
): Promise<{ readonly kind: 'reply'; readonly result: unknown } | { readonly kind: 'defect'; readonly error: Error }> {
  try {
    const call = calls[name as CallName<Calls>] as (...args: readonly unknown[]) => unknown;
    return { kind: 'reply', result: name === PING ? undefined : await call.apply(calls, [...args]) };
  } catch (thrown) {
    return { kind: 'defect', error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
  }
}

/** When the machine runs out of memory, the kernel shall take a host and not the server or the database (proc(5), oom_score_adj). */
function volunteerForOutOfMemoryKill(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '800');
  } catch {
    // Not Linux, or a container that hides /proc: the kernel then chooses by size alone.
  }
}

/**
 * Ends this process when its parent has ended. The closed IPC channel tells an idle host; a host that is stuck in native
 * code never hears of it, so a thread beside it watches too. The signals that a terminal or an init system sends to the
 * whole group are ignored: the parent gets them as well and decides when its hosts stop.
 */
function dieWithParent(): void {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => undefined);
  const watch = new Worker(new URL('./orphan-watch.worker.ts', import.meta.url), {
    name: ORPHAN_WATCH,
    workerData: { parentPid: process.ppid },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
  });
  watch.unref();
}
