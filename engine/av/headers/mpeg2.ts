/** MPEG-2 video (ITU-T H.262 6.2): whether the picture in a packet is interlaced. */
const EXTENSION_START = 0x1b5;
const SEQUENCE_EXTENSION = 1;
const PICTURE_CODING_EXTENSION = 8;

/** Same rule as FFmpeg's parser. `null`: no picture coding extension in the first 64 KiB (MPEG-1 has none). */
export function isMpeg2PacketInterlaced(packet: Buffer): boolean | null {
  let isProgressiveSequence = false;
  const end = Math.min(packet.length, 1 << 16) - 8;
  for (let at = 0; at < end; at += 1) {
    if (packet.readUIntBE(at, 4) !== EXTENSION_START) continue;
    const id = (packet[at + 4] ?? 0) >> 4;
    if (id === SEQUENCE_EXTENSION) isProgressiveSequence = ((packet[at + 5] ?? 0) & 8) !== 0;
    if (id === PICTURE_CODING_EXTENSION) {
      const isProgressiveFrame = ((packet[at + 8] ?? 0) & 0x80) !== 0;
      return !isProgressiveSequence && !isProgressiveFrame;
    }
  }
  return null;
}
