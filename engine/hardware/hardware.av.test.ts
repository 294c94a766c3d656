/** A playback over HTTP whose hardware fails in the middle: real files, real hosts, and a chip in one of them that gives up. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/base/clock.ts';
import { createLog } from '#engine/base/log.ts';
import { HARDWARE_TESTS } from '#protocol/schema/hardware.ts';
import type { HardwareKind, HardwareTest } from '#protocol/schema/hardware.ts';
import type { DeviceProfile } from '#protocol/schema/playback.ts';
import { testContext } from '#test/support/call-context.ts';
import { readInit, readSegment } from '#test/support/fragment.ts';
import type { InitFacts } from '#test/support/fragment.ts';
import { clips } from '#test/support/media.ts';
import { PlaybackStage } from '#test/support/playback-stage.ts';
import type { StageOptions } from '#test/support/playback-stage.ts';
import { mediaHosts } from '#test/support/processes.ts';
import { complaintsAbout } from '#test/support/rendition.ts';
import { Hardware } from './hardware.ts';

const renditionEntry = new URL('../../test/support/hosts/failing-chip.host.ts', import.meta.url);

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

/** Hardware that was proven in an earlier life, with a device that says how it will fail. */
async function chip(
  device: string | null,
  kind: HardwareKind = 'vaapi',
  works: (test: HardwareTest) => boolean = () => true,
): Promise<Hardware> {
  const row = { verdict: 'works', msPerFrame: 1, variant: null, detail: null } as const;
  const card = {
    ...{ kind, verdict: 'works', detail: null, device, deviceName: null, maxSessions: null, failures: 0 },
    rows: HARDWARE_TESTS.filter(works).map((test) => ({ ...row, test })),
  };
  const kept = { fingerprint: 'one', testedAtMs: 1, cards: [card], software: [] };
  return stack.use(
    await Hardware.open({
      setting: 'auto',
      hosts: {
        lookForHardware: async () => ({ fingerprint: 'one', candidates: [] }),
        tryHardware: () => Promise.reject(new Error('nothing is tried')),
        countHardwareSessions: async () => null,
        endHardwareHosts: async () => undefined,
      },
      facts: { read: async () => kept, write: async () => undefined },
      health: { set: () => undefined, clear: () => undefined },
      jobs: { run: () => Promise.reject(new Error('no job')) },
      clock: systemClock,
      log: createLog({ level: 'error', write: () => undefined }),
    }),
  );
}

const CODECS = { h264: 'avc1', hevc: 'hvc1', av1: 'av01' } as const;

const profile: DeviceProfile = {
  name: 'segments only',
  file: [],
  segments: {
    video: [
      { codec: 'h264', maxBitDepth: 8 },
      { codec: 'hevc', maxBitDepth: 8, isPowerEfficient: true },
      { codec: 'av1', maxBitDepth: 8, isPowerEfficient: true },
    ],
    audio: ['aac'],
  },
  hdr: [],
  maxAudioChannels: 2,
};

/** When its pictures are shown. Encoders decide by what they saw before in which order they lie. */
const timesOf = (bytes: Buffer, facts: InitFacts): number[] =>
  readSegment(bytes, facts)
    .map(({ ptsUs }) => ptsUs)
    .toSorted((a, b) => a - b);

/** Plays a whole movie, encoded, and says what came. */
async function play(options: StageOptions, codec: keyof typeof CODECS = 'h264') {
  const stage = stack.use(await PlaybackStage.open(options));
  const movieId = await stage.addMovie(await clips.h264Mkv());
  const { url, method } = await stage.open(movieId, { profile, without: ['directPlay', 'remux'] });
  expect(method).toBe('transcode');
  const multivariant = (await stage.get(url)).toString();
  const variant = new RegExp(`^#EXT-X-STREAM-INF:.*CODECS="${CODECS[codec]}.*\n(.*)$`, 'm').exec(multivariant)![1]!;
  const base = url.replace(/index\.m3u8$/, variant);
  const playlist = (await stage.get(base)).toString();
  const names = playlist.split('\n').filter((line) => line.endsWith('.m4s'));
  const segments: Buffer[] = [];
  for (const name of names) segments.push(await stage.get(base.replace('index.m3u8', name)));
  const init = await stage.get(base.replace('index.m3u8', 'init.mp4'));
  const facts = readInit(init);
  return { init, segments, times: segments.map((bytes) => timesOf(bytes, facts)) };
}

