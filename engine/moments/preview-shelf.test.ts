import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import type { PreviewSheetResult } from '#engine/hosts/study.port.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import type { MomentFile, SheetCache, StudyHosts } from './ports.ts';
import { PreviewShelf } from './preview-shelf.ts';

/** 200 s: 200 pictures on 8 sheets. */
const FILE: MomentFile = {
  id: '01890000-0000-7000-8000-00000000000a',
  movieId: '01890000-0000-7000-8000-00000000000b',
  path: '/movies/film.mkv',
  sizeBytes: 1_000,
  mtimeUs: 1,
  isExtra: false,
  state: 'playable',
  media: mediaInfo({ durationMs: 200_000 }),
};

class MemorySheets implements SheetCache {
  readonly files = new Map<string, Uint8Array>();
  get totalBytes(): number {
    return [...this.files.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
  find(name: string): Promise<string | null> {
    return Promise.resolve(this.files.has(name) ? `/cache/${name}` : null);
  }
  put(name: string, bytes: Uint8Array): Promise<void> {
    this.files.set(name, bytes);
    return Promise.resolve();
  }
}

/** Answers when a test says so. */
class SlowHosts implements Pick<StudyHosts, 'previewSheet' | 'status'> {
  readonly asked: { second: number; priority: string | undefined; answer: (result: PreviewSheetResult) => void }[] = [];
  transcodes = 0;
  previewSheet(...[, request, options]: Parameters<StudyHosts['previewSheet']>): Promise<PreviewSheetResult> {
    const { promise, resolve, reject } = Promise.withResolvers<PreviewSheetResult>();
    options?.signal?.addEventListener('abort', () => reject(options.signal?.reason));
    this.asked.push({ second: Math.floor(request.timesMs[0]! / 1_000), priority: options?.priority, answer: resolve });
    return promise;
  }
  status(): Promise<{ renditions: number; transcodes: number }> {
    return Promise.resolve({ renditions: this.transcodes, transcodes: this.transcodes });
  }
}

const MADE: PreviewSheetResult = { ok: true, bytes: new Uint8Array(100), decoded: 25 };
const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

let hosts: SlowHosts;
let cache: MemorySheets;
let clock: FakeClock;
let shelf: PreviewShelf;
beforeEach(() => {
  hosts = new SlowHosts();
  cache = new MemorySheets();
  clock = new FakeClock();
  shelf = new PreviewShelf({ hosts: hosts as unknown as StudyHosts, cache, clock, log: silentLog });
});
const seconds = () => hosts.asked.map(({ second }) => second);

describe('sheets that somebody waits for', () => {
  it('[PLAY61] are made once for everyone who asks, and are there from then on', async () => {
    const both = Promise.all([shelf.sheet(FILE, 0), shelf.sheet(FILE, 0)]);
    await settled();
    expect(hosts.asked).toHaveLength(1);
    expect(hosts.asked[0]!.priority).toBe('interactive');
    hosts.asked[0]!.answer(MADE);
    const [path, other] = await both;
    expect(path).toMatch(/^\/cache\/[0-9a-f]{32}-0\.webp$/);
    expect(other).toBe(path);
    expect(await shelf.sheet(FILE, 0)).toBe(path);
    expect(hosts.asked).toHaveLength(1);
    expect(await shelf.sheet(FILE, 8)).toBeNull();
  });

  it('[PLAY61] are made one at a time, the latest wish first, and not for those who have gone', async () => {
    const gone = new AbortController();
    const first = shelf.sheet(FILE, 0);
    const left = shelf.sheet(FILE, 1, gone.signal);
    const second = shelf.sheet(FILE, 2);
    const third = shelf.sheet(FILE, 3);
    await settled();
    expect(hosts.asked).toHaveLength(1);
    gone.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    for (let i = 0; i < 3; i++) {
      hosts.asked[i]!.answer(MADE);
      await settled();
    }
    await Promise.all([first, second, third]);
    expect(seconds()).not.toContain(25);
    expect(new Set(seconds())).toEqual(new Set([0, 50, 75]));
  });

  it('[PLAY61] that cannot be made are not there, and are left alone for a while', async () => {
    const wanted = shelf.sheet(FILE, 0);
    await settled();
    hosts.asked[0]!.answer({ ok: false, failure: 'truncated' });
    expect(await wanted).toBeNull();
    expect(await shelf.sheet(FILE, 0)).toBeNull();
    expect(hosts.asked).toHaveLength(1);
    await clock.advance(10 * 60_000);
    void shelf.sheet(FILE, 0);
    await settled();
    expect(hosts.asked).toHaveLength(2);
  });

  it('[PLAY60] another version of the file has others', async () => {
    const wanted = shelf.sheet(FILE, 0);
    await settled();
    hosts.asked[0]!.answer(MADE);
    await wanted;
    void shelf.sheet({ ...FILE, mtimeUs: 2 }, 0);
    await settled();
    expect(hosts.asked).toHaveLength(2);
  });
});

describe('sheets in the background', () => {
  const job = (abort = new AbortController()) => {
    const told: (readonly [number, number])[] = [];
    return {
      abort,
      told,
      signal: abort.signal,
      progress: ({ done, total }: { done: number; total: number }) => void told.push([done, total]),
    };
  };
  const answerAll = async (result: PreviewSheetResult): Promise<void> => {
    for (let at = 0; at < hosts.asked.length; at++) {
      hosts.asked[at]!.answer(result);
      await settled();
      await settled();
    }
  };

  it('[PLAY61] come from where the person is, ahead first, and say how far they are', async () => {
    const running = job();
    const filled = shelf.complete(FILE, 60_000, running);
    await settled();
    await answerAll(MADE);
    await filled;
    expect(seconds()).toEqual([50, 75, 25, 100, 0, 125, 150, 175]);
    expect(hosts.asked.every(({ priority }) => priority === 'background')).toBe(true);
    expect(running.told.at(-1)).toEqual([8, 8]);
    expect(await shelf.count(FILE)).toEqual({ there: 8, total: 8 });
  });

  it('[PLAY63] rest between two while somebody’s picture is encoded', async () => {
    hosts.transcodes = 1;
    const filled = shelf.complete(FILE, 0, job());
    await settled();
    await clock.advance(2_000);
    hosts.asked[0]!.answer(MADE);
    await settled();
    await settled();
    await clock.advance(3_900);
    expect(hosts.asked).toHaveLength(1);
    hosts.transcodes = 0;
    await clock.advance(200);
    await settled();
    await answerAll(MADE);
    await filled;
    expect(hosts.asked).toHaveLength(8);
  });

  it('[PLAY63] stop at once when they are cancelled, and what is made stays', async () => {
    const running = job();
    const filled = shelf.complete(FILE, 0, running);
    await settled();
    hosts.asked[0]!.answer(MADE);
    await settled();
    await settled();
    running.abort.abort(new Error('cancelled'));
    await expect(filled).rejects.toThrow('cancelled');
    expect(await shelf.count(FILE)).toEqual({ there: 1, total: 8 });
  });

  it('[PLAY61] give a file up whose sheets fail in a row', async () => {
    const filled = shelf.complete(FILE, 0, job());
    await settled();
    await answerAll({ ok: false, failure: 'unsupported' });
    await filled;
    expect(hosts.asked).toHaveLength(3);
  });
});
