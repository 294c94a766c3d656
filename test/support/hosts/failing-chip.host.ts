/**
 * A rendition host with a chip that fails. The chip's encoder is x264 in its place, for as many pictures as the device says:
 * `fail-after-60` then refuses them as a driver would, `abort-after-60` ends the process, `keep` goes on, and `busy` has no session.
 */
import { FilterChain } from '#engine/av/filter-chain.ts';
import type { Chip, ChipRung, PictureEncoder } from '#engine/av/chip.ts';
import { HardwareError } from '#engine/av/hardware-device.ts';
import { DecodeSharing } from '#engine/av/picture-source.ts';
import { VideoEncoder } from '#engine/av/video-encoder.ts';
import { serveRenditions } from '#engine/hosts/rendition-server.ts';
import type { VideoOutput } from '#engine/media/rendition-spec.ts';

class FailingChip implements Chip {
  readonly decoder = null;
  readonly #act: string;
  #left: number;

  constructor(device: string) {
    const [, act = 'keep', after = 'Infinity'] = /^(\w+)(?:-after-(\d+))?$/.exec(device) ?? [];
    this.#act = act;
    this.#left = Number(after);
  }

  attach(): void {
    throw new Error('the processor decodes');
  }

  rung(output: VideoOutput): ChipRung {
    return {
      encodes: true,
      openFilter: ({ softwareInput, softwareChain, threads }) =>
        new FilterChain('video', softwareInput, softwareChain, threads),
      openEncoder: (size, rate, first): PictureEncoder => {
        if (this.#act === 'busy') throw new HardwareError('busy', 'sessions');
        const encoder = new VideoEncoder(output, size, rate, first);
        return {
          send: (frame, ticks, isIdr) => {
            if (this.#left-- <= 0) this.#end();
            encoder.send(frame, ticks, isIdr);
          },
          end: () => encoder.end(),
          receive: (packet) => encoder.receive(packet),
          describe: (codecpar) => encoder.describe(codecpar),
          [Symbol.dispose]: () => encoder[Symbol.dispose](),
        };
      },
    };
  }

  [Symbol.dispose](): void {
    this.#left = 0;
  }

  #end(): void {
    if (this.#act === 'abort') process.abort();
    throw new HardwareError('notSupported', 'a driver that gave up');
  }
}

serveRenditions(new DecodeSharing(({ hardware }) => (hardware ? new FailingChip(hardware.device ?? 'keep') : null)));
