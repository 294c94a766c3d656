/** A host that does on request everything that a media host may do by accident. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { serveHost } from '#engine/runtime/host-server.ts';

export interface UnrulyPort {
  echo(value: unknown): Promise<unknown>;
  pid(): Promise<number>;
  environment(): Promise<string[]>;
  niceness(): Promise<number>;
  throwError(message: string): Promise<never>;
  /** SIGABRT, as a failed assertion in native code. */
  abort(): Promise<never>;
  exitWith(code: number): Promise<never>;
  /** Blocks the event loop for good, as a native call that never returns. */
  hang(): Promise<never>;
  /** Answers first, then blocks for good. */
  hangBehind(): Promise<void>;
  /** Never answers and uses no processor, as a read from a share that is gone. */
  sleep(): Promise<never>;
  /** Takes memory outside the JavaScript heap and keeps it. */
  allocate(sizeBytes: number): Promise<number>;
  flood(count: number): Promise<void>;
  complain(text: string): Promise<void>;
  ignoreStop(): Promise<void>;
}

export type UnrulyEvent = { readonly index: number };

let isDeafToStop = false;
const kept: Buffer[] = [];

const host = serveHost<UnrulyPort, UnrulyEvent>(
  {
    echo: (value) => Promise.resolve(value),
    pid: () => Promise.resolve(process.pid),
    environment: () => Promise.resolve(Object.keys(process.env)),
    niceness: async () => (await import('node:os')).getPriority(),
    throwError: (message) => Promise.reject(new Error(message)),
    abort: () => process.abort(),
    exitWith: (code) => process.exit(code),
    hang: () => {
      for (;;);
    },
    hangBehind: () => {
      setTimeout(() => {
        for (;;);
      }, 20);
      return Promise.resolve();
    },
    sleep: () => new Promise(() => undefined),
    allocate: (sizeBytes) => {
      kept.push(Buffer.alloc(sizeBytes, 1));
      return Promise.resolve(kept.length);
    },
    flood: async (count) => {
      for (let index = 0; index < count; index++) {
        host.emit({ index });
        if (index % 100 === 0) await nextTurn();
      }
    },
    complain: (text) => new Promise((resolve) => process.stderr.write(text, () => resolve())),
    ignoreStop: () => {
      isDeafToStop = true;
      return Promise.resolve();
    },
  },
  () => (isDeafToStop ? new Promise(() => undefined) : undefined),
);
