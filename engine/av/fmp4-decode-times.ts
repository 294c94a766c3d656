import type { Packet } from 'node-av/lib';

/** A packet and when its picture is shown, in ticks of movie time. */
export interface TimedPacket {
  readonly packet: Packet;
  readonly ticks: number;
}

/**
 * Sets the times of one segment's video packets, given in decode order.
 *
 * @param delay the most that decoding runs ahead of presentation, in ticks
 * @param shift added to every time, see `TIMELINE_OFFSET_US`
 * @param nextTicks smallest presentation time of the following segment, to which the last packet must lead exactly
 */
export function stampVideo(packets: readonly TimedPacket[], delay: number, shift: number, nextTicks: number): void {
  const shown = packets.map(({ ticks }) => ticks);
  const { presented, decoded } = decodeTimes(shown, delay, nextTicks);
  packets.forEach(({ packet }, index) => {
    const room = Math.max(1, nextTicks - presented[index]!);
    const next = decoded[index + 1] ?? Math.min(nextTicks - delay, decoded[index]! + room);
    packet.pts = BigInt(presented[index]! + shift);
    packet.dts = BigInt(decoded[index]! + shift);
    packet.duration = BigInt(Math.max(1, next - decoded[index]!));
  });
}

/**
 * The packets of the first segment: the earliest picture of a track that begins later than its movie is shown from `startTicks` on. Players (hls.js,
 * Chromium's HLS) take the first segment for the beginning of the movie, whatever its times say, and all that follows would be early.
 */
export function fromTheBeginning<T extends TimedPacket>(packets: readonly T[], startTicks: number): readonly T[] {
  const earliest = packets.reduce((least, { ticks }) => Math.min(least, ticks), Infinity);
  if (earliest <= startTicks) return packets;
  return packets.map((packet) => (packet.ticks === earliest ? { ...packet, ticks: startTicks } : packet));
}

export interface DecodeTimes {
  /** Presentation times in decode order, all different. */
  readonly presented: readonly number[];
  /** Rising, none above its presentation time. */
  readonly decoded: readonly number[];
}

/**
 * Decode times for the packets of one segment, from their presentation times alone.
 *
 * Matroska stores none, AVI and MPEG-TS only some, and what FFmpeg fills in depends on where it began to read. So the i-th
 * packet is decoded at the i-th smallest presentation time less a constant delay: every session comes to the same numbers,
 * and each segment's follow those of the one before it. A packet that is reordered further than the delay allows for
 * pulls its own decode time, and those just before it, down to what it needs. Equal presentation times are told apart by a tick.
 *
 * A sample lasts until the next one is decoded, and for players until then from when it is shown, too. Where times are rounded, that may be a
 * tick into the next segment, whose keyframe is then thrown away when this segment comes after it (Media Source Extensions, coded frame
 * removal; Chromium then shows nothing of that GOP, measured). So no sample lasts beyond `next`, where the next segment begins.
 */
export function decodeTimes(presentation: readonly number[], delay: number, next = Infinity): DecodeTimes {
  const order = presentation.map((_, index) => index).sort((a, b) => presentation[a]! - presentation[b]! || a - b);
  const presented = [...presentation];
  let earliest = Number.NEGATIVE_INFINITY;
  const decoded = order.map((index) => {
    presented[index] = earliest = Math.max(presentation[index]!, earliest + 1);
    return earliest - delay;
  });
  let latest = Number.POSITIVE_INFINITY;
  for (let index = decoded.length - 1; index >= 0; index--) {
    decoded[index] = latest = Math.min(decoded[index]!, presented[index]!, latest - 1);
  }
  for (let index = 1; index < decoded.length; index++) {
    const room = Math.max(1, next - presented[index - 1]!);
    decoded[index] = Math.min(decoded[index]!, decoded[index - 1]! + room);
  }
  return { presented, decoded };
}
