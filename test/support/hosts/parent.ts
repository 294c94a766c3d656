/** Stands for the engine: starts two unruly hosts, leaves one of them stuck, says their process ids, and waits to be killed. */
import { ProcessHost } from '#engine/runtime/process-host.ts';
import type { UnrulyPort } from './unruly.host.ts';

const entry = new URL('./unruly.host.ts', import.meta.url);
const idle = new ProcessHost<UnrulyPort>({ name: 'idle', entry });
const stuck = new ProcessHost<UnrulyPort>({ name: 'stuck', entry });
await Promise.all([idle.ready, stuck.ready]);
stuck.call('hang', [], 60_000).catch(() => undefined);
process.stdout.write(`${JSON.stringify([idle.pid, stuck.pid])}\n`);
