/**
 * One change on 1,000 screens. Ours: the hub's way of a change, from the change feed over the entries to the sockets that
 * follow the library, each with its place, its acknowledgements and its limits. Peer: uWebSockets.js, which publishes the
 * same bytes to a topic. Measured is the time until the last one has it; changes alternate.
 *
 * Then once more with everything there is: the engine in a process of its own, where a player says over its socket where it
 * is, that is written to Postgres, and all screens of that person are told. There is no peer for that.
 */
import { join } from 'node:path';
import { libraryFeed, progressFeed, type AnyFeed } from '#protocol/feeds.ts';
import { clips } from '#test/support/media.ts';
import type { AudienceProgram } from './feed/audience.program.ts';
import type { GatewayProgram } from './feed/gateway.program.ts';
import type { PeerProgram } from './feed/peer.program.ts';
import { WholeServer } from './feed/whole-server.ts';
import { Program } from './program.ts';
import { quantile } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';

const SCREENS = 1_000;
const CHANGES = 250;
const SERVER_CHANGES = 150;
const WARM_CHANGES = 20;
/** Between two changes, so that each finds everyone at rest. */
const PAUSE_MS = 15;
const PEER_NAME = 'bare uWebSockets.js';
const SHARES = [
  ['half of the changes', 0.5],
  ['99 of 100 changes', 0.99],
] as const;
const folder = join(import.meta.dirname, 'feed');

async function run(report: BenchReport): Promise<void> {
  await using audience = await Program.start<AudienceProgram>(join(folder, 'audience.program.ts'));
  await measureHub(report, audience);
  await measureServer(report, audience);
}

async function measureHub(report: BenchReport, audience: Program<AudienceProgram>): Promise<void> {
  await using ours = await Program.start<GatewayProgram>(join(folder, 'gateway.program.ts'));
  await using peer = await Program.start<PeerProgram>(join(folder, 'peer.program.ts'));
  const seats = { sockets: SCREENS, feed: placeOf(libraryFeed) };
  await audience.ask('open', { name: 'ours', ...(await ours.ask('address', undefined)), ...seats });
  await audience.ask('open', { name: 'peer', token: null, ...(await peer.ask('address', undefined)), ...seats });

  const times = { ours: [] as number[], peer: [] as number[] };
  let bytes: Uint8Array = new Uint8Array();
  for (let change = -WARM_CHANGES; change < CHANGES; change++) {
    const oursMs = await changeMs(
      audience,
      'ours',
      () => ours.ask('change', undefined),
      (heard) => (bytes = heard),
    );
    const peerMs = await changeMs(audience, 'peer', () => peer.ask('change', { bytes }));
    if (change < 0) continue;
    times.ours.push(oursMs);
    times.peer.push(peerMs);
  }
  for (const name of ['ours', 'peer']) await audience.ask('close', name);
  for (const [name, share] of SHARES) {
    const metric = `last of 1,000 screens, ${name}`;
    const [oursMs, peerMs] = [quantile(times.ours, share), quantile(times.peer, share)];
    report.row({ metric, unit: 'ms', ours: oursMs, peer: peerMs, peerName: PEER_NAME, better: 'less' });
  }
}

async function measureServer(report: BenchReport, audience: Program<AudienceProgram>): Promise<void> {
  let moviePath: string;
  try {
    moviePath = await clips.h264Mp4();
  } catch (error) {
    // Says what is missing, and the command that installs it.
    report.note(`not measured with the whole server: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  await using server = await WholeServer.start(moviePath);
  const { port, token } = server;
  await audience.ask('open', { name: 'server', port, token, sockets: SCREENS, feed: placeOf(progressFeed) });
  const times: number[] = [];
  for (let change = -WARM_CHANGES; change < SERVER_CHANGES; change++) {
    const ms = await changeMs(audience, 'server', () => server.report());
    if (change >= 0) times.push(ms);
  }
  await audience.ask('close', 'server');
  for (const [name, share] of SHARES) {
    const metric = `the same through Postgres, ${name}`;
    report.row({ metric, unit: 'ms', ours: quantile(times, share), better: 'less' });
  }
}

/** Makes a change and waits until the last one has heard of it; then lets everyone come to rest. */
async function changeMs(
  audience: Program<AudienceProgram>,
  name: string,
  change: () => Promise<bigint>,
  onHeard: (bytes: Uint8Array) => void = () => undefined,
): Promise<number> {
  const next = audience.ask('next', name);
  const atNs = await change();
  const { lastNs, bytes } = await next;
  onHeard(bytes);
  await audience.ask('acknowledge', name);
  await passed(PAUSE_MS);
  return Number(lastNs - atNs) / 1e6;
}

const placeOf = ({ id, name }: AnyFeed) => ({ id, name });
const passed = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

export const bench: Bench = {
  name: 'feed',
  about: 'one change on 1,000 screens, beside a bare uWebSockets.js publish of the same bytes',
  run,
};
