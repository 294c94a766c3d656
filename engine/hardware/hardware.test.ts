import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createLog } from '#engine/base/log.ts';
import type { HardwareCandidate, HardwareTrial } from '#engine/hosts/hardware.port.ts';
import type { RenditionHandle } from '#engine/hosts/media-supervisor.port.ts';
import type { RenditionEvent, RenditionSpec } from '#engine/hosts/rendition.port.ts';
import { HARDWARE_TESTS } from '#protocol/schema/hardware.ts';
import type { HardwareKind, HardwareRow, HardwareState, HardwareVerdict } from '#protocol/schema/hardware.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import { testContext } from '../../test/support/call-context.ts';
import { Hardware } from './hardware.ts';
import type { HardwareOptions } from './hardware.ts';

const log = createLog({ level: 'error', format: 'text', write: () => undefined });

/** A machine whose hardware answers as it is told. */
class Machine {
  fingerprint = 'one';
  present: readonly Pick<HardwareCandidate, 'kind' | 'verdict' | 'detail'>[] = [];
  answer: (trial: HardwareTrial) => HardwareVerdict = () => 'works';
  maxSessions: number | null = null;
  readonly tried: string[] = [];
  readonly facts = new Map<string, unknown>();
  readonly health = new Map<string, Omit<HealthItem, 'since'>>();
  readonly progress: (number | undefined)[] = [];
  readonly jobs: string[] = [];
  ends = 0;

  readonly hosts = {
    lookForHardware: async () => ({
      fingerprint: this.fingerprint,
      candidates: this.present.map((one) => ({ device: null, deviceName: null, ...one })),
    }),
    tryHardware: async (trial: HardwareTrial): Promise<HardwareRow> => {
      this.tried.push(`${trial.kind ?? 'software'} ${trial.test}`);
      return { test: trial.test, verdict: this.answer(trial), msPerFrame: 1, variant: null, detail: null };
    },
    countHardwareSessions: async () => this.maxSessions,
    endHardwareHosts: async () => void this.ends++,
  };

  async start(setting = 'auto'): Promise<Hardware> {
    const options: HardwareOptions = {
      setting,
      hosts: this.hosts,
      facts: {
        read: async (name) => structuredClone(this.facts.get(name) ?? null),
        write: async (name, value) => void this.facts.set(name, structuredClone(value)),
      },
      health: {
        set: (finding) => void this.health.set(finding.id, finding),
        clear: (id) => void this.health.delete(id),
      },
      jobs: {
        run: async ({ subject }, work) => {
          this.jobs.push(subject);
          const start = async (): Promise<void> => {
            await Promise.resolve(); // whoever starts it is told its id before it begins
            await work({
              id: 'job',
              signal: new AbortController().signal,
              progress: ({ done }) => {
                this.progress.push(done);
              },
            });
          };
          return { job: { id: '018f0000-0000-7000-8000-000000000000' }, ended: start() };
        },
      },
      clock: systemClock,
      log,
    };
    const hardware = stack.use(await Hardware.open(options));
    await hardware.start();
    await expect.poll(() => stateOf(hardware).then(({ jobId }) => jobId)).toBeNull();
    return hardware;
  }
}

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

const stateOf = async (hardware: Hardware): Promise<HardwareState> => await hardware.handlers.state({}, testContext());
const works = (kind: HardwareKind) => ({ kind, verdict: 'works', detail: null }) as const;

const encoded = (outputDir: string, encoder: HardwareKind | 'software' = 'vaapi'): RenditionSpec => ({
  ...{ path: `/${outputDir}.mkv`, trackIndex: 0, kind: 'video', outputDir, boundariesUs: [0, 1], startUs: 0 },
  output: {
    ...{ method: 'h264', encoder, heightPx: 720, level: 31, crf: 23, maxBitrateBps: 3e6 },
    ...{ preset: 'veryfast', toneMap: false, deinterlace: false },
  },
});

/** Hosts that remember what they were asked for. */
class Hosts {
  readonly #opened: { spec: RenditionSpec; onEvent: (event: RenditionEvent) => void }[] = [];
  get opened() {
    return this.#opened;
  }
  async openRendition(spec: RenditionSpec, onEvent: (event: RenditionEvent) => void): Promise<RenditionHandle> {
    this.#opened.push({ spec, onEvent });
    const close = async (): Promise<void> => undefined;
    return { produce: () => undefined, pause: () => undefined, close, [Symbol.asyncDispose]: close };
  }
}

