/** `npm run bench -- NAME… [--json]`: runs benches one after the other. Rows go to stdout, everything else to stderr. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Bench, BenchRow } from './row.ts';
import { toRow } from './row.ts';

async function findBenches(): Promise<Map<string, Bench>> {
  const files = globSync('*.bench.ts', { cwd: import.meta.dirname }).toSorted();
  const benches = await Promise.all(
    files.map(async (file) => {
      const module = (await import(pathToFileURL(join(import.meta.dirname, file)).href)) as { bench?: Bench };
      if (!module.bench) throw new Error(`bench/${file} does not export “bench”`);
      return module.bench;
    }),
  );
  return new Map(benches.map((bench) => [bench.name, bench]));
}

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((argument) => argument !== '--json');
  const isJson = args.includes('--json');
  const benches = await findBenches();
  const unknown = names.filter((name) => !benches.has(name));
  if (names.length === 0 || unknown.length > 0) {
    const complaint = unknown.length > 0 ? `There is no bench “${unknown.join('”, “')}”. ` : '';
    console.error(`${complaint}npm run bench -- NAME… [--json], where NAME is one of:`);
    for (const { name, about } of benches.values()) console.error(`  ${name.padEnd(16)}${about}`);
    return 1;
  }
  let code = 0;
  for (const name of names) {
    const print = isJson ? (row: BenchRow) => console.log(JSON.stringify(row)) : printRow;
    try {
      await benches.get(name)?.run({
        row: (measurement) => print(toRow(name, measurement)),
        note: (text) => console.error(`${name}: ${text}`),
      });
    } catch (error) {
      console.error(`${name}: failed:`, error);
      code = 1;
    }
  }
  return code;
}

function printRow({ bench, metric, unit, ours, peer, peerName, ratio }: BenchRow): void {
  const comparison =
    peer === null || peerName === null || ratio === null ? '' : `${peerName} ${peer} ${unit}, ratio ${ratio}`;
  console.log(`${bench.padEnd(14)} ${metric.padEnd(36)} ${`${ours} ${unit}`.padEnd(20)} ${comparison}`);
}

// A bench leaves servers, hosts and sockets behind when it fails; none of them may keep the run from ending.
process.exit(await main(process.argv.slice(2)));
