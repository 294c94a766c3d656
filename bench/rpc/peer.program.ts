/** The peer of the `rpc` bench: uWebSockets.js and msgpackr, and nothing else. No session, no schema, no limits. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Packr } from 'msgpackr';
import { loadUws } from '#engine/gateway/uws.ts';
import { FRAME } from '#protocol/frame.ts';
import { answerWith } from '../program.ts';

const uws = loadUws(join(tmpdir(), `matinee-bench-uws-${process.getuid?.() ?? 0}`));
const packr = new Packr({ useRecords: false });
const listening = Promise.withResolvers<number>();
uws
  .App()
  .ws('/echo', {
    message: (ws, bytes) => {
      const [, id, , input] = packr.unpack(new Uint8Array(bytes)) as [number, number, number, unknown];
      ws.send(packr.pack([FRAME.ok, id, input]), true, false);
    },
  })
  .listen('127.0.0.1', 0, (socket) =>
    socket
      ? listening.resolve(uws.us_socket_local_port(socket))
      : listening.reject(new Error('no port could be opened for the peer')),
  );
const port = await listening.promise;

const answers = { address: () => ({ port }) };
export type PeerProgram = typeof answers;
answerWith(answers);
