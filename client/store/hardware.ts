/** What the machine's hardware was proven to do, for those who manage the server. The screen that shows it disposes of it. */
import { effect, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Infer } from '#protocol/contract.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import { hardware as calls } from '#protocol/methods/hardware.ts';
import type { HardwareState } from '#protocol/schema/hardware.ts';
import { isOpen } from './jobs.ts';
import type { JobRow, JobsStore } from './jobs.ts';
import type { Server } from './ports.ts';

export type Hardware = Infer<typeof HardwareState>;

export class HardwareStore {
  readonly #server: Server;
  readonly #jobs: JobsStore | null;
  readonly #state = signal<Hardware | null>(null);
  readonly #failure = signal<Failure | null>(null);
  readonly #test = signal<JobRow | null>(null);
  readonly #unfollow: () => void;
  #isDisposed = false;

  constructor(server: Server, jobs: JobsStore | null) {
    this.#server = server;
    this.#jobs = jobs;
    let seen = '';
    this.#unfollow = effect(() => {
      const test = this.#jobs?.jobs.value?.find(({ kind }) => kind === 'hardware') ?? null;
      this.#test.value = test && isOpen(test) ? test : null;
      // A test that began or ended: what is known is another thing now.
      const now = `${test?.id ?? ''} ${test?.state ?? ''}`;
      if (now !== seen) void this.load();
      seen = now;
    });
  }

  /** `null` until it has come. */
  get state(): ReadonlySignal<Hardware | null> {
    return this.#state;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  /** The test that runs, with its progress. */
  get running(): ReadonlySignal<JobRow | null> {
    return this.#test;
  }

  /** Never rejects: the failure is shown where the answer would be. */
  async load(): Promise<void> {
    try {
      const state = await this.#server.call(calls.state, {});
      if (this.#isDisposed) return;
      this.#state.value = state;
      this.#failure.value = null;
    } catch (error) {
      if (!isFailure(error)) throw error;
      this.#failure.value = error;
    }
  }

  async test(): Promise<void> {
    await this.#server.call(calls.test, {});
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#unfollow();
  }
}
