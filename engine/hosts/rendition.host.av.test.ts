import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clips } from '#test/support/media.ts';
import { AAC, COPY, H264, movie, orderOf, temporaryFolder } from '#test/support/rendition.ts';
import { ProcessHost } from '#engine/runtime/process-host.ts';
import type { RenditionCalls, RenditionEvent, RenditionHostEvent, RenditionSpec } from './rendition.port.ts';

const entry = new URL('./rendition.host.ts', import.meta.url);
const LIMIT_MS = 60_000;

class Listened implements AsyncDisposable {
  readonly events: RenditionEvent[] = [];
  readonly host: ProcessHost<RenditionCalls, RenditionHostEvent>;
  #resolve: (() => void) | null = null;

  constructor() {
    this.host = new ProcessHost({
      name: 'rendition host',
      entry,
      onEvent: ({ event }) => {
        this.events.push(event);
        if (event.kind === 'idle' || event.kind === 'failed') this.#resolve?.();
      },
    });
  }

  async produce(from: number, until: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    await this.host.call('produce', [1, { from, until }], LIMIT_MS);
    await promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.host[Symbol.asyncDispose]();
  }
}

describe('the rendition host', () => {
  it.each([
    ['copies', COPY, 'video'],
    ['encodes pictures', H264, 'video'],
    ['encodes sound', AAC, 'audio'],
  ] as const)('%s, goes elsewhere in the same process, and stops', async (_, output, kind) => {
    const source = movie(await clips.h264Mkv());
    const spec: RenditionSpec = { ...orderOf(source, kind, output), outputDir: temporaryFolder() };
    const listened = new Listened();
    await using _stop = listened;
    await listened.host.call('open', [1, spec], LIMIT_MS);
    await listened.produce(0, 1);
    await listened.produce(3, 3);
    expect(listened.events.map((event) => ('index' in event ? `${event.kind} ${event.index}` : event.kind))).toEqual([
      ...['init', 'segment 0', 'segment 1', 'idle'],
      ...['segment 3', 'idle'],
    ]);
    expect(readdirSync(spec.outputDir).toSorted()).toEqual(['0.m4s', '1.m4s', '3.m4s', 'init.mp4']);
    await listened[Symbol.asyncDispose]();
    expect(listened.host.exit).toMatchObject({ reason: 'stopped' });
  });

  it('hears a plan that is a typed array', async () => {
    const source = movie(await clips.h264Mkv());
    const order = orderOf(source, 'video', COPY);
    const listened = new Listened();
    await using _stop = listened;
    const boundariesUs = Float64Array.from(order.boundariesUs);
    await listened.host.call('open', [1, { ...order, boundariesUs, outputDir: temporaryFolder() }], LIMIT_MS);
    await listened.produce(1, 1);
    expect(listened.events.at(-1)).toEqual({ kind: 'idle', next: 2 });
  });

  it('tells what is wrong with a file as an event, and a wrong call as a fault', async () => {
    const listened = new Listened();
    await using _stop = listened;
    await expect(listened.host.call('produce', [1, { from: 0, until: 0 }], LIMIT_MS)).rejects.toMatchObject({
      code: 'failed',
    });
    const spec = {
      path: '/nowhere.mkv',
      trackIndex: 0,
      kind: 'video',
      boundariesUs: [0, 1],
      startUs: 0,
      output: COPY,
    } as const;
    await listened.host.call('open', [1, { ...spec, outputDir: temporaryFolder() }], LIMIT_MS);
    await listened.produce(0, 0);
    expect(listened.events).toMatchObject([{ kind: 'failed', failure: 'notFound', index: 0 }]);
    await expect(listened.host.call('open', [1, { ...spec, outputDir: '/' }], LIMIT_MS)).rejects.toMatchObject({
      code: 'failed',
    });
  });
});
