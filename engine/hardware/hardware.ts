/**
 * The machine's hardware. Owns: what of it was proven, the choice that follows, how many encoders are open on it, and its failures. Rules: SPEC.md.
 *
 * States: not looked yet → resting ⇄ testing. What was proven in an earlier life is used from the first moment on.
 */
import * as v from 'valibot';
import type { Clock } from '#engine/base/clock.ts';
import type { Log } from '#engine/base/log.ts';
import type { HardwareCandidate, HardwareLook } from '#engine/hosts/hardware.port.ts';
import type { RenditionEvent, RenditionSpec } from '#engine/hosts/rendition.port.ts';
import {
  MAX_FAILURES,
  chooseHardware,
  encodedCodecs,
  encoderFor,
  parseHardwareWish,
} from '#engine/media/hardware-plan.ts';
import type { HardwareWish, ProvenHardware } from '#engine/media/hardware-plan.ts';
import { isEncodedPicture } from '#engine/media/rendition-spec.ts';
import type { VideoCodec, VideoEncoderKind } from '#engine/media/rendition-spec.ts';
import type { Handlers } from '#protocol/handler.ts';
import type { hardware } from '#protocol/index.ts';
import { HARDWARE_TESTS, HardwareCard, HardwareRow } from '#protocol/schema/hardware.ts';
import type { HardwareKind, HardwareState, HardwareTest } from '#protocol/schema/hardware.ts';
import { deviceFinding, failureFinding, settingFinding } from './findings.ts';
import type { FactPort, HardwareTrialPort, HealthPort, JobPort, RenditionPort, RunningJob } from './ports.ts';

const FACT = 'hardware';
/** A driver that ends its process this often is not asked on. */
const MAX_CRASHES = 3;
/** What fails for the same movie within this time is one failure. */
const SAME_FAILURE_MS = 60_000;
/** More renditions than ever live at once. */
const MAX_SUBSTITUTED = 1_000;

/** What is kept from one life to the next. */
const Kept = v.object({
  fingerprint: v.string(),
  testedAtMs: v.number(),
  cards: v.array(HardwareCard),
  software: v.array(HardwareRow),
});
type Kept = v.InferOutput<typeof Kept>;

export interface HardwareOptions {
  /** As it is set: `auto`, `off`, `vaapi`, `vaapi:/dev/dri/renderD129`. */
  readonly setting: string;
  readonly hosts: HardwareTrialPort;
  readonly facts: FactPort;
  readonly health: HealthPort;
  readonly jobs: JobPort;
  readonly clock: Clock;
  readonly log: Log;
}

export class Hardware implements AsyncDisposable {
  readonly #options: HardwareOptions;
  readonly #wish: HardwareWish;
  #kept: Kept | null;
  #chosen: ProvenHardware | null = null;
  #testing: { readonly jobId: string; readonly ended: Promise<unknown> } | null = null;
  #beginning: Promise<string> | null = null;
  #looking: Promise<void> | null = null;
  /** Encoders that are open on hardware. */
  #sessions = 0;
  /** Folders of renditions that the processor has taken over: a player has their header, and gets no other. */
  readonly #substituted = new Set<string>();
  #lastFailure: { readonly path: string; readonly atMs: number } | null = null;
  #isClosed = false;

  static async open(options: HardwareOptions): Promise<Hardware> {
    const kept = v.safeParse(Kept, await options.facts.read(FACT));
    return new Hardware(options, kept.success ? kept.output : null);
  }

  private constructor(options: HardwareOptions, kept: Kept | null) {
    this.#options = options;
    this.#wish = parseHardwareWish(options.setting) ?? { kind: 'off', device: null };
    this.#kept = kept;
    this.#choose();
  }

