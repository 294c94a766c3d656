/** Processor time of a process with everything it started: our hosts and Postgres are children. */
import { readFileSync, readdirSync } from 'node:fs';

/** Linux counts it in hundredths of a second (proc(5), `USER_HZ`). */
const TICKS_PER_SECOND = 100;

/** User and kernel time in seconds of `pid` and all below it, with those that ended and were waited for. */
export function treeSeconds(pid: number): number {
  const children = new Map<number, number[]>();
  const ticks = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(Number(name));
    if (!stat) continue;
    ticks.set(Number(name), stat.ticks);
    const siblings = children.get(stat.parent) ?? [];
    siblings.push(Number(name));
    children.set(stat.parent, siblings);
  }
  const sum = (one: number): number =>
    (ticks.get(one) ?? 0) + (children.get(one) ?? []).reduce((total, child) => total + sum(child), 0);
  return sum(pid) / TICKS_PER_SECOND;
}

/** The same of all children of this process that have ended. */
export function endedChildrenSeconds(): number {
  return (statOf(process.pid)?.endedTicks ?? 0) / TICKS_PER_SECOND;
}

function statOf(pid: number): { parent: number; ticks: number; endedTicks: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0, user = 0, system = 0, endedUser = 0, endedSystem = 0] = [1, 11, 12, 13, 14].map(
      (index) => fields[index],
    );
    return { parent, ticks: user + system + endedUser + endedSystem, endedTicks: endedUser + endedSystem };
  } catch {
    // Ended between the list and the look.
    return null;
  }
}
