import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AVERROR_ENOSPC } from 'node-av/constants';
import { Dictionary, FormatContext, Rational } from 'node-av/lib';
import type { CodecParameters, Packet, Stream } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { withEditList } from './fmp4-init.ts';

export interface TrackForm {
  readonly codecpar: CodecParameters;
  /** Of the packets that `write` gets. */
  readonly timeBase: TickRatio;
  /** Four characters of the sample entry, `null` for what FFmpeg's muxer takes by itself. */
  readonly tag: string | null;
  readonly pixelAspect: TickRatio | null;
  /** How far presentation lies behind decoding, in ticks of `timeBase`; the init segment takes it off again. */
  readonly delayTicks: number;
  /** The sample entry is made from the first packet (AC-3, E-AC-3), not from what the source's header says. */
  readonly describedByPacket: boolean;
  /** An `init.mp4` that is there already, and was made by another encoder, describes these packets as well, and stays. */
  readonly keepsInit?: boolean;
}

export interface TickRatio {
  readonly num: number;
  readonly den: number;
}

/** What a `MediaError` says where the disk is full. */
export const NO_SPACE = 'no space left for segments';

export interface WrittenSegment {
  readonly sizeBytes: number;
  /** Set for the first segment of a writer: `init.mp4` was written just before it. */
  readonly initSizeBytes: number | null;
}

/**
 * Writes the segments of one track as files, each with a muxer of its own: what a segment holds then depends on its packets
 * and its number alone. A muxer that lived on would carry its sequence numbers and rounding from where its session began.
 * A new one costs half a millisecond.
 */
export class SegmentWriter {
  readonly #folder: string;
  readonly #form: TrackForm;
  #hasInit = false;

  constructor(folder: string, form: TrackForm) {
    this.#folder = folder;
    this.#form = form;
  }

  /** Takes packets with times in ticks of the form's time base, decode times rising, and frees none of them. */
  write(index: number, packets: readonly Packet[]): WrittenSegment {
    const initPart = this.#partPath('init.mp4');
    const segmentPart = this.#partPath(`${index}.m4s`);
    const muxer = new FormatContext();
    try {
      check(muxer.allocOutputContext2(null, 'mp4', `file:${initPart}`), 'allocate muxer');
      check(muxer.openOutputSync(), 'create init file');
      muxer.strictStdCompliance = -2; // Dolby Vision records, TrueHD, FLAC: long standardised, still "experimental" here
      const stream = this.#addStream(muxer);
      check(muxer.writeHeaderSync(this.#options(index)), 'write header');
      if (this.#form.describedByPacket) {
        this.#writePackets(muxer, packets);
        check(muxer.writeFrameSync(null), 'flush header');
      }
      muxer.flushSync();
      muxer.closeOutputSync();
      // Once in a writer's life: sessions agree on the bytes, so it does no harm that each writes them again.
      const initSizeBytes = this.#hasInit ? null : this.#keepInit(initPart, stream.timeBase);
      muxer.url = `file:${segmentPart}`;
      check(muxer.openOutputSync(), 'create segment file');
      if (!this.#form.describedByPacket) this.#writePackets(muxer, packets);
      check(muxer.writeFrameSync(null), 'flush segment');
      muxer.flushSync();
      muxer.closeOutputSync();
      const { size } = statSync(segmentPart);
      renameSync(segmentPart, join(this.#folder, `${index}.m4s`));
      return { sizeBytes: size, initSizeBytes };
    } finally {
      muxer.freeContext();
      rmSync(initPart, { force: true });
      rmSync(segmentPart, { force: true });
    }
  }

  #addStream(muxer: FormatContext): Stream {
    const { codecpar, tag, timeBase, pixelAspect } = this.#form;
    const stream = muxer.newStream(null);
    check(codecpar.copy(stream.codecpar), 'copy codec parameters');
    stream.codecpar.codecTag = tag ?? 0;
    stream.timeBase = rational(timeBase);
    if (pixelAspect) stream.sampleAspectRatio = rational(pixelAspect);
    return stream;
  }

  #options(index: number): Dictionary {
    const flags = ['empty_moov', 'default_base_moof', 'frag_custom', 'frag_discont', 'skip_trailer'];
    if (this.#form.describedByPacket) flags.push('delay_moov');
    return Dictionary.fromObject({
      movflags: flags.join('+'),
      fragment_index: index + 1,
      use_editlist: 0, // we write our own, see withEditList
      avoid_negative_ts: 'disabled',
      write_tmcd: 0,
      brand: 'iso6',
      fflags: '+bitexact',
    });
  }

  #writePackets(muxer: FormatContext, packets: readonly Packet[]): void {
    const { timeBase } = muxer.streams[0]!;
    for (const packet of packets) {
      packet.streamIndex = 0;
      packet.rescaleTs(this.#form.timeBase, timeBase);
      check(muxer.writeFrameSync(packet), 'write packet');
    }
  }

  #keepInit(part: string, timeBase: TickRatio): number {
    const { delayTicks, timeBase: own, keepsInit } = this.#form;
    const kept = keepsInit === true ? statSync(join(this.#folder, 'init.mp4'), { throwIfNoEntry: false }) : undefined;
    if (kept) {
      this.#hasInit = true;
      return kept.size;
    }
    const written = readFileSync(part);
    const init =
      delayTicks === 0
        ? written
        : withEditList(written, Math.round((delayTicks * own.num * timeBase.den) / (own.den * timeBase.num)));
    writeFileSync(part, init);
    renameSync(part, join(this.#folder, 'init.mp4'));
    this.#hasInit = true;
    return init.length;
  }

  /** Hidden, and told apart by process: a host that was killed leaves its part behind, and the next one must not meet it. */
  #partPath(name: string): string {
    return join(this.#folder, `.${name}.${process.pid}.part`);
  }
}

/** The source can be at fault only in what its codec is; everything else is ours or the disk's. */
function check(code: number, step: string): void {
  if (code >= 0) return;
  if (code === AVERROR_ENOSPC) throw new MediaError('internal', NO_SPACE);
  const failure =
    step === 'write header' || step === 'write packet' || step === 'flush header' ? 'unsupported' : 'internal';
  throw new MediaError(failure, `${step} failed with ${code}`);
}

function rational({ num, den }: TickRatio): Rational {
  return new Rational(num, den);
}