  /** Looks whether everything is as it was when it was proven, and tries it anew where it is not. Resolves when that is known. */
  start(): Promise<void> {
    this.#looking ??= this.#lookAgain().catch((error: unknown) => {
      this.#options.log.warn('the hardware could not be looked at; the processor does everything', { error });
    });
    return this.#looking;
  }

  /** What this machine encodes each codec with; `null` for one that it can't make in time. */
  readonly encoders = (): Readonly<Record<VideoCodec, VideoEncoderKind | null>> => {
    const gained = encodedCodecs(this.#chosen);
    const kindOf = (codec: 'hevc' | 'av1'): VideoEncoderKind | null =>
      gained.includes(codec) ? encoderFor(this.#chosen, codec) : null;
    return { h264: encoderFor(this.#chosen, 'h264'), hevc: kindOf('hevc'), av1: kindOf('av1') };
  };

  /** What decodes and encodes a track: `null` for the processor. */
  get used(): HardwareKind | null {
    return this.#chosen?.kind ?? null;
  }

  /** Everything of it that was proven, for work that nobody watches; `null`: the processor alone. */
  get proven(): ProvenHardware | null {
    return this.#chosen;
  }

  /** The same hosts, whose renditions get what of the hardware is proven and has room [PLAY77]. */
  equip<Hosts extends RenditionPort>(hosts: Hosts): Hosts {
    const openRendition: RenditionPort['openRendition'] = (spec, onEvent) => this.#open(hosts, spec, onEvent);
    return new Proxy(hosts, {
      get(target, name) {
        if (name === 'openRendition') return openRendition;
        const value: unknown = Reflect.get(target, name);
        // Called on the hosts themselves, whose private parts a proxy has not.
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  readonly handlers: Handlers<typeof hardware> = {
    state: () => this.#state(),
    test: async (_, { fail }) => {
      if (this.#wish.kind === 'off') return fail('switchedOff', {}, 'Hardware is switched off by the setting.');
      return { jobId: await this.#test(await this.#look(), true) };
    },
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#looking;
    await this.#testing?.ended;
  }

  #state(): HardwareState {
    return {
      setting: this.#options.setting,
      used: this.used,
      sessions: this.#sessions,
      testedAt: this.#kept?.testedAtMs ?? null,
      jobId: this.#testing?.jobId ?? null,
      cards: this.#kept?.cards ?? [],
      software: this.#kept?.software ?? [],
    };
  }

  async #open(
    hosts: RenditionPort,
    spec: RenditionSpec,
    onEvent: (event: RenditionEvent) => void,
  ): ReturnType<RenditionPort['openRendition']> {
    const chosen = this.#chosen;
    const { output, outputDir } = spec;
    // `null`: its pictures have to stay with the processor, for what is drawn into them.
    const isForbidden = spec.hardware === null || this.#substituted.has(outputDir);
    if (chosen === null || !isEncodedPicture(output) || isForbidden) {
      return await hosts.openRendition(spec, (event) => event.kind !== 'hardwareFailed' && onEvent(event));
    }
    const most = this.#card(chosen.kind)?.maxSessions ?? null;
    const wantsEncoder = output.encoder === chosen.kind && chosen.ways[`encode-${output.method}`] !== undefined;
    const encodes = wantsEncoder && (most === null || this.#sessions < most);
    // Whose header says software says so to its end.
    if (wantsEncoder && !encodes) this.#substitute(outputDir);
    let isOpen = encodes;
    if (isOpen) this.#sessions++;
    const release = (): void => {
      if (isOpen) this.#sessions--;
      isOpen = false;
    };
    try {
      const handle = await hosts.openRendition(
        { ...spec, hardware: encodes ? chosen : withoutEncoders(chosen) },
        (event) => {
          if (event.kind !== 'hardwareFailed') return onEvent(event);
          release();
          this.#substitute(outputDir);
          this.#failed(event, spec.path);
        },
      );
      const close = (): Promise<void> => {
        release();
        return handle.close();
      };
      return {
        produce: (range) => handle.produce(range),
        pause: () => handle.pause(),
        close,
        [Symbol.asyncDispose]: close,
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  #substitute(outputDir: string): void {
    const [oldest] = this.#substituted;
    if (this.#substituted.size >= MAX_SUBSTITUTED && oldest !== undefined) this.#substituted.delete(oldest);
    this.#substituted.add(outputDir);
  }

  #failed({ hardware: kind, verdict, detail, index }: RenditionEvent & { kind: 'hardwareFailed' }, path: string): void {
    this.#options.log.warn('hardware failed in a playback, which goes on with the processor', {
      ...{ kind, verdict, detail, index },
    });
    const kept = this.#kept;
    // The rungs of one movie share a process, and fail together.
    const nowMs = this.#options.clock.monotonicMs();
    const isSame = path === this.#lastFailure?.path && nowMs - this.#lastFailure.atMs < SAME_FAILURE_MS;
    if (verdict === 'busy' || !kept || isSame) return;
    this.#lastFailure = { path, atMs: nowMs };
    const cards = kept.cards.map((card) => (card.kind === kind ? { ...card, failures: card.failures + 1 } : card));
    this.#keep({ ...kept, cards });
  }

  #card(kind: HardwareKind): HardwareCard | undefined {
    return this.#kept?.cards.find((card) => card.kind === kind);
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    this.#choose();
    this.#options.facts.write(FACT, kept).catch((error: unknown) => {
      this.#options.log.warn('what the hardware can do could not be kept', { error });
    });
  }

  #choose(): void {
    const before = this.#chosen;
    this.#chosen = chooseHardware(this.#wish, this.#kept?.cards ?? []);
    if (before?.kind !== this.#chosen?.kind) {
      this.#options.log.info('pictures are decoded and encoded with', { by: this.#chosen?.kind ?? 'the processor' });
    }
    this.#tellHealth();
  }

  #tellHealth(): void {
    const { health, setting } = this.#options;
    const cards = this.#kept?.cards ?? [];
    const findings = [
      ...cards.flatMap((card) => deviceFinding(card) ?? []),
      ...cards.flatMap((card) => (card.failures >= MAX_FAILURES ? [failureFinding(card)] : [])),
      ...(this.#kept ? (settingFinding(this.#wish, setting, this.#chosen) ?? []) : []),
    ];
    const held = new Set(findings.map(({ id }) => id));
    for (const id of this.#told) if (!held.has(id)) health.clear(id);
    for (const finding of findings) health.set(finding);
    this.#told = held;
  }

  #told: ReadonlySet<string> = new Set();

  async #look(): Promise<HardwareLook> {
    const look = await this.#options.hosts.lookForHardware(this.#wish);
    if (!look) throw new Error('the host that looks for hardware does not start');
    return look;
  }

  async #lookAgain(): Promise<void> {
    const look = await this.#look();
    if (this.#isClosed || look.fingerprint === this.#kept?.fingerprint) {
      // The process that looked would stay for as long as the server does.
      if (!this.#testing) await this.#options.hosts.endHardwareHosts();
      return;
    }
    if (look.candidates.some(({ verdict }) => verdict === 'works')) {
      await this.#test(look, false);
      return;
    }
    // Nothing to try: no reason to keep the processor busy with itself.
    await this.#options.hosts.endHardwareHosts();
    const cards = look.candidates.map((candidate) => untried(candidate));
    this.#keep({ fingerprint: look.fingerprint, testedAtMs: this.#options.clock.nowMs(), cards, software: [] });
  }

  /** Starts a test, or joins the one that runs, or is about to. The processor is tried with it, to compare. */
  async #test(look: HardwareLook, isAsked: boolean): Promise<string> {
    if (this.#testing) return this.#testing.jobId;
    this.#beginning ??= this.#beginTest(look, isAsked).finally(() => (this.#beginning = null));
    return await this.#beginning;
  }

  async #beginTest(look: HardwareLook, isAsked: boolean): Promise<string> {
    const subject = isAsked ? 'Testing the hardware, as you asked' : 'Testing the hardware';
    const { job, ended } = await this.#options.jobs.run(
      { kind: 'hardware', subject, libraryId: null },
      async (running) => {
        try {
          await this.#work(look, running);
        } finally {
          this.#testing = null;
          await this.#options.hosts.endHardwareHosts();
        }
      },
    );
    this.#testing = { jobId: job.id, ended };
    return job.id;
  }

  async #work({ candidates, fingerprint }: HardwareLook, job: RunningJob): Promise<void> {
    const { hosts, clock } = this.#options;
    const worthTrying = candidates.filter(({ verdict }) => verdict === 'works');
    const total = (worthTrying.length + 1) * HARDWARE_TESTS.length;
    let done = 0;
    const step = (note: string): void => job.progress({ done: done++, total, note });

    const software: HardwareRow[] = [];
    for (const test of HARDWARE_TESTS) {
      if (job.signal.aborted || this.#isClosed) return;
      step('Processor');
      software.push(await hosts.tryHardware({ kind: null, device: null, test, softwareMs: null }));
    }
    const cards: HardwareCard[] = [];
    for (const candidate of candidates) {
      if (candidate.verdict !== 'works') {
        cards.push(untried(candidate));
        continue;
      }
      const rows: HardwareRow[] = [];
      for (const test of HARDWARE_TESTS) {
        if (job.signal.aborted || this.#isClosed) return;
        step(candidate.kind);
        rows.push(await this.#tryOut(candidate, test, rows, software));
      }
      cards.push(await this.#judge(candidate, rows));
    }
    job.progress({ done: total, total, note: null });
    this.#keep({ fingerprint, testedAtMs: clock.nowMs(), cards, software });
  }

  async #tryOut(
    { kind, device }: HardwareCandidate,
    test: HardwareTest,
    rows: readonly HardwareRow[],
    software: readonly HardwareRow[],
  ): Promise<HardwareRow> {
    const crashes = rows.filter(({ verdict }) => verdict === 'crashed' || verdict === 'timedOut').length;
    if (crashes >= MAX_CRASHES) return { test, verdict: 'notTried', msPerFrame: null, variant: null, detail: null };
    const softwareMs = software.find((row) => row.test === test)?.msPerFrame ?? null;
    return await this.#options.hosts.tryHardware({ kind, device, test, softwareMs });
  }

  async #judge({ kind, device, deviceName }: HardwareCandidate, rows: HardwareRow[]): Promise<HardwareCard> {
    const works = rows.some(({ verdict }) => verdict === 'works');
    // What stops all of it is the same in each row: the first says it.
    const { verdict, detail } = works ? { verdict: 'works' as const, detail: null } : rows[0]!;
    const encode = rows.find(({ test }) => test === 'encode-h264');
    const counts = kind === 'nvenc' && encode?.verdict === 'works';
    const maxSessions = counts
      ? await this.#options.hosts.countHardwareSessions({ kind, device, way: encode.variant ?? '' })
      : null;
    return { kind, device, deviceName, verdict, detail, maxSessions, rows, failures: 0 };
  }
}

function untried({ kind, device, deviceName, verdict, detail }: HardwareCandidate): HardwareCard {
  return { kind, device, deviceName, verdict, detail, maxSessions: null, rows: [], failures: 0 };
}

function withoutEncoders({ ways, ...hardware }: ProvenHardware): ProvenHardware {
  return {
    ...hardware,
    ways: Object.fromEntries(Object.entries(ways).filter(([test]) => !test.startsWith('encode-'))),
  };
}
