import { AV_OPT_SEARCH_CHILDREN, AV_OPT_TYPE_STRING } from 'node-av/constants';
import { Codec, CodecContext, Rational } from 'node-av/lib';
import type { Frame, Packet } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import type { Chip } from './chip.ts';
import { HardwareError } from './hardware-device.ts';
import type { TrackInput } from './rendition-input.ts';

/** Pictures that the transcode holds besides those the decoder refers to: a chip has room for few, and must know of them. */
export const TRANSCODE_EXTRA_FRAMES = 32;

/** A chip that refuses this many packets in a row, and gives no picture, does not do what it was tried for. */
const MAX_REFUSED = 60;

/** Decodes one video track on all processors, or on the chip. Kept through seeks: opening one costs more than `flush`. */
export class VideoDecoder implements Disposable {
  readonly #context = new CodecContext();
  readonly #isOnChip: boolean;
  #isSkipping = false;
  #refused = 0;

  constructor(input: TrackInput, chip: Pick<Chip, 'decoder' | 'attach'> | null = null) {
    const { codecpar } = input.stream;
    const codec = chip?.decoder ?? Codec.findDecoder(codecpar.codecId);
    this.#isOnChip = chip?.decoder != null;
    if (!codec) throw new MediaError('unsupported', 'no decoder for this video codec');
    this.#context.allocContext3(codec);
    this.#context.parametersToContext(codecpar);
    this.#context.pktTimebase = new Rational(input.timeBase.num, input.timeBase.den);
    this.#context.threadCount = 0;
    if (this.#isOnChip) chip?.attach(this.#context);
    // Matroska does not keep how deep pictures are reordered. Left alone, the H.264 decoder learns it by giving some out too
    // early; this makes it believe the stream's own header.
    if (input.demuxer.startsWith('matroska')) this.#set('strict', '1');
    // Never open2Sync with a dictionary: it is freed twice, and the process dies at the next garbage collection.
    if (this.#context.open2Sync(codec, null) < 0) {
      this.#context.freeContext();
      throw new MediaError('unsupported', 'the video decoder does not open');
    }
  }

  /** False for a packet that cannot be decoded. `null` is the end. */
  send(packet: Packet | null): boolean {
    const isTaken = this.#context.sendPacketSync(packet) >= 0;
    if (!isTaken && this.#isOnChip && ++this.#refused > MAX_REFUSED) {
      throw new HardwareError('notSupported', 'decoding');
    }
    return isTaken;
  }

  /** False when there is none yet, or none any more. */
  receive(frame: Frame): boolean {
    const isThere = this.#context.receiveFrameSync(frame) >= 0;
    if (isThere) this.#refused = 0;
    return isThere;
  }

  /** From the next packet on: leaves out pictures that no other picture needs. */
  skipUnreferenced(isSkipping: boolean): void {
    if (isSkipping === this.#isSkipping) return;
    this.#isSkipping = isSkipping;
    this.#set('skip_frame', isSkipping ? 'noref' : 'default');
  }

  /** Forgets everything, as behind a seek. */
  flush(): void {
    this.#context.flushBuffers();
  }

  #set(option: string, value: string): void {
    this.#context.setOption(option, value, AV_OPT_TYPE_STRING, AV_OPT_SEARCH_CHILDREN);
  }

  [Symbol.dispose](): void {
    this.#context.freeContext();
  }
}
