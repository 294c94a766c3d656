/**
 * The three questions of an orchestrator (Kubernetes probes): does the process work, may it have traffic, has it come up.
 * Public, quick, and never a redirect: 302 counts as success. Rules HEALTH1 to HEALTH3 of SPEC.md.
 */
import type { Clock } from '#engine/base/clock.ts';
import type { HttpResponse, HttpRoute } from './http.ts';

export const PHASES = ['starting', 'ready', 'draining'] as const;
export type Phase = (typeof PHASES)[number];

/** What the probes tell. Main moves the phase; the gateway's drain moves it to `draining`. */
export interface HealthState {
  phase: Phase;
  /** Whether the database answers. May take as long as it likes; the probe does not wait for it. */
  isDatabaseUp(): Promise<boolean>;
}

/** Kubernetes gives a probe one second. */
const CHECK_MS = 800;
/** Probes come from several places at once; one answer serves them all. */
const KEEP_MS = 1_000;

export function healthRoutes(state: HealthState, clock: Clock): HttpRoute[] {
  let asked: { readonly atMs: number; readonly answer: Promise<boolean> } | null = null;
  const isDatabaseUp = (): Promise<boolean> => {
    const nowMs = clock.monotonicMs();
    if (!asked || nowMs - asked.atMs > KEEP_MS) {
      asked = { atMs: nowMs, answer: within(state.isDatabaseUp(), CHECK_MS, clock) };
    }
    return asked.answer;
  };
  const tell = (response: HttpResponse, isGood: boolean, status: string): void =>
    response.send(
      isGood ? 200 : 503,
      { 'content-type': 'application/json', 'cache-control': 'no-store', ...(isGood ? {} : { 'retry-after': '2' }) },
      JSON.stringify({ status }),
    );
  const route = (path: `/${string}`, handle: (response: HttpResponse) => Promise<void> | void): HttpRoute => ({
    method: 'GET',
    path,
    access: 'public',
    handle: (_, response) => handle(response),
  });
  return [
    // Works as long as this line runs: a database that is down is no reason to kill the process.
    route('/healthz', (response) => tell(response, true, 'alive')),
    route('/readyz', async (response) => {
      if (state.phase !== 'ready') return tell(response, false, state.phase);
      const isUp = await isDatabaseUp();
      tell(response, isUp, isUp ? 'ready' : 'databaseDown');
    }),
    route('/startupz', (response) =>
      tell(response, state.phase !== 'starting', state.phase === 'starting' ? 'starting' : 'started'),
    ),
  ];
}

/** `false` where the answer is a failure, or takes too long. */
async function within(answer: Promise<boolean>, limitMs: number, clock: Clock): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  using _timer = clock.after(limitMs, () => resolve(false));
  return await Promise.race([answer.catch(() => false), promise]);
}
