import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UnrulyEvent, UnrulyPort } from '#test/support/hosts/unruly.host.ts';
import { HostError, ProcessHost } from './process-host.ts';
import type { ProcessHostOptions } from './process-host.ts';

const entry = new URL('../../test/support/hosts/unruly.host.ts', import.meta.url);
const LONG_MS = 60_000;

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

function startHost(options: Partial<ProcessHostOptions<UnrulyEvent>> = {}) {
  return stack.use(new ProcessHost<UnrulyPort, UnrulyEvent>({ name: 'test host', entry, ...options }));
}

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'answered',
    (error: unknown) => (error instanceof HostError ? error.code : `not a HostError: ${String(error)}`),
  );

/** A process that has ended and that nobody has collected yet (a zombie) is not alive. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

describe('ProcessHost calls', () => {
  it('[HOST1] carries structured clones both ways, also when sent before the child is ready', async () => {
    const host = startHost();
    const value = {
      keyframesUs: new Float64Array([0, 1.5]),
      at: new Date(0),
      big: 2n ** 70n,
      map: new Map([['a', 1]]),
    };
    await expect(host.call('echo', [value], LONG_MS)).resolves.toEqual(value);
  });

  it('[HOST2] a throw inside a call fails that call alone', async () => {
    const host = startHost();
    const error = await host.call('throwError', ['out of range'], LONG_MS).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'failed', cause: { message: 'out of range' } });
    await expect(host.call('echo', [1], LONG_MS)).resolves.toBe(1);
  });

  it('[HOST3] answers in order of arrival, and a crash is the fault of the call in hand alone', async () => {
    const host = startHost();
    const calls = [
      host.call('echo', [1], LONG_MS),
      host.call('abort', [], LONG_MS),
      host.call('echo', [2], LONG_MS),
      host.call('echo', [3], LONG_MS),
    ];
    await expect(Promise.all(calls.map(codeOf))).resolves.toEqual(['answered', 'crashed', 'lost', 'lost']);
    await expect(host.exited).resolves.toMatchObject({ reason: 'crashed', signal: 'SIGABRT' });
    await expect(codeOf(host.call('echo', [4], LONG_MS))).resolves.toBe('lost');
  });

  it('[HOST3] blames no call that was sent to a child whose end had not been noticed', async () => {
    const host = startHost();
    await host.call('echo', [1], LONG_MS);
    process.kill(host.pid!, 'SIGKILL');
    await expect(codeOf(host.call('echo', [2], LONG_MS))).resolves.toBe('lost');
    await expect(host.exited).resolves.toMatchObject({ reason: 'crashed', hadCall: false });
  });

  it('[HOST3] hears the answers that were written just before the end', async () => {
    const host = startHost();
    const payload = new Uint8Array(200_000).fill(7);
    const calls = [
      ...Array.from({ length: 20 }, () => host.call('echo', [payload], LONG_MS)),
      host.call('exitWith', [3], LONG_MS),
    ];
    const codes = await Promise.all(calls.map(codeOf));
    expect(codes).toEqual([...Array.from({ length: 20 }, () => 'answered'), 'crashed']);
    await expect(host.exited).resolves.toMatchObject({ exitCode: 3 });
  });

  it('[HOST4] refuses more calls than it may have in flight', async () => {
    const host = startHost({ maxInFlight: 2 });
    const codes = await Promise.all([1, 2, 3].map((value) => codeOf(host.call('echo', [value], LONG_MS))));
    expect(codes).toEqual(['answered', 'answered', 'overloaded']);
  });
});

describe('ProcessHost limits', () => {
  it('[HOST5] kills a child that keeps a call longer than its limit, counted from the moment it took it in hand', async () => {
    const host = startHost();
    await host.ready;
    const hang = codeOf(host.call('hang', [], 50));
    const waiting = codeOf(host.call('echo', [1], 1)); // shorter than the wait for its turn: not its fault
    await expect(Promise.all([hang, waiting])).resolves.toEqual(['timeLimit', 'lost']);
    await expect(host.exited).resolves.toMatchObject({ reason: 'timeLimit', signal: 'SIGKILL', wasBusy: true });
  });

  it('[HOST5] tells a child that waited from one that computed', async () => {
    const host = startHost();
    await host.ready;
    await expect(codeOf(host.call('sleep', [], 50))).resolves.toBe('timeLimit');
    expect(host.exit).toMatchObject({ wasBusy: false });
  });

  it('[HOST5] pings a child that works behind its calls, and ends it when it does not come up for air', async () => {
    const host = startHost();
    await expect(host.ping(LONG_MS)).resolves.toBeUndefined();
    await host.call('hangBehind', [], LONG_MS);
    let code = 'answered';
    while (code === 'answered') code = await codeOf(host.ping(50)); // until it has begun to hang
    expect(code).toBe('timeLimit');
  });

  it('[HOST6] kills a child that takes more memory than its limit', async () => {
    const host = startHost({ memoryLimitBytes: 300 * 2 ** 20, memoryCheckMs: 20 });
    await host.call('allocate', [50 * 2 ** 20], LONG_MS);
    await host.call('allocate', [400 * 2 ** 20], LONG_MS).catch(() => undefined);
    await expect(host.exited).resolves.toMatchObject({ reason: 'memoryLimit', signal: 'SIGKILL' });
  });

  it('[HOST7] kills a child that floods its parent, and stays able to work itself', async () => {
    let heard = 0;
    const host = startHost({ maxEventsPerSecond: 1_000, onEvent: () => heard++ });
    await expect(codeOf(host.call('flood', [1_000_000], LONG_MS))).resolves.toBe('flooded');
    // Some seconds' worth on a busy machine, of a million.
    expect(heard).toBeLessThan(100_000);
  });

  it('[HOST7] keeps no more than the end of what a child writes to stderr', async () => {
    const host = startHost();
    await host.call('complain', ['x'.repeat(1_000_000)], LONG_MS);
    await host.call('complain', ['the last words'], LONG_MS);
    await host[Symbol.asyncDispose]();
    expect(host.exit?.stderr).toMatch(/^x+the last words$/);
    expect(host.exit?.stderr).toHaveLength(4_096);
  });

  it('[HOST5] gives up on a child that never gets ready', async () => {
    const host = startHost({
      entry: new URL('../../test/support/hosts/never-ready.host.ts', import.meta.url),
      readyWithinMs: 400,
    });
    const call = codeOf(host.call('echo', [1], LONG_MS));
    await expect(host.ready).rejects.toMatchObject({ code: 'notReady' });
    await expect(call).resolves.toBe('lost');
  });

  it('says what an entry that cannot be loaded complained about', async () => {
    const host = startHost({ entry: new URL('./no-such-entry.ts', import.meta.url) });
    await expect(host.ready).rejects.toMatchObject({ code: 'crashed' });
    expect(host.exit?.stderr).toContain('no-such-entry.ts');
  });
});

describe('ProcessHost end', () => {
  it('[HOST8] stops cooperatively, with exit code 0', async () => {
    const host = startHost();
    await host.ready;
    await host[Symbol.asyncDispose]();
    expect(host.exit).toMatchObject({ reason: 'stopped', exitCode: 0, signal: null });
  });

  it('[HOST8] kills a child that ignores the request, after the grace period', async () => {
    const host = startHost({ stopWithinMs: 50 });
    await host.call('ignoreStop', [], LONG_MS);
    await Promise.all([host[Symbol.asyncDispose](), host[Symbol.asyncDispose]()]);
    expect(host.exit).toMatchObject({ reason: 'stopped', signal: 'SIGKILL' });
  });

  it('[HOST8] refuses what was in flight when it is told to stop', async () => {
    const host = startHost({ stopWithinMs: 50 });
    await host.ready;
    const calls = [codeOf(host.call('hang', [], LONG_MS)), codeOf(host.call('echo', [1], LONG_MS))];
    await host[Symbol.asyncDispose]();
    await expect(Promise.all(calls)).resolves.toEqual(['stopped', 'lost']);
  });

  it('reports a child killed from outside as a crash', async () => {
    const host = startHost();
    process.kill(await host.call('pid', [], LONG_MS), 'SIGKILL');
    await expect(host.exited).resolves.toMatchObject({ reason: 'crashed', signal: 'SIGKILL' });
  });

  it('ignores the signals of a terminal: the parent decides when its hosts stop', async () => {
    const host = startHost();
    const pid = await host.call('pid', [], LONG_MS);
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');
    await expect(host.call('echo', [1], LONG_MS)).resolves.toBe(1);
  });

  it('[HOST9] ends with its parent, even while stuck in a call', async () => {
    const parent = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../test/support/hosts/parent.ts', import.meta.url))],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pids = JSON.parse(line.toString()) as number[];
    expect(pids.map(isAlive)).toEqual([true, true]);
    parent.kill('SIGKILL');
    await expect.poll(() => pids.map(isAlive), { timeout: 50_000, interval: 50 }).toEqual([false, false]);
  });
});

describe('ProcessHost surroundings', () => {
  it('[HOST9] hands the child no secret from our environment', async () => {
    process.env['MATINEE_ADMIN_PASSWORD'] = 'secret';
    stack.defer(() => void delete process.env['MATINEE_ADMIN_PASSWORD']);
    const names = await startHost().call('environment', [], LONG_MS);
    expect(names).toContain('PATH');
    expect(names.filter((name) => name.startsWith('MATINEE'))).toEqual([]);
  });

  it('[HOST10] keeps what was made of the code of a child, also where that is killed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'matinee-code-'));
    stack.defer(() => rmSync(folder, { recursive: true, force: true }));
    const host = startHost({ codeCacheFolder: folder });
    await host.ready;
    // Flushed between two turns of its loop: the second answer comes behind it.
    await host.call('echo', [1], LONG_MS);
    await host.call('echo', [2], LONG_MS);
    host.kill('stopped');
    await host.exited;
    expect(readdirSync(folder, { recursive: true, withFileTypes: true }).some((one) => one.isFile())).toBe(true);
  });

  it('steps back for others when told to', async () => {
    await expect(startHost({ niceness: 7 }).call('niceness', [], LONG_MS)).resolves.toBe(7);
  });
});
