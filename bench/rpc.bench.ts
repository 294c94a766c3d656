/**
 * What our gateway adds to a call. Ours: the whole way of one, from the socket through session, limits, frame check,
 * schema and permission to a handler that answers with its input, and back. Peer: uWebSockets.js with msgpackr, which does
 * nothing but echo. The same bytes go both ways on both sides, made by one load program; rounds alternate, medians count.
 */
import { join } from 'node:path';
import { Program } from './program.ts';
import { median } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';
import { echo } from './rpc/echo-call.ts';
import type { GatewayProgram } from './rpc/gateway.program.ts';
import type { LoadProgram, RoundResult } from './rpc/load.program.ts';
import type { PeerProgram } from './rpc/peer.program.ts';

const ROUNDS = 12;
const WARM_MS = 150;
const MEASURED_MS = 500;
const CASES = [
  { name: '1 socket', call: echo.later, sockets: 1, inFlight: 32 },
  { name: '100 sockets', call: echo.later, sockets: 100, inFlight: 16 },
  { name: '1,000 sockets', call: echo.later, sockets: 1_000, inFlight: 16 },
  { name: '100 sockets, handler without await', call: echo.atOnce, sockets: 100, inFlight: 16 },
] as const;
const PEER_NAME = 'bare uWebSockets.js';

async function run(report: BenchReport): Promise<void> {
  const folder = join(import.meta.dirname, 'rpc');
  await using ours = await Program.start<GatewayProgram>(join(folder, 'gateway.program.ts'));
  await using peer = await Program.start<PeerProgram>(join(folder, 'peer.program.ts'));
  await using load = await Program.start<LoadProgram>(join(folder, 'load.program.ts'));
  const sides = {
    ours: { pid: ours.pid, ...(await ours.ask('address', undefined)) },
    peer: { pid: peer.pid, token: null, ...(await peer.ask('address', undefined)) },
  };
  for (const { name, call, sockets, inFlight } of CASES) {
    const results: Record<keyof typeof sides, RoundResult[]> = { ours: [], peer: [] };
    for (const side of ['ours', 'peer'] as const) await load.ask('open', { ...sides[side], sockets });
    for (let round = 0; round < ROUNDS; round++) {
      for (const side of ['ours', 'peer'] as const) {
        const { pid } = sides[side];
        const timing = { warmMs: WARM_MS, measuredMs: MEASURED_MS };
        results[side].push(await load.ask('run', { pid, callId: call.id, inFlight, ...timing }));
      }
    }
    const of = (side: keyof typeof sides, key: keyof RoundResult): number =>
      median(results[side].map((result) => result[key]));
    const pair = (key: keyof RoundResult) => ({ ours: of('ours', key), peer: of('peer', key), peerName: PEER_NAME });
    report.row({ metric: name, unit: 'calls/s', ...pair('callsPerSecond'), better: 'more' });
    report.row({ metric: `${name}, server’s processor`, unit: 'µs/call', ...pair('serverMicros'), better: 'less' });
    const loads = `${of('ours', 'loadMicros').toFixed(1)} and ${of('peer', 'loadMicros').toFixed(1)} µs of processor time`;
    report.note(`${name}: the load program itself took ${loads} for a call`);
  }
}

export const bench: Bench = {
  name: 'rpc',
  about: 'calls through the whole dispatch beside a bare uWebSockets.js echo, at 1, 100 and 1,000 sockets',
  run,
};
