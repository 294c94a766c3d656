import { beforeEach, describe, expect, it } from 'vitest';
import { BodyStream } from './body-stream.ts';

let flow: string[];
let body: BodyStream;
beforeEach(() => {
  flow = [];
  body = new BodyStream(3 << 20, { pause: () => flow.push('pause'), resume: () => flow.push('resume') });
});

const taken = async (): Promise<number[]> => {
  const sizes: number[] = [];
  for await (const chunk of body.chunks()) sizes.push(chunk.byteLength);
  return sizes;
};

describe('a body that is taken as it comes', () => {
  it('gives what came, and what comes, and ends', async () => {
    body.push(Buffer.from('one'), false);
    const all = taken();
    body.push(new Uint8Array(0), false);
    body.push(Buffer.from('three'), true);
    expect(await all).toEqual([3, 5]);
    expect(body.isOver).toBe(true);
    expect(flow).toEqual([]);
  });

  it('keeps no memory that is somebody else’s', async () => {
    const chunk = Buffer.from('mine');
    body.push(chunk, true);
    chunk.fill(0);
    for await (const piece of body.chunks()) expect(Buffer.from(piece).toString()).toBe('mine');
  });

  it('lets the client wait while nobody takes it, and go on after', async () => {
    body.push(new Uint8Array(1 << 20), false);
    expect(flow).toEqual([]);
    body.push(new Uint8Array(1), false);
    body.push(new Uint8Array(1), false);
    expect(flow).toEqual(['pause']);
    const all = taken();
    await Promise.resolve();
    body.push(new Uint8Array(1), true);
    expect(await all).toEqual([1 << 20, 1, 1, 1]);
    expect(flow[0]).toBe('pause');
    expect(flow.length).toBeLessThanOrEqual(2);
  });

  it.each(['tooLarge', 'late', 'gone'] as const)('ends with a fault: %s', async (fault) => {
    const all = expect(taken()).rejects.toMatchObject({ fault });
    if (fault === 'tooLarge') for (let at = 0; at < 4; at++) body.push(new Uint8Array(1 << 20), at === 3);
    else body.fail(fault);
    await all;
    body.push(Buffer.from('late'), true);
    expect(body.sizeBytes).toBeLessThanOrEqual(4 << 20);
  });
});