const failed = (kind: HardwareKind, verdict: HardwareVerdict = 'crashed'): RenditionEvent => ({
  ...{ kind: 'hardwareFailed', hardware: kind, verdict, detail: null, index: 3 },
});

describe('Hardware', () => {
  it('[PLAY71] tries everything once, and again when the fingerprint has changed', async () => {
    const machine = new Machine();
    machine.present = [works('vaapi'), { kind: 'nvenc', verdict: 'noDevice', detail: '/dev/nvidia0' }];
    const first = await machine.start();
    expect(first.encoders()).toMatchObject({ h264: 'vaapi' });
    expect(machine.tried).toEqual(['software', 'vaapi'].flatMap((by) => HARDWARE_TESTS.map((test) => `${by} ${test}`)));
    const again = await machine.start();
    expect(again.used).toBe('vaapi');
    expect(machine.tried).toHaveLength(2 * HARDWARE_TESTS.length);
    // Also the process that only looked.
    expect(machine.ends).toBe(2);
    machine.fingerprint = 'two';
    machine.answer = ({ kind }) => (kind === null ? 'works' : 'notSupported');
    const changed = await machine.start();
    expect(machine.tried).toHaveLength(4 * HARDWARE_TESTS.length);
    expect(changed.encoders()).toEqual({ h264: 'software', hevc: null, av1: null });
  });

  it('[PLAY71] keeps a machine without hardware quiet, and says why there is none', async () => {
    const machine = new Machine();
    machine.present = [{ kind: 'vaapi', verdict: 'noDevice', detail: '/dev/dri/renderD128' }];
    const hardware = await machine.start();
    expect(machine.tried).toEqual([]);
    expect(machine.jobs).toEqual([]);
    expect(await stateOf(hardware)).toMatchObject({
      used: null,
      cards: [{ kind: 'vaapi', verdict: 'noDevice', detail: '/dev/dri/renderD128', rows: [] }],
    });
    expect([...machine.health]).toEqual([]);
  });

  it('[PLAY78] tests as a job with progress when asked, the processor too', async () => {
    const machine = new Machine();
    const hardware = await machine.start();
    const { jobId } = await hardware.handlers.test({}, testContext());
    expect((await stateOf(hardware)).jobId).toBe(jobId);
    await expect.poll(() => stateOf(hardware)).toMatchObject({ jobId: null });
    expect((await stateOf(hardware)).software).toHaveLength(HARDWARE_TESTS.length);
    expect(machine.progress.at(-1)).toBe(HARDWARE_TESTS.length);
    expect(machine.progress).toEqual(machine.progress.toSorted((a, b) => a! - b!));
  });

  it('[PLAY78] is one test, however many ask at once', async () => {
    const machine = new Machine();
    const hardware = await machine.start();
    const ask = async () => await hardware.handlers.test({}, testContext());
    expect(new Set((await Promise.all([ask(), ask()])).map(({ jobId }) => jobId)).size).toBe(1);
    expect(machine.jobs).toHaveLength(1);
  });

  it('[PLAY72] asks a driver no further that ended its process three times', async () => {
    const machine = new Machine();
    machine.present = [works('vaapi')];
    machine.answer = ({ kind, test }) => (kind !== null && test.startsWith('encode') ? 'crashed' : 'works');
    const hardware = await machine.start();
    const { cards } = await stateOf(hardware);
    expect(cards[0]?.rows.map(({ verdict }) => verdict)).toEqual([
      ...Array.from({ length: 3 }, () => 'crashed'),
      ...Array.from({ length: HARDWARE_TESTS.length - 3 }, () => 'notTried'),
    ]);
    expect(hardware.used).toBeNull();
  });

  it('[PLAY70] tells what can be mended', async () => {
    const machine = new Machine();
    machine.present = [
      { kind: 'vaapi', verdict: 'permissionDenied', detail: '/dev/dri/renderD128: render' },
      { kind: 'nvenc', verdict: 'driverMissing', detail: 'libnvidia-encode.so.1' },
    ];
    await machine.start();
    expect(machine.health.get('hardwareDevice/vaapi')?.action).toContain('usermod -aG render');
    expect(machine.health.get('hardwareDevice/nvenc')?.title).toContain('libnvidia-encode.so.1');
    machine.present = [works('vaapi')];
    machine.fingerprint = 'mended';
    const mended = new Map(machine.health);
    await machine.start();
    expect(mended.size).toBe(2);
  });

  it('[PLAY74] tells that a kind which was named does not work, and tries nothing when it is off', async () => {
    const machine = new Machine();
    machine.present = [{ kind: 'nvenc', verdict: 'noDevice', detail: '/dev/nvidia0' }];
    await machine.start('nvenc');
    expect(machine.health.get('hardwareSetting')).toMatchObject({ severity: 'error' });
    const off = await new Machine().start('off');
    expect(off.used).toBeNull();
    await expect(off.handlers.test({}, testContext())).rejects.toMatchObject({ code: 'switchedOff' });
  });
});

