/** Kills the process it runs in once the parent is gone, even while the main thread is stuck in native code. */
import { workerData } from 'node:worker_threads';

const CHECK_MS = 1_000;
const { parentPid } = workerData as { readonly parentPid: number };

setInterval(() => {
  // An orphan is handed to another process, so the parent's id changes (getppid(2)).
  if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL');
}, CHECK_MS);
