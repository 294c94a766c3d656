/**
 * Scanning a folder of 486 mixed movies. Ours: from the call `libraries.scan` over the socket until its job is said to have
 * succeeded there, with everything in Postgres and on a screen that follows the feed; the server runs and its hosts are warm. Peers: a
 * static ffprobe for each file, two at a time, and minidlna's own scan. All files are in the page cache; rounds
 * alternate, medians count.
 */
import { globSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { median, quantile } from './quantile.ts';
import type { Bench, BenchReport } from './row.ts';
import { MOVIE_COUNT, movieFolder, warm } from './scan/movie-folder.ts';
import { ffprobePeer, minidlnaPeer } from './scan/peers.ts';
import type { Peer, Speed } from './scan/peers.ts';
import { ScannedServer } from './scan/scanned-server.ts';

const ROUNDS = 5;
const IDLE_CALLS = 300;
const mediaFolder = join(import.meta.dirname, '.media');

async function run(report: BenchReport): Promise<void> {
  mkdirSync(mediaFolder, { recursive: true });
  const folder = await movieFolder(mediaFolder, (text) => report.note(text));
  const files = globSync('**/*.*', { cwd: folder })
    .map((path) => join(folder, path))
    .toSorted();
  if (files.length !== MOVIE_COUNT) {
    throw new Error(
      `there are ${files.length} files in ${folder}, not ${MOVIE_COUNT}: remove the folder and run again`,
    );
  }
  const peers: Peer[] = [];
  for (const found of [ffprobePeer(mediaFolder), minidlnaPeer()]) {
    if ('peer' in found) peers.push(found.peer);
    else report.note(found.missing);
  }
  // A server that has been up for a while: the same files under other names have been scanned and forgotten.
  const warmFolder = await mkdtemp(join(tmpdir(), 'matinee-bench-warm-'));
  await Promise.all(
    files.map((file, index) => symlink(file, join(warmFolder, `Warm ${index} (1950)${extname(file)}`))),
  );

  const cold: Speed[] = [];
  const again: Speed[] = [];
  const theirs = new Map<Peer, Speed[]>(peers.map((peer) => [peer, []]));
  const idle: number[] = [];
  const busy: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await using server = await ScannedServer.start(warmFolder);
      await warm(files);
      server.mount(folder);
      cold.push(await server.scan(MOVIE_COUNT));
      await server.stopPictures();
      if (server.shownMovies.size < MOVIE_COUNT * 0.9) {
        report.note(`only ${server.shownMovies.size} movies came over the feed`);
      }
      again.push(await server.scan(MOVIE_COUNT));
      for (const peer of peers) {
        await warm(files);
        theirs.get(peer)?.push(await peer.run(folder, files));
      }
    }
    // Browsing is measured apart, for it costs the scan beside it something.
    await using server = await ScannedServer.start(warmFolder);
    server.mount(folder);
    let isScanning = true;
    const browsing = (async () => {
      while (isScanning) busy.push(await server.browse(0));
    })();
    await server.scan(MOVIE_COUNT);
    isScanning = false;
    await browsing;
    await server.stopPictures();
    for (let call = 0; call < IDLE_CALLS; call++) idle.push(await server.browse(0));
  } finally {
    await rm(warmFolder, { recursive: true, force: true });
  }

  const of = (speeds: readonly Speed[], key: keyof Speed): number => median(speeds.map((speed) => speed[key]));
  for (const { name, failed } of peers) if (failed > 0) report.note(`${name} does not read ${failed} of the files`);
  for (const [{ name }, speeds] of theirs) {
    const pair = (key: keyof Speed) => ({ ours: of(cold, key), peer: of(speeds, key), peerName: name });
    report.row({ metric: 'cold scan', unit: 'files/s', ...pair('filesPerSecond'), better: 'more' });
    report.row({ metric: 'cold scan, processor', unit: 'ms/file', ...pair('processorMs'), better: 'less' });
  }
  if (theirs.size === 0) {
    report.row({ metric: 'cold scan', unit: 'files/s', ours: of(cold, 'filesPerSecond'), better: 'more' });
    report.row({ metric: 'cold scan, processor', unit: 'ms/file', ours: of(cold, 'processorMs'), better: 'less' });
  }
  report.row({ metric: 'scan without a change', unit: 'files/s', ours: of(again, 'filesPerSecond'), better: 'more' });
  report.row({
    metric: 'movies.list during a scan, p95',
    unit: 'ms',
    ours: quantile(busy, 0.95),
    peer: quantile(idle, 0.95),
    peerName: 'ourselves without a scan',
    better: 'less',
  });
  report.row({
    metric: 'movies.list during a scan, p50',
    unit: 'ms',
    ours: median(busy),
    peer: median(idle),
    peerName: 'ourselves without a scan',
    better: 'less',
  });
}

export const bench: Bench = {
  name: 'scan',
  about: '486 mixed movies: cold, without a change, and browsing meanwhile; beside ffprobe and minidlna',
  run,
};
