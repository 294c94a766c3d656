/** The thread that owns the media hosts. A plain worker and no pooled one: it lives as long as the engine. */
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { MediaSupervisor } from './media-supervisor.ts';

if (!parentPort) throw new Error('This entry is a thread of the engine: MediaHosts starts it.');
expose(MediaSupervisor, nodeEndpoint(parentPort));