async function complaints(parts: readonly Buffer[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-hardware-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const path = join(folder, 'whole.mp4');
  await writeFile(path, Buffer.concat(parts));
  return await complaintsAbout(path);
}

describe('a playback whose hardware fails', () => {
  it.each([
    ['fail-after-60', 1],
    ['abort-after-60', 1],
    ['fail-after-0', 1],
    ['busy', 0],
    ['keep', 0],
  ])(
    '[PLAY76] %s: goes on with the processor, with the same segments at the same times, and every one can be decoded',
    async (device, failures) => {
      const hardware = await chip(device);
      const [made, wanted] = [await play({ renditionEntry, hardware }), await play({})];
      expect(made.times).toEqual(wanted.times);
      expect(made.times.length).toBeGreaterThan(2);
      await expect(complaints([made.init, ...made.segments])).resolves.toBe('');
      // Whoever has the header can begin at any segment, on either side of the failure.
      for (const segment of made.segments) await expect(complaints([made.init, segment])).resolves.toBe('');
      const { cards, sessions } = await hardware.handlers.state({}, testContext());
      expect(cards[0]?.failures).toBe(failures);
      expect(sessions).toBe(device === 'keep' ? 1 : 0);
    },
    60_000,
  );
});

describe('a playback whose hardware encodes for newer devices', () => {
  it.each([
    ['hevc', 'fail-after-60'],
    ['hevc', 'fail-after-0'],
    ['av1', 'fail-after-60'],
  ] as const)(
    '[PLAY76] %s, %s: goes on with the processor in the same codec',
    async (codec, device) => {
      const made = await play({ renditionEntry, hardware: await chip(device) }, codec);
      const wanted = await play({ renditionEntry, hardware: await chip('keep') }, codec);
      expect(made.times).toEqual(wanted.times);
      await expect(complaints([made.init, ...made.segments])).resolves.toBe('');
      for (const segment of made.segments) await expect(complaints([made.init, segment])).resolves.toBe('');
      // Back again, from what the processor made to what the hardware had made before.
      const back = await complaints([made.init, made.segments.at(-1)!, made.segments[0]!]);
      expect(back.split('\n').filter((line) => line !== '' && !line.includes('non monotonically'))).toEqual([]);
    },
    60_000,
  );
});

/** Mesa’s imitation of a graphics chip, by the processor. */
const hasVulkan = ['x86_64', 'aarch64'].some((name) => existsSync(`/usr/share/vulkan/icd.d/lvp_icd.${name}.json`));

describe('a playback with the hardware of this machine', () => {
  it.skipIf(existsSync('/dev/nvidiactl'))(
    '[PLAY76] goes on without a driver that is not there any more',
    async () => {
      const hardware = await chip(null, 'nvenc');
      const [made, wanted] = [await play({ hardware }), await play({})];
      expect(made.times).toEqual(wanted.times);
      await expect(complaints([made.init, ...made.segments])).resolves.toBe('');
      const { cards } = await hardware.handlers.state({}, testContext());
      expect(cards[0]?.failures).toBe(1);
    },
    60_000,
  );

  it.runIf(hasVulkan)(
    '[PLAY73] scales its pictures on a device where it decodes and encodes in memory',
    async () => {
      // Its decoder finds out that the chip cannot, and goes on in memory: the filters get the pictures from there.
      const hardware = await chip(null, 'vulkan', (test) => !test.startsWith('encode-'));
      expect(hardware.encoders().h264).toBe('software');
      const made = await play({ hardware });
      const atWork = mediaHosts(process.pid, 'rendition.host.ts');
      expect(atWork.some(({ pid }) => readFileSync(`/proc/${pid}/maps`, 'utf8').includes('libvulkan'))).toBe(true);
      const wanted = await play({});
      expect(made.times).toEqual(wanted.times);
      await expect(complaints([made.init, ...made.segments])).resolves.toBe('');
      const { cards } = await hardware.handlers.state({}, testContext());
      expect(cards[0]?.failures).toBe(0);
    },
    120_000,
  );
});
