/** Other processes as Linux shows them in /proc: who belongs to whom, what they run, which files they have open. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface SeenProcess {
  readonly pid: number;
  readonly parentPid: number;
  /** In ticks since the machine started: tells it from a later process of the same number. */
  readonly startedAt: string;
  /** Arguments, separated by spaces. */
  readonly command: string;
}

/** `null` where there is none, or it has ended and only waits for its parent to notice. */
export function processAt(pid: number): SeenProcess | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold anything.
    const [state, parentPid, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
    return { pid, parentPid: Number(parentPid), startedAt: rest[17] ?? '', command };
  } catch {
    return null;
  }
}

export const isAlive = ({ pid, startedAt }: SeenProcess): boolean => processAt(pid)?.startedAt === startedAt;

/** Everything below a process. */
export function descendants(pid: number): SeenProcess[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processAt(Number(name)) ?? []);
  const found: SeenProcess[] = [];
  for (let parents = new Set([pid]); parents.size > 0;) {
    const children = all.filter(({ parentPid }) => parents.has(parentPid));
    found.push(...children);
    parents = new Set(children.map((child) => child.pid));
  }
  return found;
}

/** The media hosts of an engine, by the name of their entry. */
export function mediaHosts(enginePid: number, entry: 'probe.host.ts' | 'rendition.host.ts'): SeenProcess[] {
  return descendants(enginePid).filter(({ command }) => command.endsWith(`/hosts/${entry}`));
}

/** Whether a process has this file open. `path` is absolute and has no links in it. */
export function hasOpen({ pid }: Pick<SeenProcess, 'pid'>, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`) === path;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}
