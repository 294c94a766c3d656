/** How much processor time a process has used. */
import { readFileSync } from 'node:fs';

/** Linux counts it in hundredths of a second for everyone who reads /proc, whatever the kernel's own clock (proc(5), `USER_HZ`). */
const TICKS_PER_SECOND = 100;

/** User and kernel time of all threads of a process since its start, in seconds. Throws where it is gone. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
