import { HostError, ProcessHost } from '#engine/runtime/process-host.ts';
import type { ProcessHostLimits } from '#engine/runtime/process-host.ts';
import type { HardwareWish } from '#engine/media/hardware-plan.ts';
import type { HardwareKind, HardwareRow } from '#protocol/schema/hardware.ts';
import type { HardwareCalls, HardwareLook, HardwareSessions, HardwareTrial } from './hardware.port.ts';
import type { MediaHostsReport } from './media-supervisor.port.ts';

/** Most is opening the device, which takes a driver up to some seconds when it wakes a chip; then 24 pictures. */
const TRIAL_LIMIT_MS = 20_000;
/** The processor has no driver that might hang, and may be busy with others. */
const SOFTWARE_LIMIT_MS = 120_000;

/**
 * One host process for each kind of hardware that is being tried. A driver that ends its process, or never answers, costs the
 * row in hand and nothing else: the next row gets a fresh process. Its rules are HARD1 to HARD4 of SPEC.md.
 */
export class HardwareHosts implements AsyncDisposable {
  readonly #options: HardwareHostsOptions;
  readonly #hosts = new Map<HardwareKind | 'software', ProcessHost<HardwareCalls>>();
  #started = 0;

  constructor(options: HardwareHostsOptions) {
    this.#options = options;
  }

  /** `null` where the host did not start: then nothing can be tried. */
  async look(wish: HardwareWish): Promise<HardwareLook | null> {
    return await this.#ask(
      'software',
      (host) => host.call('look', [wish], TRIAL_LIMIT_MS),
      () => null,
    );
  }

  async tryOut(trial: HardwareTrial): Promise<HardwareRow> {
    const row = { test: trial.test, msPerFrame: null, variant: null, detail: null };
    const limitMs = this.#options.trialLimitMs ?? (trial.kind === null ? SOFTWARE_LIMIT_MS : TRIAL_LIMIT_MS);
    return await this.#ask(
      trial.kind ?? 'software',
      (host) => host.call('tryOut', [trial], limitMs),
      ({ exit }) => ({
        ...row,
        verdict: exit?.reason === 'timeLimit' ? 'timedOut' : 'crashed',
        detail: exit?.signal ?? null,
      }),
    );
  }

  /** `null` where nothing limits them; one where it cannot be found out. */
  async countSessions(sessions: HardwareSessions): Promise<number | null> {
    return await this.#ask(
      sessions.kind,
      (host) => host.call('countSessions', [sessions], TRIAL_LIMIT_MS),
      () => 1,
    );
  }

  /** Ends all hosts. Later calls start others. */
  async end(): Promise<void> {
    const hosts = [...this.#hosts.values()];
    this.#hosts.clear();
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async #ask<Answer>(
    name: HardwareKind | 'software',
    call: (host: ProcessHost<HardwareCalls>) => Promise<Answer>,
    onEnd: (error: HostError) => Answer,
  ): Promise<Answer> {
    const host = this.#hostOf(name);
    try {
      return await call(host);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      const { exit } = error;
      if (exit) this.#hosts.delete(name);
      if (exit && exit.reason !== 'stopped') {
        const { reason, stderr } = exit;
        this.#options.onReport({ kind: 'hostEnded', host: host.name, reason, path: null, stderr });
      } else if (error.cause instanceof Error) {
        const fault = error.cause.stack ?? error.cause.message;
        this.#options.onReport({ kind: 'hostFault', host: host.name, call: 'tryOut', path: '', error: fault });
      }
      return onEnd(error);
    }
  }

  #hostOf(name: HardwareKind | 'software'): ProcessHost<HardwareCalls> {
    const living = this.#hosts.get(name);
    if (living && !living.exit) return living;
    const host = new ProcessHost<HardwareCalls>({
      ...this.#options.limits,
      name: `hardware host ${++this.#started} (${name})`,
      entry: this.#options.entry,
      stopWithinMs: 300,
    });
    this.#hosts.set(name, host);
    return host;
  }
}

export interface HardwareHostsOptions {
  readonly entry: URL;
  readonly onReport: (report: MediaHostsReport) => void;
  readonly trialLimitMs?: number;
  readonly limits?: ProcessHostLimits;
}