describe('Hardware.equip', () => {
  async function equipped(maxSessions: number | null = null) {
    const machine = new Machine();
    machine.present = [works('nvenc')];
    machine.maxSessions = maxSessions;
    const hardware = await machine.start();
    const hosts = new Hosts();
    const ports = hardware.equip(hosts);
    const open = async (outputDir: string, encoder: HardwareKind | 'software' = 'nvenc') => {
      const events: RenditionEvent[] = [];
      const handle = await ports.openRendition(encoded(outputDir, encoder), (event) => events.push(event));
      const { spec, onEvent } = hosts.opened.at(-1)!;
      return { handle, ways: Object.keys(spec.hardware?.ways ?? {}), onEvent, events };
    };
    return { machine, hardware, open, ports, hosts };
  }

  it('[PLAY73] gives renditions what was proven, and leaves copies and all other calls alone', async () => {
    const { open, ports, hosts } = await equipped();
    expect((await open('a')).ways).toContain('encode-h264');
    await ports.openRendition({ ...encoded('b'), output: { method: 'copy' } }, () => undefined);
    expect(hosts.opened.at(-1)?.spec.hardware).toBeUndefined();
    await ports.openRendition({ ...encoded('c'), hardware: null }, () => undefined);
    expect(hosts.opened.at(-1)?.spec.hardware).toBeNull();
    expect(ports.opened).toHaveLength(3);
  });

  it('[PLAY77] opens no more encoders than fit, until one is closed', async () => {
    const { open, hardware } = await equipped(1);
    const first = await open('a');
    expect((await stateOf(hardware)).sessions).toBe(1);
    const second = await open('b');
    expect(second.ways).not.toContain('encode-h264');
    expect(second.ways).toContain('decode-h264');
    await first.handle.close();
    await first.handle.close();
    expect((await stateOf(hardware)).sessions).toBe(0);
    expect((await open('c')).ways).toContain('encode-h264');
    // Its header says software, in every player that has it.
    expect((await open('b')).ways).toEqual([]);
  });

  it('[PLAY76] keeps failures from the rendition, leaves it to the processor, and gives up at the third', async () => {
    const { open, machine, hardware } = await equipped();
    const first = await open('a');
    first.onEvent(failed('nvenc'));
    first.onEvent({ kind: 'segment', index: 3, sizeBytes: 1 });
    expect(first.events).toEqual([{ kind: 'segment', index: 3, sizeBytes: 1 }]);
    expect((await open('a')).ways).toEqual([]);
    const second = await open('b');
    for (const _ of [1, 2, 3]) second.onEvent(failed('nvenc')); // its rungs, all at once
    expect(hardware.used).toBe('nvenc');
    (await open('c')).onEvent(failed('nvenc', 'busy'));
    expect(hardware.used).toBe('nvenc');
    (await open('d')).onEvent(failed('nvenc'));
    expect(hardware.used).toBeNull();
    expect(hardware.encoders().h264).toBe('software');
    expect(machine.health.get('hardwareFailed/nvenc')?.title).toContain('3 playbacks');
    expect((await machine.start()).used).toBeNull(); // remembered by the next life
    await hardware.handlers.test({}, testContext());
    await expect.poll(() => hardware.used).toBe('nvenc');
    expect(machine.health.has('hardwareFailed/nvenc')).toBe(false);
  });
});
