/** The peer of the `feed` bench: uWebSockets.js and its own `publish`, of bytes that are ready. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadUws } from '#engine/gateway/uws.ts';
import { answerWith } from '../program.ts';

const TOPIC = 'all';
const uws = loadUws(join(tmpdir(), `matinee-bench-uws-${process.getuid?.() ?? 0}`));
const listening = Promise.withResolvers<number>();
const app = uws
  .App()
  .ws('/fan-out', { open: (ws) => void ws.subscribe(TOPIC) })
  .listen('127.0.0.1', 0, (socket) =>
    socket
      ? listening.resolve(uws.us_socket_local_port(socket))
      : listening.reject(new Error('no port could be opened for the peer')),
  );
const port = await listening.promise;

const answers = {
  address: () => ({ port }),
  change: ({ bytes }: { readonly bytes: Uint8Array }) => {
    const atNs = process.hrtime.bigint();
    app.publish(TOPIC, bytes, true);
    return atNs;
  },
};
export type PeerProgram = typeof answers;
answerWith(answers);
