/** What of the machine's hardware is used for one picture: a pure function of what was proven and what is needed. */
import type {
  HardwareCodec,
  HardwareEncodeCodec,
  HardwareKind,
  HardwareRow,
  HardwareTest,
} from '#protocol/schema/hardware.ts';
import { HARDWARE_KINDS } from '#protocol/schema/hardware.ts';

/** A kind of hardware with everything of it that was proven: what a rendition host is given. */
export interface ProvenHardware {
  readonly kind: HardwareKind;
  readonly device: string | null;
  /** What works, each with the way that does (`''` where there is but one). What is not in here is not used. */
  readonly ways: Partial<Readonly<Record<HardwareTest, string>>>;
}

/** Slower than this, and than the processor by this factor, it helps nobody. */
const SLOW_MS = 40;
const SLOW_FACTOR = 2;

/** Too slow to be used. Times are for one picture; `softwareMs` is the processor's, `null` where that is what was tried. */
export function helpsNobody(msPerFrame: number, softwareMs: number | null): boolean {
  return softwareMs !== null && msPerFrame > Math.max(SLOW_MS, softwareMs * SLOW_FACTOR);
}

/** What one track needs on its way to one output. */
export interface PictureNeed {
  /** `null`: something that no chip is asked for, like 4:4:4 or 12 bit. */
  readonly source: HardwareCodec | null;
  readonly output: HardwareEncodeCodec;
  /** How bright the source's numbers are meant, where it is to become SDR; `null` where it stays as it is. */
  readonly toneMap: 'pq' | 'hlg' | null;
  readonly deinterlace: boolean;
  /** Turned pictures are turned by the processor. */
  readonly isTurned: boolean;
  /** Whether the output is to come from this hardware's encoder; else it only helps. */
  readonly mayEncode: boolean;
}

export interface HardwarePlan {
  readonly kind: HardwareKind;
  readonly device: string | null;
  readonly decode: boolean;
  /** Scaling, deinterlacing and tone mapping on the chip: all of what is needed, or nothing. */
  readonly filter: boolean;
  readonly encode: boolean;
  /** The way to encode, to tone-map and to deinterlace that was proven. */
  readonly encodeWay: string;
  readonly toneMapWay: string;
  readonly deinterlaceWay: string;
}

/** The fixed function of Intel's chips maps PQ and refuses HLG. */
export const PQ_ONLY_WAY = 'vpp';

/**
 * Full path, a part of it, or `null` for the processor alone. Nothing is in the plan that was not proven for exactly this codec
 * and bit depth. Pictures stay on the chip from where they first get there: filters work there only when the encoder, or at least
 * the decoder, has its pictures there anyway.
 */
export function planHardware(proven: ProvenHardware | null, need: PictureNeed): HardwarePlan | null {
  if (proven === null) return null;
  const { ways, kind, device } = proven;
  const isProven = (test: HardwareTest): boolean => ways[test] !== undefined;
  const encode = need.mayEncode && isProven(`encode-${need.output}`);
  const decode = need.source !== null && isProven(`decode-${need.source}`);
  const canFilter =
    isProven('scale') &&
    !need.isTurned &&
    (need.toneMap === null || (isProven('toneMap') && !(need.toneMap === 'hlg' && ways.toneMap === PQ_ONLY_WAY))) &&
    (!need.deinterlace || isProven('deinterlace'));
  // Without `whole`, each end works alone and nobody has seen them work together: pictures go through memory in between.
  const filter = canFilter && (decode && encode ? isProven('whole') : decode || (encode && need.toneMap !== null));
  if (!encode && !decode) return null;
  return {
    kind,
    device,
    decode,
    filter,
    encode,
    encodeWay: ways[`encode-${need.output}`] ?? '',
    toneMapWay: ways.toneMap ?? '',
    deinterlaceWay: ways.deinterlace ?? '',
  };
}

/** What a person set: leave it to us, nothing, or one kind, perhaps with its device. */
export interface HardwareWish {
  readonly kind: HardwareKind | 'auto' | 'off';
  readonly device: string | null;
}

/** A kind as it was tested last. */
export interface TestedHardware {
  readonly kind: HardwareKind;
  readonly device: string | null;
  readonly rows: readonly HardwareRow[];
  /** Since the test. */
  readonly failures: number;
}

/** This many playbacks that a kind failed take it out of the choice until the next test. */
export const MAX_FAILURES = 3;

/**
 * The kind to use: the first in the order of `HARDWARE_KINDS` that encodes H.264, which every device plays; with none, the first
 * that decodes it. A kind that a person named is used for whatever it was proven to decode or encode.
 */
export function chooseHardware(wish: HardwareWish, tested: readonly TestedHardware[]): ProvenHardware | null {
  if (wish.kind === 'off') return null;
  const candidates = HARDWARE_KINDS.flatMap((kind) => {
    const found = tested.find((one) => one.kind === kind);
    return found && found.failures < MAX_FAILURES ? [provenOf(found)] : [];
  }).filter(({ ways }) => Object.keys(ways).some((test) => /^(?:encode|decode)-/.test(test))); // filters alone help nobody
  if (wish.kind !== 'auto') return candidates.find(({ kind }) => kind === wish.kind) ?? null;
  return (
    candidates.find(({ ways }) => ways['encode-h264'] !== undefined) ??
    candidates.find(({ ways }) => ways['decode-h264'] !== undefined) ??
    null
  );
}

function provenOf({ kind, device, rows }: TestedHardware): ProvenHardware {
  const working = rows.filter(({ verdict }) => verdict === 'works');
  return { kind, device, ways: Object.fromEntries(working.map(({ test, variant }) => [test, variant ?? ''])) };
}

/** What encodes a picture of this codec best here: the hardware where it was proven to, else the processor. */
export function encoderFor(proven: ProvenHardware | null, codec: HardwareEncodeCodec): HardwareKind | 'software' {
  return proven?.ways[`encode-${codec}`] === undefined ? 'software' : proven.kind;
}

/** The codecs besides H.264 that this machine encodes faster than its processor could. */
export function encodedCodecs(proven: ProvenHardware | null): ('hevc' | 'av1')[] {
  return (['hevc', 'av1'] as const).filter((codec) => encoderFor(proven, codec) !== 'software');
}

/** `null` for text that names nothing we know. */
export function parseHardwareWish(text: string): HardwareWish | null {
  const [, name = '', device = null] = /^([a-z]+)(?::(.{1,200}))?$/s.exec(text) ?? [];
  const kind = (['auto', 'off', ...HARDWARE_KINDS] as const).find((each) => each === name);
  if (kind === undefined || (device !== null && (kind === 'auto' || kind === 'off'))) return null;
  return { kind, device };
}
