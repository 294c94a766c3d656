/** What others need for the same folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endedChildrenSeconds, treeSeconds } from './processor-tree.ts';

export interface Speed {
  readonly filesPerSecond: number;
  /** Processor time of everything that took part, milliseconds a file. */
  readonly processorMs: number;
}

export interface Peer {
  readonly name: string;
  /** Files that its last run could not read, or does not know. */
  failed: number;
  /** Reads `files`, which lie in `folder`. */
  run(folder: string, files: readonly string[]): Promise<Speed>;
}

export type Found = { readonly peer: Peer } | { readonly missing: string };

const PROBE_ARGS = ['-v', 'error', '-show_format', '-show_streams', '-show_chapters', '-of', 'json'];
const FFPROBE_AT_ONCE = 2;

/** ffprobe for each file, two at a time: the static build where it is, else the system's, and named as what it is. */
export function ffprobePeer(mediaFolder: string): Found {
  const tools = join(mediaFolder, 'tools');
  const fixed = join(tools, `node_modules/@ffprobe-installer/linux-${process.arch}/ffprobe`);
  const system = '/usr/bin/ffprobe';
  const command = `npm install --prefix ${tools} @ffprobe-installer/linux-${process.arch}`;
  const program = existsSync(fixed) ? fixed : existsSync(system) ? system : null;
  if (program === null) return { missing: `no ffprobe: ${command}` };
  const name = program === fixed ? 'static ffprobe, two at a time' : 'the system’s ffprobe, two at a time';
  return {
    peer: {
      name,
      failed: 0,
      async run(_folder, files) {
        const startMs = performance.now();
        const startSeconds = endedChildrenSeconds();
        let next = 0;
        let failed = 0;
        const worker = async (): Promise<void> => {
          for (let file = files[next++]; file !== undefined; file = files[next++]) {
            if (!(await probe(program, file))) failed++;
          }
        };
        await Promise.all(Array.from({ length: FFPROBE_AT_ONCE }, worker));
        this.failed = failed;
        // Those on which it crashes cost it time too, and are counted as if they had been read.
        return {
          filesPerSecond: (files.length * 1_000) / (performance.now() - startMs),
          processorMs: ((endedChildrenSeconds() - startSeconds) * 1_000) / files.length,
        };
      },
    },
  };
}

async function probe(program: string, file: string): Promise<boolean> {
  const child = spawn(program, [...PROBE_ARGS, file], { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.resume();
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0;
}

/** minidlna's own first scan, from its start to its line that says so: a whole media server in C, without hashes. */
export function minidlnaPeer(): Found {
  const program = ['/usr/sbin/minidlnad', '/usr/bin/minidlnad'].find((path) => existsSync(path));
  if (program === undefined) return { missing: 'no minidlna: apt-get install minidlna' };
  return {
    peer: {
      name: 'minidlna',
      failed: 0,
      async run(folder, files) {
        const work = await mkdtemp(join(tmpdir(), 'matinee-bench-dlna-'));
        await mkdir(join(work, 'db'));
        const config = {
          port: String(20_000 + Math.floor(Math.random() * 20_000)),
          network_interface: 'lo',
          media_dir: `V,${folder}`,
          db_dir: join(work, 'db'),
          log_dir: work,
          inotify: 'no',
          friendly_name: 'bench',
        };
        const text = Object.entries(config)
          .map(([key, value]) => `${key}=${value}\n`)
          .join('');
        await writeFile(join(work, 'conf'), text);
        const startMs = performance.now();
        const child = spawn(program, ['-S', '-R', '-f', join(work, 'conf'), '-P', join(work, 'pid')], {
          stdio: 'ignore',
        });
        const ended = once(child, 'exit');
        try {
          for (;;) {
            const log = await readFile(join(work, 'minidlna.log'), 'utf8').catch(() => '');
            const found = /Scanning .* finished \((\d+) files\)/.exec(log)?.[1];
            if (found !== undefined) {
              const seconds = (performance.now() - startMs) / 1_000;
              this.failed = files.length - Number(found);
              return {
                filesPerSecond: Number(found) / seconds,
                processorMs: (treeSeconds(child.pid ?? 0) * 1_000) / Number(found),
              };
            }
            if (child.exitCode !== null) throw new Error(`minidlna ended with ${child.exitCode} before it had scanned`);
            await sleep(10);
          }
        } finally {
          child.kill();
          await ended;
          await rm(work, { recursive: true, force: true });
        }
      },
    },
  };
}
