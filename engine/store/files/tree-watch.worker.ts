/** The thread that watches one library. It ends when it is terminated, or by a throw when the folder cannot be listed. */
import { parentPort, workerData } from 'node:worker_threads';
import { WatchedTree } from './tree-watch.ts';
import type { TreeWatchSettings } from './tree-watch.ts';

const tree = new WatchedTree(workerData as TreeWatchSettings, (message) => parentPort?.postMessage(message));
// Keeps the thread alive, and with it the tree, whose own watches do not.
parentPort?.on('message', () => tree[Symbol.dispose]());
