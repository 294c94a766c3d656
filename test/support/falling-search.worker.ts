/** The thread that searches, with two questions that it cannot stand. */
import { parentPort } from 'node:worker_threads';
import type { SearchOrder } from '#engine/store/search/search.worker.ts';
import '#engine/store/search/search.worker.ts';

parentPort?.on('message', (order: SearchOrder) => {
  if (order.kind !== 'ask') return;
  if (order.args[0] === 'fall over') throw new Error('it fell over');
  while (order.args[0] === 'hang');
});
