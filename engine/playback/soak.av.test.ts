/**
 * A day of starts, seeks and stops in a minute: nothing may grow. `MATINEE_SOAK_ROUNDS=500` makes it a long one; each round is one
 * evening of four viewers. Random, from a seed that the failure names.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clips } from '#test/support/media.ts';
import { PlaybackStage } from '#test/support/playback-stage.ts';
import { mediaHosts } from '#test/support/processes.ts';
import type { DeviceProfile, Playback } from '#protocol/schema/playback.ts';

const ROUNDS = Number(process.env['MATINEE_SOAK_ROUNDS'] ?? 4);
const SEED = Number(process.env['MATINEE_SOAK_SEED'] ?? 20_26);
const VIEWERS = 4;

const segmentsOnly: DeviceProfile = {
  name: 'segments only',
  file: [],
  segments: { video: ['h264', 'hevc'].map((codec) => ({ codec, maxBitDepth: 10 })), audio: ['aac', 'ac3'] },
  hdr: [],
  maxAudioChannels: 2,
};

/** Mulberry32: the same evening for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let stage: PlaybackStage;
let folder: string;
beforeAll(async () => {
  stage = await PlaybackStage.open();
  folder = mkdtempSync(join(tmpdir(), 'matinee-soak-'));
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Facts {
  readonly hosts: number;
  readonly descriptors: number;
  readonly scratchFolders: number;
  readonly residentBytes: number;
}

async function factsAtRest(): Promise<Facts> {
  await stage.restart(); // everybody has gone
  await expect.poll(() => mediaHosts(process.pid, 'rendition.host.ts').length, { timeout: 60_000 }).toBe(2);
  globalThis.gc?.();
  return {
    hosts: mediaHosts(process.pid, 'rendition.host.ts').length,
    descriptors: readdirSync('/proc/self/fd').length,
    scratchFolders: (await readdir(stage.scratchFolder)).length,
    residentBytes: process.memoryUsage.rss(),
  };
}

/** One viewer: opens, watches a little, seeks, switches, and leaves, sometimes in the middle of a request. */
async function evening(movieId: string, random: () => number): Promise<number[]> {
  const without = random() < 0.5 ? (['remux'] as const) : [];
  const playback: Playback = await stage.open(movieId, { profile: segmentsOnly, without: [...without] });
  const statuses: number[] = [];
  const playlist = (await stage.get(playback.url.replace('index.m3u8', 'v0/index.m3u8'))).toString();
  const count = [...playlist.matchAll(/^\d+\.m4s$/gm)].length;
  for (let step = 0; step < 6; step++) {
    const { name } = playback.variants[Math.floor(random() * playback.variants.length)]!;
    const index = Math.floor(random() * count);
    const abort = new AbortController();
    const leaves = random() < 0.3;
    if (leaves) setTimeout(() => abort.abort(), random() * 200);
    const address = stage.urlOf(playback.url.replace('index.m3u8', `${name}/${index}.m4s`));
    const status = await fetch(address, { signal: abort.signal })
      .then((response) => response.arrayBuffer().then(() => response.status))
      .catch((error: unknown) => {
        if (abort.signal.aborted) return 0;
        throw error;
      });
    if (!leaves || status !== 0) statuses.push(status);
  }
  return statuses;
}

describe('a day of watching', () => {
  it(
    `[PLAY33] leaves nothing behind: ${ROUNDS} rounds, seed ${SEED}`,
    { timeout: 120_000 + ROUNDS * 20_000 },
    async () => {
      const random = randomOf(SEED);
      const good = await Promise.all(
        [clips.h264Mkv, clips.hevcMkv, clips.h264Mp4].map(async (make) => stage.addMovie(await make())),
      );
      // Once before it counts: what is loaded lazily is loaded.
      await Promise.all([...good, ...good].map((movieId) => evening(movieId, random)));
      const before = await factsAtRest();
      const odd: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const evenings = Array.from({ length: VIEWERS }, () =>
          evening(good[Math.floor(random() * good.length)]!, random),
        );
        for (const status of (await Promise.all(evenings)).flat()) if (status !== 200) odd.push(status);
      }
      // A seek that was overtaken is told so, and nothing else goes wrong.
      expect(odd.filter((status) => status !== 503)).toEqual([]);
      const after = await factsAtRest();
      expect({ ...after, residentBytes: 0, descriptors: 0 }).toEqual({ ...before, residentBytes: 0, descriptors: 0 });
      // Connections that are kept alive end by themselves in a few seconds.
      const descriptors = (): number => readdirSync('/proc/self/fd').length;
      await expect.poll(descriptors, { timeout: 60_000 }).toBeLessThanOrEqual(before.descriptors);
      // What the allocator keeps after the first evenings does not count; a leak of one segment an evening would.
      expect(after.residentBytes - before.residentBytes).toBeLessThan(150 << 20);
    },
  );

  it('[PLAY33] goes on for everyone while files of others kill their hosts', { timeout: 180_000 }, async () => {
    const random = randomOf(SEED + 1);
    const source = await clips.h264Mkv();
    const goodId = await stage.addMovie(source);
    const bytes = readFileSync(source);
    const hostile = await Promise.all(
      Array.from({ length: Math.max(4, Math.min(ROUNDS, 60)) }, async (_, at) => {
        const path = join(folder, `hostile-${at}.mkv`);
        const mutated = Buffer.from(bytes);
        // The header stays: the file is probed as what it was, and turns out to be something else while it plays.
        for (let hit = 0; hit < 200; hit++) {
          mutated[4_096 + Math.floor(random() * (mutated.length - 4_096))] = Math.floor(random() * 256);
        }
        writeFileSync(path, mutated);
        expect(statSync(path).size).toBe(bytes.length);
        return stage.addMovie(path).catch(() => null); // refused by the probe: as good
      }),
    );
    const evil = hostile.map(async (movieId) => (movieId === null ? [] : evening(movieId, random).catch(() => [])));
    const served = await Promise.all(Array.from({ length: 3 }, () => evening(goodId, random)));
    expect(served.flat().filter((status) => status !== 200 && status !== 503)).toEqual([]);
    for (const status of (await Promise.all(evil)).flat()) expect([0, 200, 410, 422, 500, 503, 504]).toContain(status);
    await factsAtRest();
  });
});
