/**
 * An init segment whose edit list takes `delayTicks` (in the track's timescale) off every presentation time.
 *
 * With reordered pictures the first decode time lies before the first presentation time, and players (hls.js, and MSE
 * itself) take the decode time for the beginning of a segment. So we put decode times where presentation should begin and
 * let the edit list say by how much presentation comes later (ISO 14496-12 8.6.6, CMAF 7.5.13). FFmpeg's muxer would write
 * such a list too, but from the first packet it sees, which differs by where a session begins.
 */
export function withEditList(init: Buffer, delayTicks: number): Buffer {
  const moov = boxIn(init, 0, init.length, 'moov');
  const trak = boxIn(init, moov.start + 8, moov.end, 'trak');
  const trackHeader = boxIn(init, trak.start + 8, trak.end, 'tkhd');
  const edit = Buffer.alloc(36);
  edit.writeUInt32BE(36, 0);
  edit.write('edts', 4, 'latin1');
  edit.writeUInt32BE(28, 8);
  edit.write('elst', 12, 'latin1');
  edit.writeUInt32BE(1, 20); // one entry; its duration 0 means all fragments to come
  edit.writeInt32BE(delayTicks, 28);
  edit.writeUInt32BE(0x0001_0000, 32); // at normal rate
  const grown = Buffer.concat([init.subarray(0, trackHeader.end), edit, init.subarray(trackHeader.end)]);
  for (const box of [moov, trak]) grown.writeUInt32BE(box.end - box.start + edit.length, box.start);
  return grown;
}

interface Box {
  readonly start: number;
  readonly end: number;
}

function boxIn(bytes: Buffer, from: number, to: number, type: string): Box {
  for (let start = from; start + 8 <= to;) {
    const end = start + bytes.readUInt32BE(start);
    if (end < start + 8 || end > to) break;
    if (bytes.toString('latin1', start + 4, start + 8) === type) return { start, end };
    start = end;
  }
  throw new Error(`the muxer wrote an init segment without ${type}`);
}
