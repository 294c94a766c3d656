/** A probe host as the engine runs it, for one file after the other. A host that dies is replaced, and its death counted. */
import type { PictureRequest, ProbePort, ProbeResult } from '#engine/hosts/probe.port.ts';
import { HostError, ProcessHost } from '#engine/runtime/process-host.ts';

const ENTRY = new URL('../../engine/hosts/probe.host.ts', import.meta.url);

export class ScoredProbeHost implements AsyncDisposable {
  /** How often the process ended by itself or was killed for breaking a limit. */
  deaths = 0;
  #host = startHost();

  /** `null`: the host died of it, or did not answer within the limit. */
  probe(path: string, timeLimitMs = 10_000): Promise<ProbeResult | null> {
    return this.#survive((host) => host.call('probe', [path], timeLimitMs));
  }

  /** Whether the host answered, whatever the answer. */
  async keyframes(path: string, trackIndex: number, timeLimitMs: number): Promise<boolean> {
    return (await this.#survive((host) => host.call('keyframes', [path, trackIndex], timeLimitMs))) !== null;
  }

  async picture(path: string, request: PictureRequest, timeLimitMs: number): Promise<boolean> {
    return (await this.#survive((host) => host.call('picture', [path, request], timeLimitMs))) !== null;
  }

  async #survive<Result>(call: (host: ProcessHost<ProbePort>) => Promise<Result>): Promise<Result | null> {
    try {
      return await call(this.#host);
    } catch (error) {
      // A call that threw is a fault of ours, which must be seen; everything else is the end of the process.
      if (!(error instanceof HostError) || error.code === 'failed') throw error;
      this.deaths += 1;
      await this.#host[Symbol.asyncDispose]();
      this.#host = startHost();
      return null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }
}

function startHost(): ProcessHost<ProbePort> {
  return new ProcessHost<ProbePort>({ name: 'probe host', entry: ENTRY });
}
