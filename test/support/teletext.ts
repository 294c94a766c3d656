/** Teletext as broadcasters send it, written for tests: ETSI EN 300 706 in the units of EN 300 472. */

const HAMMING = [0x15, 0x02, 0x49, 0x5e, 0x64, 0x73, 0x38, 0x2f, 0xd0, 0xc7, 0x8c, 0x9b, 0xa1, 0xb6, 0xfd, 0xea];

export interface TeletextPage {
  /** `0x888`: magazine 8, page 88. */
  readonly number: number;
  readonly isSubtitle?: boolean;
  /** The three bits of the header that choose the alphabet: 4 is German. */
  readonly national?: number;
  /** By row; put into a box. */
  readonly rows?: Readonly<Record<number, string>>;
  /** A letter with a mark: row, column, letter, and the mark's number. */
  readonly accents?: readonly (readonly [row: number, column: number, letter: string, mark: number])[];
}

/** The payload of a packet with one page. */
export function teletextPacket({
  number,
  isSubtitle = true,
  national = 0,
  rows = {},
  accents = [],
}: TeletextPage): Buffer {
  const flags = [number & 0xf, (number >> 4) & 0xf, 0, 0, 0, isSubtitle ? 8 : 0, 0, (national << 1) | 1];
  const lines = [line(number >> 8, 0, [...flags.map((one) => HAMMING[one]!), ...Array<number>(32).fill(odd(0x20))])];
  for (const [row, text] of Object.entries(rows)) {
    // Two of each: receivers must not take one that came damaged for the end.
    const letters = [0x0b, 0x0b, ...Array.from(text, (letter) => letter.charCodeAt(0)), 0x0a, 0x0a];
    lines.push(line(number >> 8, Number(row), [...letters, ...Array<number>(40).fill(0x20)].slice(0, 40).map(odd)));
  }
  if (accents.length > 0) {
    const triplets = accents.flatMap(([row, column, letter, mark]) => [
      (40 + row) | (4 << 6),
      column | ((0x10 | mark) << 6) | (letter.charCodeAt(0) << 11),
    ]);
    const words = [...triplets, ...Array<number>(13).fill(63 | (0x1f << 6))].slice(0, 13);
    lines.push(line(number >> 8, 26, [HAMMING[0]!, ...words.flatMap(protectedTriplet)]));
  }
  return Buffer.concat([Buffer.from([0x10]), ...lines]);
}

function line(magazine: number, row: number, data: readonly number[]): Buffer {
  const address = [HAMMING[(magazine & 7) | ((row & 1) << 3)]!, HAMMING[row >> 1]!];
  return Buffer.from([0x03, 0x2c, 0xe7, 0xe4, ...[...address, ...data].map(turned)]);
}

function odd(code: number): number {
  const ones = code.toString(2).replaceAll('0', '').length;
  return ones % 2 === 1 ? code : code | 0x80;
}

function turned(byte: number): number {
  return Number.parseInt(byte.toString(2).padStart(8, '0').split('').reverse().join(''), 2);
}

/** Hamming 24/18 (section 8.3): positions count from one; those that are powers of two protect the others. */
function protectedTriplet(value: number): number[] {
  const bits = Array<number>(25).fill(0);
  let next = 0;
  for (let place = 1; place <= 23; place++) if ((place & (place - 1)) !== 0) bits[place] = (value >> next++) & 1;
  for (const power of [1, 2, 4, 8, 16]) {
    let ones = 0;
    for (let place = 1; place <= 23; place++) if ((place & power) !== 0 && place !== power) ones += bits[place]!;
    bits[power] = (ones + 1) % 2;
  }
  bits[24] = (bits.slice(1, 24).reduce((sum, bit) => sum + bit, 0) + 1) % 2;
  const word = bits.slice(1).reduce((sum, bit, place) => sum | (bit << place), 0);
  return [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff];
}

const PAGE_PID = 0x101;
const MAP_PID = 0x100;

