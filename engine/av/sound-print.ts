/** Chromaprint's words for a stretch of sound: files that share a jingle share a run of them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AVMEDIA_TYPE_AUDIO, AV_CODEC_ID_PCM_S16LE, AV_SAMPLE_FMT_S16 } from 'node-av/constants';
import { CodecParameters, Dictionary, FormatContext, Packet, Rational, avChannelLayoutDefault } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';
import { allocated } from './keyframe-picture.ts';
import { LISTEN_RATE_HZ, listen } from './sound.ts';
import type { ListenRequest } from './sound.ts';

export interface SoundPrintOptions extends ListenRequest {
  /** Where it writes meanwhile. What a process that dies leaves there is not its own to remove. Absolute. */
  readonly scratchFolder: string;
}

/** 8.08 words a second (`SOUND_WORD_MS` in engine/media/sound-match.ts), the first for the first sample. Throws what `listen` throws. */
export function soundPrint(path: string, { scratchFolder, ...request }: SoundPrintOptions): Uint32Array {
  // The muxer writes to a file only: one that is open through JavaScript callbacks hangs the process at its end.
  mkdirSync(scratchFolder, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(scratchFolder, 'sound-'));
  const out = join(folder, 'words');
  const muxer = new FormatContext();
  try {
    check(muxer.allocOutputContext2(null, 'chromaprint', out), 'there is no chromaprint');
    using form = allocated(new CodecParameters());
    form.codecType = AVMEDIA_TYPE_AUDIO;
    form.codecId = AV_CODEC_ID_PCM_S16LE;
    form.sampleRate = LISTEN_RATE_HZ;
    form.channelLayout = avChannelLayoutDefault(1);
    form.format = AV_SAMPLE_FMT_S16;
    const stream = muxer.newStream(null);
    check(form.copy(stream.codecpar), 'copy the form of the sound');
    stream.timeBase = new Rational(1, LISTEN_RATE_HZ);
    check(muxer.openOutputSync(), 'open the words');
    try {
      check(muxer.writeHeaderSync(Dictionary.fromObject({ fp_format: 'raw' })), 'begin the words');
      using packet = allocated(new Packet());
      let sampleAt = 0n;
      listen(path, request, (samples) => {
        packet.data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
        packet.pts = packet.dts = sampleAt;
        packet.duration = BigInt(samples.length);
        packet.streamIndex = 0;
        sampleAt += packet.duration;
        check(muxer.writeFrameSync(packet), 'hear');
        packet.unref();
      });
      if (sampleAt === 0n) return new Uint32Array(0);
      check(muxer.writeTrailerSync(), 'end the words');
    } finally {
      muxer.closeOutputSync();
    }
    const bytes = readFileSync(out);
    return Uint32Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readUInt32LE(i * 4));
  } finally {
    muxer.freeContext();
    rmSync(folder, { recursive: true, force: true });
  }
}

function check(code: number, step: string): void {
  if (code < 0) throw new MediaError('unsupported', `${step}: ${code}`);
}
