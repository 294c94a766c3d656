import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REACH, TURN, steer } from './steering.ts';
import type { HostPlace, Steering, SteeringState } from './steering.ts';

const S = 1_000_000;
/** 100 segments of two seconds; a lead of 20 s that begins at 10 s. */
const plan = Float64Array.from({ length: 101 }, (_, index) => index * 2 * S);
const lead = { highUs: 20 * S, lowUs: 10 * S };

function state(
  part: Partial<Omit<SteeringState, 'has'>> & { there?: readonly number[]; broken?: readonly number[] },
): SteeringState {
  return {
    plan,
    lead,
    waits: [],
    viewers: [],
    host: null,
    mayLead: true,
    has: (index) => part.there?.includes(index) ?? false,
    isBroken: (index) => part.broken?.includes(index) ?? false,
    ...part,
  };
}
const at = (next: number, until: number | null = null, madeHere = 9): HostPlace => ({ next, until, madeHere });
const run = (from: number, until: number): number[] =>
  Array.from({ length: until - from + 1 }, (_, index) => from + index);
const produce = (from: number, until: number): Steering => ({ kind: 'produce', range: { from, until } });
const keep: Steering = { kind: 'keep' };
const pause: Steering = { kind: 'pause' };

describe('steering a host', () => {
  it.each<[string, Parameters<typeof state>[0], Steering]>([
    ['nobody there', {}, keep],
    ['[PLAY8] somebody waits and there is no host', { waits: [5], viewers: [6] }, produce(5, 15)],
    ['[PLAY8] near the end', { waits: [95], viewers: [96] }, produce(95, 99)],
    ['[PLAY8] the last one', { waits: [99], viewers: [100] }, produce(99, 99)],
    ['[PLAY8] what is there is not made again', { waits: [5], viewers: [6], there: [8, 9] }, produce(5, 7)],
    ['[PLAY9] within reach of a host at work', { waits: [7], viewers: [8], host: at(5, 20) }, keep],
    ['[PLAY9] out of its reach', { waits: [5 + REACH + 1], viewers: [10], host: at(5, 20) }, produce(9, 19)],
    ['[PLAY9] behind it', { waits: [4], viewers: [5], host: at(5, 20) }, produce(4, 14)],
    ['[PLAY9] beyond what it was told to make', { waits: [8], viewers: [9], host: at(6, 7) }, produce(8, 18)],
    [
      '[PLAY9] within reach of a host at rest: go on from where it stands',
      { waits: [7], viewers: [8], host: at(5) },
      produce(5, 17),
    ],
    ['[PLAY9] out of reach of a host at rest', { waits: [50], viewers: [51], host: at(5) }, produce(50, 60)],
    [
      '[PLAY10] of several the longest waiting',
      { waits: [50, 10], viewers: [51, 11], host: at(30, 40) },
      produce(50, 60),
    ],
    [
      '[PLAY10] not before the host has had its turn where it is',
      { waits: [50, 10], viewers: [51, 11], host: at(10, 20, TURN - 1) },
      keep,
    ],
    ['[PLAY10] but then', { waits: [50, 10], viewers: [51, 11], host: at(10, 20, TURN) }, produce(50, 60)],
    [
      '[PLAY10] a turn needs a viewer who is there',
      { waits: [50], viewers: [51], host: at(10, 20, 0) },
      produce(50, 60),
    ],
    ['[PLAY10] nor one who has gone back a little', { waits: [8], viewers: [9], host: at(10, 20, 0) }, produce(8, 18)],
    ['[PLAY11] a lead too short', { viewers: [10], there: run(10, 13), host: at(14) }, produce(14, 20)],
    ['[PLAY11] a lead long enough', { viewers: [10], there: run(10, 14), host: at(15) }, keep],
    ['[PLAY11] a lead too short, and no host', { viewers: [10] }, produce(10, 20)],
    [
      '[PLAY11] of several viewers the one with the shortest lead',
      { viewers: [10, 50], there: [...run(10, 12), 50], host: at(13) },
      produce(51, 60),
    ],
    ['[PLAY11] at work for somebody', { viewers: [10], there: run(10, 16), host: at(17, 20) }, keep],
    ['[PLAY11] at work for nobody', { viewers: [50], there: run(50, 60), host: at(17, 20) }, pause],
    ['[PLAY11] at work for nobody, while somebody needs it', { viewers: [50], host: at(17, 20) }, produce(50, 60)],
    ['[PLAY11] a viewer at the end', { viewers: [100], host: at(100) }, keep],
    ['[PLAY11] everything there', { viewers: [90], there: run(90, 99), host: at(100) }, keep],
    ['[PLAY12] no room: only what somebody waits for', { waits: [5], viewers: [6], mayLead: false }, produce(5, 5)],
    ['[PLAY12] no room, nobody waits', { viewers: [5], mayLead: false, host: at(5) }, keep],
    ['[PLAY12] no room, and a host at work ahead', { viewers: [5], mayLead: false, host: at(5, 20) }, pause],
    ['[PLAY15] not into a segment that can’t be made', { waits: [5], viewers: [6], broken: [8] }, produce(5, 7)],
    ['[PLAY15] no lead beyond one', { viewers: [5], there: [5], broken: [6], host: at(6) }, keep],
  ])('%s', (_what, part, expected) => {
    expect(steer(state(part))).toEqual(expected);
  });

  const anyState = fc
    .record({
      there: fc.uniqueArray(fc.nat({ max: 99 }), { maxLength: 60 }),
      broken: fc.uniqueArray(fc.nat({ max: 99 }), { maxLength: 3 }),
      waits: fc.uniqueArray(fc.nat({ max: 99 }), { maxLength: 5 }),
      viewers: fc.array(fc.nat({ max: 100 }), { maxLength: 4 }),
      host: fc.option(
        fc.record({ next: fc.nat({ max: 100 }), length: fc.option(fc.nat({ max: 20 })), madeHere: fc.nat({ max: 5 }) }),
      ),
      mayLead: fc.boolean(),
    })
    .map(({ host, waits, there, broken, ...rest }) => ({
      ...rest,
      there,
      broken,
      waits: waits.filter((index) => !there.includes(index) && !broken.includes(index)),
      host:
        host &&
        at(
          host.next,
          host.length === null || host.next > 99 ? null : Math.min(99, host.next + host.length),
          host.madeHere,
        ),
    }));

  it('only ever asks for segments of the plan, and stays inside one run of missing ones beyond what is waited for', () => {
    fc.assert(
      fc.property(anyState, (part) => {
        const decision = steer(state(part));
        if (decision.kind !== 'produce') return;
        const { from, until } = decision.range;
        expect(from).toBeGreaterThanOrEqual(0);
        expect(until).toBeGreaterThanOrEqual(from);
        expect(until).toBeLessThan(100);
        for (const index of run(Math.max(from, ...part.waits.filter((each) => each <= until)) + 1, until)) {
          expect(part.there).not.toContain(index);
          expect(part.broken).not.toContain(index);
        }
      }),
    );
  });

  it('[PLAY8] serves everyone who waits, and then comes to rest', () => {
    fc.assert(
      fc.property(anyState, (part) => {
        const there = new Set(part.there);
        let waits = part.waits;
        let host: HostPlace | null = part.host;
        for (let round = 0; round < 2_000; round++) {
          const decision = steer({ ...state(part), waits, host, has: (index) => there.has(index) });
          if (decision.kind === 'produce') {
            const { from, until } = decision.range;
            host = { next: from, until, madeHere: host?.next === from ? host.madeHere : 0 };
          } else if (decision.kind === 'pause') {
            host = { ...host!, until: null };
          }
          if (host === null || host.until === null) {
            if (decision.kind === 'keep') break;
            continue;
          }
          there.add(host.next);
          waits = waits.filter((index) => !there.has(index));
          const next: number = host.next + 1;
          const until: number = host.until;
          host = { next, until, madeHere: host.madeHere + 1 };
          if (next <= until) continue;
          expect(steer({ ...state(part), waits, host, has: (index) => there.has(index) })).toEqual(keep);
          host = { ...host, until: null };
        }
        expect(waits).toEqual([]);
        expect(host?.until ?? null).toBeNull();
      }),
    );
  });
});