/** A transport stream that holds nothing but one track of teletext, with page 888 announced as subtitles in German. */
export function teletextStream(pages: readonly (readonly [atMs: number, packet: Buffer])[]): Buffer {
  const counters = new Map<number, number>();
  const cut = (pid: number, payload: Buffer, clock90k: number | null): Buffer[] => {
    const packets: Buffer[] = [];
    for (let at = 0; at < payload.length;) {
      const isFirst = at === 0;
      const clock = isFirst && clock90k !== null ? clockField(clock90k) : Buffer.alloc(0);
      const room = 184 - (clock.length > 0 ? clock.length + 1 : 0);
      const piece = payload.subarray(at, at + room);
      at += piece.length;
      const missing = room - piece.length;
      const fields = clock.length > 0 || missing > 0;
      // One byte of length, flags and the clock, and what fills up.
      const length = clock.length > 0 ? clock.length + missing : missing - 1;
      const stuffing = Buffer.alloc(Math.max(0, length), 0xff);
      clock.copy(stuffing);
      if (clock.length === 0 && length > 0) stuffing[0] = 0;
      const counter = counters.get(pid) ?? 0;
      counters.set(pid, (counter + 1) & 0xf);
      const head = [0x47, (isFirst ? 0x40 : 0) | (pid >> 8), pid & 0xff, (fields ? 0x30 : 0x10) | counter];
      packets.push(Buffer.concat([Buffer.from(head), ...(fields ? [Buffer.from([length]), stuffing] : []), piece]));
    }
    return packets;
  };
  const tables = (): Buffer[] => [
    ...cut(0, section([0x00, 0xb0, 0x0d, 0, 1, 0xc1, 0, 0, 0, 1, 0xe0 | (MAP_PID >> 8), MAP_PID & 0xff]), null),
    ...cut(
      MAP_PID,
      section([
        ...[0x02, 0xb0, 25, 0, 1, 0xc1, 0, 0, 0xe0 | (PAGE_PID >> 8), PAGE_PID & 0xff, 0xf0, 0],
        ...[0x06, 0xe0 | (PAGE_PID >> 8), PAGE_PID & 0xff, 0xf0, 7],
        ...[0x56, 5, ...Buffer.from('deu'), (2 << 3) | 0, 0x88],
      ]),
      null,
    ),
  ];
  return Buffer.concat(
    pages.flatMap(([atMs, packet]) => {
      const ticks = 90_000 + atMs * 90;
      return [...tables(), ...cut(PAGE_PID, elementary(packet, ticks), ticks - 9_000)];
    }),
  );
}

function clockField(base: number): Buffer {
  const field = Buffer.from([0x10, 0, 0, 0, 0, 0x7e, 0]);
  field.writeUInt32BE(Math.floor(base / 2), 1);
  field[5] = ((base & 1) << 7) | 0x7e;
  return field;
}

function elementary(payload: Buffer, ticks: number): Buffer {
  const high = Math.floor(ticks / 2 ** 30) & 7;
  const time = [
    ...[0x21 | (high << 1), (ticks >> 22) & 0xff, ((ticks >> 14) & 0xfe) | 1, (ticks >> 7) & 0xff],
    ((ticks << 1) & 0xfe) | 1,
  ];
  const length = 3 + time.length + payload.length;
  return Buffer.concat([
    Buffer.from([0, 0, 1, 0xbd, length >> 8, length & 0xff, 0x84, 0x80, time.length, ...time]),
    payload,
  ]);
}

/** A table with its checksum (ISO 13818-1, annex A), behind the byte that says where it begins. */
function section(bytes: readonly number[]): Buffer {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const isSet = ((crc >>> 31) ^ (byte >> bit)) & 1;
      crc = ((crc << 1) ^ (isSet ? 0x04c11db7 : 0)) >>> 0;
    }
  }
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc);
  return Buffer.concat([Buffer.from([0, ...bytes]), sum]);
}
