/** Recorded frames: what was on the wire in each supported version must mean the same for ever. */
import { readFileSync, readdirSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { decode, encode } from './codec.ts';
import {
  AckFrame,
  CallFrame,
  CancelFrame,
  EventFrame,
  FRAME,
  FailFrame,
  HelloFrame,
  LIMITS,
  OkFrame,
  PingFrame,
  PongFrame,
  WelcomeFrame,
} from './frame.ts';
import { feeds, libraries, movies, progress } from './index.ts';
import { PROTOCOL_MAX, PROTOCOL_MIN } from './version.ts';

/** Set this to record: MATINEE_UPDATE_GOLDEN=1 npx vitest run protocol */
const isRecording = process.env['MATINEE_UPDATE_GOLDEN'] === '1';
const folder = (version: number): string => join(import.meta.dirname, `golden/v${version}`);

interface Recorded {
  readonly name: string;
  readonly hex: string;
  readonly value: readonly unknown[];
}

const SCHEMAS = {
  [FRAME.hello]: HelloFrame,
  [FRAME.welcome]: WelcomeFrame,
  [FRAME.call]: CallFrame,
  [FRAME.ok]: OkFrame,
  [FRAME.fail]: FailFrame,
  [FRAME.cancel]: CancelFrame,
  [FRAME.event]: EventFrame,
  [FRAME.ack]: AckFrame,
  [FRAME.ping]: PingFrame,
  [FRAME.pong]: PongFrame,
} as const;

const id = (last: number): string => `0190f3a2-7b1c-7def-8abc-${last.toString(16).padStart(12, '0')}`;
const card = {
  id: id(1),
  title: 'Die üblichen Verdächtigen 🎬',
  year: 1995,
  durationMs: 6_360_000,
  poster: { url: '/images/0190f3a2', width: 2000, height: 3000, placeholder: 'HBkSHYSIeHiPiHh8eJd4eTN0EEQG' },
  picture: null,
  resolution: 2160,
  hdr: 'dolbyVision',
  rating: 8.1,
  isPlayable: true,
  addedAt: 1_764_000_000_000,
};

/** One of every kind, and of every shape that a payload can have. Recorded once for each version. */
const EXAMPLES: readonly (readonly [name: string, value: readonly unknown[]])[] = [
  ['hello', [FRAME.hello, { protocol: [1, 1], client: { name: 'web', version: '0.1.0' } }]],
  [
    'welcome',
    [
      FRAME.welcome,
      {
        version: 1,
        serverTime: 1_764_000_000_123,
        server: { version: '0.1.0', startedAt: 1_763_999_000_000 },
        sessionId: id(2),
        viewer: { id: id(3), name: 'Ada', role: 'admin', permissions: ['self', 'movies:read'] },
        limits: {
          frameBytes: 1_048_576,
          nesting: 32,
          callsInFlight: 64,
          callsPerSecond: 500,
          subscriptions: 64,
          idleMs: 60_000,
        },
      },
    ],
  ],
  ['call without input', [FRAME.call, 1, libraries.list.id, {}, null]],
  [
    'call with a deadline',
    [FRAME.call, 70_000, movies.list.id, { search: 'verdächtig', limit: 200, isWatched: false }, 5_000],
  ],
  ['ok', [FRAME.ok, 70_000, { total: 1, movies: [{ ...card, progress: null }] }]],
  ['ok without content', [FRAME.ok, 2, {}]],
  [
    'fail',
    [
      FRAME.fail,
      3,
      'badRequest',
      { issues: [{ path: '/limit', message: 'too large' }] },
      'The input is not what this call takes.',
    ],
  ],
  ['cancel', [FRAME.cancel, 70_001]],
  ['event: snapshot', [FRAME.event, 1, null, 1, 9, 9, { movieCount: 0, libraries: [] }]],
  [
    'event: delta',
    [
      FRAME.event,
      1,
      null,
      0,
      9,
      12,
      [
        { kind: 'movie', id: id(1), movie: card },
        { kind: 'movie', id: id(4), movie: null },
      ],
    ],
  ],
  [
    'event: keyed',
    [FRAME.event, 2, id(1), 0, 4_294_967_296, 4_294_967_297, [{ kind: 'movie', id: id(1), movie: null }]],
  ],
  ['ack', [FRAME.ack, 1, null, 12]],
  ['ack: keyed', [FRAME.ack, 2, id(1), 9_007_199_254_740_991]],
  ['ping', [FRAME.ping, 123_456.789]],
  ['pong', [FRAME.pong, 123_456.789, 1_764_000_000_124]],
  ['call: progress', [FRAME.call, 4, progress.report.id, { movieId: id(1), positionMs: 65_536 }, null]],
];

describe('golden frames', () => {
  it('[VER4] there are recorded frames of every supported version', () => {
    const recorded = readdirSync(join(import.meta.dirname, 'golden')).toSorted();
    const supported = Array.from({ length: PROTOCOL_MAX - PROTOCOL_MIN + 1 }, (_, index) => `v${PROTOCOL_MIN + index}`);
    for (const version of supported) {
      expect(recorded, `record with MATINEE_UPDATE_GOLDEN=1 npx vitest run protocol`).toContain(version);
    }
  });

  for (let version: number = PROTOCOL_MIN; version <= PROTOCOL_MAX; version++) {
    const path = join(folder(version), 'frames.json');
    if (isRecording && version === PROTOCOL_MAX && !existsSync(path)) {
      const frames = EXAMPLES.map(([name, value]) => ({
        name,
        hex: Buffer.from(encode(value)).toString('hex'),
        value,
      }));
      writeFileSync(path, `[\n${frames.map((frame) => `  ${JSON.stringify(frame)}`).join(',\n')}\n]\n`);
    }
    const frames = JSON.parse(readFileSync(path, 'utf8')) as readonly Recorded[];

    it.each(frames)(`[VER4] v${version}: $name means what it meant, and is written the same way`, ({ hex, value }) => {
      const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
      const decoded = decode(bytes, LIMITS);
      expect(decoded).toEqual(value);
      const schema = SCHEMAS[value[0] as keyof typeof SCHEMAS];
      expect(v.safeParse(schema, decoded).issues, 'the frame’s own schema').toBeUndefined();
      expect(Buffer.from(encode(decoded)).toString('hex')).toBe(hex);
    });

    it(`[VER4] v${version}: every kind of frame is among them`, () => {
      expect(new Set(frames.map(({ value }) => value[0]))).toEqual(new Set(Object.values(FRAME)));
    });

    it(`[FEED5] v${version}: payloads of events are what the feeds say`, () => {
      for (const { name, value } of frames.filter(({ value: [kind] }) => kind === FRAME.event)) {
        const feed = feeds.find((one) => one.id === value[1])!;
        const schema = value[3] === 1 ? feed.snapshot : v.array(feed.entry as v.GenericSchema);
        expect([name, v.safeParse(schema, value[6]).issues]).toEqual([name, undefined]);
      }
    });
  }
});
