/**
 * One change on 1,000 screens. Ours: the hub's way of a change, from the change feed over the entries to the sockets that
 * follow the library, each with its place, its acknowledgements and its limits. Peer: uWebSockets.js, which publishes the
 * same bytes to a topic. Measured is the time until the last one has it; changes alternate.
 */
import { join } from 'node:path';
import { libraryFeed } from '#protocol/feeds.ts';
import type { AudienceProgram } from './feed/audience.program.ts';
import type { GatewayProgram } from './feed/gateway.program.ts';
import type { PeerProgram } from './feed/peer.program.ts';
import { Program } from './program.ts';
import { quantile } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';

const SCREENS = 1_000;
const CHANGES = 250;
const WARM_CHANGES = 20;
/** Between two changes, so that each finds everyone at rest. */
const PAUSE_MS = 15;
const PEER_NAME = 'bare uWebSockets.js';

async function run(report: BenchReport): Promise<void> {
  const folder = join(import.meta.dirname, 'feed');
  await using ours = await Program.start<GatewayProgram>(join(folder, 'gateway.program.ts'));
  await using peer = await Program.start<PeerProgram>(join(folder, 'peer.program.ts'));
  await using audience = await Program.start<AudienceProgram>(join(folder, 'audience.program.ts'));
  const seats = { sockets: SCREENS, feed: libraryFeed };
  const { port, token } = await ours.ask('address', undefined);
  await audience.ask('open', { name: 'ours', port, token, ...pick(seats) });
  await audience.ask('open', { name: 'peer', token: null, ...(await peer.ask('address', undefined)), ...pick(seats) });

  const times = { ours: [] as number[], peer: [] as number[] };
  for (let change = -WARM_CHANGES; change < CHANGES; change++) {
    const heard = audience.ask('next', 'ours');
    const oursMs = msBetween(await ours.ask('change', undefined), (await heard).lastNs);
    await audience.ask('acknowledge', 'ours');
    await passed(PAUSE_MS);
    const heardOfPeer = audience.ask('next', 'peer');
    const { bytes } = await heard;
    const peerMs = msBetween(await peer.ask('change', { bytes }), (await heardOfPeer).lastNs);
    await passed(PAUSE_MS);
    if (change < 0) continue;
    times.ours.push(oursMs);
    times.peer.push(peerMs);
  }
  for (const [name, share] of [
    ['half of the changes', 0.5],
    ['99 of 100 changes', 0.99],
  ] as const) {
    report.row({
      metric: `last of 1,000 screens, ${name}`,
      unit: 'ms',
      ours: quantile(times.ours, share),
      peer: quantile(times.peer, share),
      peerName: PEER_NAME,
      better: 'less',
    });
  }
}

const pick = ({ sockets, feed: { id, name } }: { sockets: number; feed: typeof libraryFeed }) => ({
  sockets,
  feed: { id, name },
});
const msBetween = (fromNs: bigint, toNs: bigint): number => Number(toNs - fromNs) / 1e6;
const passed = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

export const bench: Bench = {
  name: 'feed',
  about: 'one change on 1,000 screens, beside a bare uWebSockets.js publish of the same bytes',
  run,
};
