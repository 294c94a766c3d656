/** The media supervisor, with a string on which a test can pull to end it. */
import { BroadcastChannel } from 'node:worker_threads';
import '#engine/hosts/media-supervisor.worker.ts';

const channel = new BroadcastChannel('fragile supervisor');
channel.onmessage = () => {
  throw new Error('the string was pulled');
};
