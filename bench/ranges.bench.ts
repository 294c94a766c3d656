/**
 * A large file by ranges, to one client and to 50. Ours: the gateway, through the signed address of a playback. Peer: nginx with
 * sendfile and one worker. The file is in the page cache; both send over the loopback to the same readers; rounds
 * alternate, medians count.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from './program.ts';
import { median } from './quantile.ts';
import { NGINX_MISSING, Nginx, findNginx } from './ranges/nginx.ts';
import type { GatewayProgram } from './ranges/gateway.program.ts';
import type { ReaderProgram, RoundResult } from './ranges/reader.program.ts';
import type { Bench, BenchReport } from './row.ts';

const FILE_NAME = 'movie.mp4';
const FILE_BYTES = 600_000_000;
const RANGE_BYTES = 16 << 20;
const ROUNDS = 12;
const WARM_MS = 250;
const MEASURED_MS = 1_000;
const CLIENTS = [1, 50] as const;

async function run(report: BenchReport): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'matinee-bench-ranges-'));
  try {
    await measure(report, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(report: BenchReport, folder: string): Promise<void> {
  const path = join(folder, FILE_NAME);
  await writeFile(path);
  await using ours = await Program.start<GatewayProgram>(join(import.meta.dirname, 'ranges/gateway.program.ts'));
  await using readers = await Program.start<ReaderProgram>(join(import.meta.dirname, 'ranges/reader.program.ts'));
  const program = findNginx();
  if (program === null) report.note(NGINX_MISSING);
  await using nginx = program === null ? null : await Nginx.start(program, folder, join(folder, 'nginx'));

  const served = await ours.ask('serve', { path });
  const sides = [
    { name: 'ours', serverPid: ours.pid, port: served.port, path: served.path },
    ...(nginx ? [{ name: 'peer', serverPid: nginx.workerPid, port: nginx.port, path: `/${FILE_NAME}` }] : []),
  ] as const;
  for (const clients of CLIENTS) {
    const results = new Map<string, RoundResult[]>(sides.map(({ name }) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, ...target } of sides) {
        const timing = { warmMs: WARM_MS, measuredMs: MEASURED_MS };
        const sizes = { fileBytes: FILE_BYTES, rangeBytes: RANGE_BYTES, clients };
        results.get(name)?.push(await readers.ask('read', { ...target, ...sizes, ...timing }));
      }
    }
    const of = (name: string, key: keyof RoundResult): number | undefined => {
      const all = results.get(name);
      return all && median(all.map((result) => result[key]));
    };
    const pair = (key: keyof RoundResult, scale: number) => {
      const peer = of('peer', key);
      return {
        ours: of('ours', key)! * scale,
        ...(peer === undefined ? {} : { peer: peer * scale, peerName: 'nginx' }),
      };
    };
    const who = clients === 1 ? '1 client' : `${clients} clients`;
    report.row({ metric: who, unit: 'Gbit/s', ...pair('bytesPerSecond', 8e-9), better: 'more' });
    report.row({
      metric: `${who}, server’s processor`,
      unit: 's/GB',
      ...pair('serverSecondsPerGb', 1),
      better: 'less',
    });
    const shares = sides.map(({ name }) => `${Math.round(of(name, 'slowestShare')! * 100)} %`).join(' and ');
    report.note(`${who}: the slowest client got ${shares} of its part`);
  }
}

/** Real bytes, not a sparse file; freshly written, so they are in the page cache. */
async function writeFile(path: string): Promise<void> {
  const block = randomBytes(1_000_000);
  await using file = await open(path, 'w', 0o644);
  for (let written = 0; written < FILE_BYTES; written += block.length) await file.write(block);
}

export const bench: Bench = {
  name: 'ranges',
  about: 'a 600 MB file by ranges to 1 and 50 clients, beside nginx',
  run,
};
