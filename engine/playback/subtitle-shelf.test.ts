import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import type { SubtitleRequest, SubtitleResult } from '#engine/hosts/probe.port.ts';
import type { MediaCallOptions } from '#engine/hosts/media-supervisor.port.ts';
import { mediaInfo, subtitleTrack } from '#test/support/media-info.ts';
import { FakeHosts } from '#test/support/playback.ts';
import { MemorySubtitleCache } from '#test/support/subtitles.ts';
import type { StoredFile } from './ports.ts';
import { SubtitleShelf } from './subtitle-shelf.ts';
import type { ShelfFile } from './subtitle-shelf.ts';

type TrackRequest = Extract<SubtitleRequest, { kind: 'tracks' }>;

interface Asked {
  readonly wanted: readonly number[];
  readonly priority: MediaCallOptions['priority'];
  readonly folder: string;
  readonly fromMs: number;
  finish(result?: SubtitleResult): void;
  isAborted: boolean;
}

const FILE: StoredFile = {
  id: '00000000-0000-4000-8000-000000000001',
  movieId: '00000000-0000-4000-8000-000000000002',
  path: '/movies/a.mkv',
  sizeBytes: 1,
  mtimeUs: 1,
  isExtra: false,
  part: null,
  edition: null,
  state: 'playable',
  failure: null,
  media: mediaInfo({
    subtitles: [
      subtitleTrack({ index: 2 }),
      subtitleTrack({ index: 3 }),
      subtitleTrack({ index: 4, codec: 'hdmv_pgs_subtitle' }),
    ],
  }),
};

let clock: FakeClock;
let cache: MemorySubtitleCache;
let asked: Asked[];
let hosts: FakeHosts;
let shelf: SubtitleShelf;

beforeEach(() => {
  clock = new FakeClock();
  cache = new MemorySubtitleCache();
  asked = [];
  hosts = new FakeHosts();
  hosts.subtitle = read;
  shelf = new SubtitleShelf({ hosts, cache, clock, log: silentLog });
});

/** A host that ends when it is told to. */
function read(_path: string, request: SubtitleRequest, options?: MediaCallOptions): Promise<SubtitleResult> {
  const { wanted, folder, fromMs } = request as TrackRequest;
  const { promise, resolve, reject } = Promise.withResolvers<SubtitleResult>();
  const one: Asked = {
    ...{ wanted, folder, fromMs, priority: options?.priority, isAborted: false },
    finish: (result = { ok: true, made: [], fileKind: null }) => {
      if (result.ok) for (const index of wanted) cache.write(folder, `t${index}.done`, '');
      resolve(result);
    },
  };
  options?.signal?.addEventListener('abort', () => {
    one.isAborted = true;
    reject(options.signal?.reason as Error);
  });
  asked.push(one);
  return promise;
}

const never = new AbortController().signal;
const find = (trackIndex: number, signal = never): Promise<ShelfFile> =>
  shelf.find(FILE, { trackIndex, fromMs: 5_000 }, trackIndex === 4 ? 'pics' : 'vtt', signal);
/** Everything that somebody gets, as it comes. */
async function listen(found: ShelfFile, into: string[]): Promise<void> {
  if ('path' in found) into.push(found.path);
  else for await (const piece of found.pieces) into.push(Buffer.from(piece).toString());
}
const settle = (): Promise<void> => clock.advance(0);

describe('the shelf of subtitles', () => {
  it('[PLAY22] reads once for everyone who asks at the same time, from where they watch, all text together', async () => {
    const [one, two] = [find(2), find(2)];
    await settle();
    expect(asked).toMatchObject([{ wanted: [2, 3], priority: 'interactive', fromMs: 5_000 }]);
    cache.write(asked[0]!.folder, 't2.vtt', 'WEBVTT\n');
    await clock.advance(200);
    const got: string[][] = [[], []];
    const done = [one, two].map(async (found, at) => listen(await found, got[at]!));
    await settle();
    asked[0]!.finish();
    await clock.advance(200);
    await Promise.all(done);
    expect(got).toEqual([['WEBVTT\n'], ['WEBVTT\n']]);
    expect(await find(2)).toMatchObject({ path: expect.stringMatching(/t2\.vtt$/) as string });
    expect(asked).toHaveLength(1);
  });

  it('[PLAY53] gives what is there, and the rest as it comes', async () => {
    const found = find(2);
    await settle();
    const { folder } = asked[0]!;
    cache.write(folder, 't2.vtt', 'WEBVTT\n');
    await clock.advance(200);
    const got: string[] = [];
    const done = listen(await found, got);
    await settle();
    expect(got).toEqual(['WEBVTT\n']);
    cache.write(folder, 't2.vtt', 'WEBVTT\n\nmore\n');
    await clock.advance(200);
    expect(got).toEqual(['WEBVTT\n', '\nmore\n']);
    asked[0]!.finish();
    await clock.advance(200);
    await done;
  });

  it('[PLAY53] a reply ends short where the reading fails, and what was half done is gone', async () => {
    const found = find(2);
    await settle();
    cache.write(asked[0]!.folder, 't2.vtt', 'WEBVTT\n');
    await clock.advance(200);
    const done = listen(await found, []);
    const failing = expect(done).rejects.toMatchObject({ code: 'failed', failure: 'truncated' });
    await settle();
    asked[0]!.finish({ ok: false, failure: 'truncated' });
    await clock.advance(200);
    await failing;
    expect(await cache.names(asked[0]!.folder)).toEqual([]);
  });

  it('[PLAY22] is given up when everyone who asked has gone', async () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const gone = [find(2, one.signal), find(2, two.signal)].map((found) => expect(found).rejects.toThrow('gone'));
    await settle();
    one.abort(new Error('gone'));
    await settle();
    expect(asked[0]!.isAborted).toBe(false);
    two.abort(new Error('gone'));
    await Promise.all(gone);
    expect(asked[0]!.isAborted).toBe(true);
    void find(2).catch(() => undefined);
    await settle();
    expect(asked).toHaveLength(2);
  });

  it('[PLAY22] one that is given up leaves alone what another of the same movie is writing', async () => {
    const away = new AbortController();
    const left = expect(find(4, away.signal)).rejects.toThrow('gone');
    await settle();
    void find(2).catch(() => undefined);
    await settle();
    const [pictures, text] = asked as [Asked, Asked];
    cache.write(text.folder, 't2.vtt', 'WEBVTT\n');
    cache.write(text.folder, 't4.pics.new', 'half');
    away.abort(new Error('gone'));
    await left;
    await settle();
    expect([pictures.isAborted, text.isAborted]).toEqual([true, false]);
    expect(await cache.names(text.folder)).toEqual(['t2.vtt']);
  });

  it('[PLAY22] who asks while one that was given up still writes waits for its end, and takes what it made whole', async () => {
    const { promise: end, reject } = Promise.withResolvers<never>();
    hosts.subtitle = (...call) => {
      const answer = read(...call);
      return asked.length === 1 ? answer.catch(() => end) : answer;
    };
    const done = find(2).then((found) => listen(found, []));
    await settle();
    const { folder } = asked[0]!;
    cache.write(folder, 't2.vtt', 'WEBVTT\n');
    cache.write(folder, 't2.done', '');
    await clock.advance(200);
    await done;
    expect(asked[0]!.isAborted).toBe(true);
    const other = find(3);
    await clock.advance(200);
    expect(asked).toHaveLength(1);
    for (const name of ['t3.vtt', 't3.done']) cache.write(folder, name, '');
    reject(new Error('given up'));
    await clock.advance(200);
    expect(await other).toMatchObject({ path: expect.stringMatching(/t3\.vtt$/) as string });
    expect(asked).toHaveLength(1);
  });

  it('[PLAY53] a reply ends short where the reading ends without making the track whole', async () => {
    void find(2).catch(() => undefined);
    await settle();
    cache.write(asked[0]!.folder, 't4.pics', 'MSP1');
    await clock.advance(200);
    const failing = expect(listen(await find(4), [])).rejects.toMatchObject({ code: 'failed' });
    await settle();
    asked[0]!.finish();
    await clock.advance(200);
    await failing;
  });

  it('[PLAY52] reads ahead in the background, one movie at a time, and what is chosen first', async () => {
    shelf.prepare(FILE, 4, 7_000);
    await settle();
    expect(asked).toMatchObject([{ wanted: [4, 2, 3], priority: 'background', fromMs: 7_000 }]);
    shelf.prepare({ ...FILE, id: '00000000-0000-4000-8000-000000000009' }, null, 0);
    await settle();
    expect(asked).toHaveLength(1);
    asked[0]!.finish();
    await settle();
    expect(asked).toHaveLength(2);
    asked[1]!.finish();
    await settle();
    shelf.prepare(FILE, 4, 7_000);
    await settle();
    expect(asked).toHaveLength(2);
  });

  it('[PLAY52] who wants what is read ahead, and has not begun, does not wait behind others', async () => {
    shelf.prepare(FILE, null, 0);
    await settle();
    void find(3).catch(() => undefined);
    await settle();
    expect(asked[0]!.isAborted).toBe(true);
    expect(asked[1]).toMatchObject({ wanted: [3, 2], priority: 'interactive' });
  });

  it('[PLAY52] who wants what one ahead comes to within a moment gets it from there, and nothing begins anew', async () => {
    shelf.prepare(FILE, null, 0);
    await settle();
    cache.write(asked[0]!.folder, 't2.vtt', 'WEBVTT\n');
    const found = find(3);
    await clock.advance(300);
    expect(asked[0]!.isAborted).toBe(false);
    cache.write(asked[0]!.folder, 't3.vtt', 'WEBVTT\n');
    await clock.advance(300);
    expect('pieces' in (await found)).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it('[PLAY52] who wants what one ahead does not come to for a second has it read at once', async () => {
    shelf.prepare(FILE, 4, 0);
    await settle();
    cache.write(asked[0]!.folder, 't4.pics', 'MSP1');
    const found = find(3);
    for (let look = 0; look < 8; look++) await clock.advance(150);
    void found.catch(() => undefined);
    expect(asked[0]!.isAborted).toBe(true);
    expect(asked[1]).toMatchObject({ wanted: [3, 2], priority: 'interactive' });
  });

  it('[PLAY52] one that reads through the whole file makes what others want, too', async () => {
    void find(2).catch(() => undefined);
    await settle();
    cache.write(asked[0]!.folder, 't4.pics', 'MSP1');
    const found = await find(4);
    expect('pieces' in found).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it('[PLAY52] what an earlier life left half done is read again', async () => {
    void find(2).catch(() => undefined);
    await settle();
    const { folder } = asked[0]!;
    const again = new MemorySubtitleCache();
    await again.folder(folder);
    again.write(folder, 't2.vtt', 'WEBVTT\n\nhalf');
    again.write(folder, 'f7', 'a font');
    cache.folders.set(folder, again.folders.get(folder)!);
    const next = new SubtitleShelf({ hosts: new FakeHosts(), cache: again, clock, log: silentLog });
    await expect(next.find(FILE, { trackIndex: 2, fromMs: 0 }, 'vtt', never)).rejects.toMatchObject({ code: 'failed' });
    expect(await again.names(folder)).toEqual(['f7']);
  });

  describe('pictures that are burnt in', () => {
    const OF = { trackIndex: 4, fromMs: 0 };
    const HELD = { [Symbol.dispose]: expect.any(Function) as unknown };
    const hold = (fromMs: number, signal = never): Promise<Disposable> =>
      shelf.hold(FILE, OF, 'pics', { fromMs, untilMs: fromMs + 2_000 }, signal);
    /** What a host does as it reads. */
    const tell = (folder: string, ...spans: [number, number][]): void => {
      cache.write(folder, 't4.pics', 'MSP1');
      cache.write(folder, 't4.read', JSON.stringify(spans));
    };
    /** Settles with what came of it, so that a test can see that nothing has. */
    function outcome(held: Promise<Disposable>): { value: unknown } {
      const seen: { value: unknown } = { value: 'waiting' };
      held.then(
        (value) => (seen.value = value),
        (error: unknown) => (seen.value = error),
      );
      return seen;
    }

    it('[PLAY59] a segment waits until the reading has passed its place', async () => {
      const seen = outcome(hold(60_000));
      await settle();
      expect(asked).toMatchObject([{ wanted: [4], fromMs: 60_000, priority: 'interactive' }]);
      tell(asked[0]!.folder, [60_000, 61_000]);
      await clock.advance(500);
      expect(seen.value).toBe('waiting');
      tell(asked[0]!.folder, [60_000, 62_000]);
      await clock.advance(200);
      expect(seen.value).toMatchObject(HELD);
    });

    it('[PLAY59] who goes to before the place where the reading began gets one from there, and it is not cut short', async () => {
      const first = hold(600_000);
      await settle();
      tell(asked[0]!.folder, [600_000, 700_000]);
      await clock.advance(200);
      (await first)[Symbol.dispose]();
      // Nobody waits; the encoder goes on ahead.
      expect(asked[0]!.isAborted).toBe(false);
      const seen = outcome(hold(0));
      await clock.advance(2_000);
      expect(asked[0]!.isAborted).toBe(true);
      expect(asked[1]).toMatchObject({ wanted: [4], fromMs: 0 });
      expect(await cache.names(asked[1]!.folder)).toEqual([]);
      tell(asked[1]!.folder, [0, 100_000]);
      await clock.advance(200);
      expect(seen.value).toMatchObject(HELD);
    });

    it('[PLAY59] a reading that is on its way, or that can’t be begun elsewhere, is waited for', async () => {
      const seen = [outcome(hold(600_000))];
      await settle();
      // A file in which no place can be sought is read from its beginning.
      tell(asked[0]!.folder, [0, 50_000]);
      await clock.advance(5_000);
      seen.push(outcome(hold(300_000)));
      await clock.advance(5_000);
      expect(asked).toHaveLength(1);
      expect(asked[0]!.isAborted).toBe(false);
      tell(asked[0]!.folder, [0, 700_000]);
      await clock.advance(200);
      for (const { value } of seen) expect(value).toMatchObject(HELD);
    });

    it('[PLAY59] a reading that somebody waits for is given up by nobody, in the background neither', async () => {
      shelf.prepare(FILE, 4, 600_000);
      await settle();
      tell(asked[0]!.folder, [600_000, 601_000]);
      const one = outcome(hold(600_000));
      const other = outcome(hold(0));
      void find(2).catch(() => undefined);
      await clock.advance(10_000);
      expect(asked.map(({ isAborted }) => isAborted)).toEqual([false]);
      tell(asked[0]!.folder, [600_000, 650_000]);
      await clock.advance(200);
      const held = one.value as Disposable;
      // Held until the segment has been sent; then whoever waits elsewhere is next.
      await clock.advance(2_000);
      expect(asked[0]!.isAborted).toBe(false);
      expect(other.value).toBe('waiting');
      held[Symbol.dispose]();
    });

    it('[PLAY59] waits half a minute at most, and says why where there is nothing', async () => {
      const late = outcome(hold(60_000));
      await clock.advance(31_000);
      expect(late.value).toMatchObject({ code: 'late' });
      const failed = outcome(hold(60_000));
      await settle();
      asked[0]!.finish({ ok: false, failure: 'notReadable' });
      await clock.advance(200);
      expect(failed.value).toMatchObject({ code: 'failed', failure: 'notReadable' });
    });
  });

  it('[PLAY52] two who open movies at the same moment still read ahead one at a time', async () => {
    shelf.prepare(FILE, null, 0);
    shelf.prepare({ ...FILE, id: '00000000-0000-4000-8000-000000000009' }, null, 0);
    await settle();
    expect(asked).toHaveLength(1);
  });

  it('[PLAY22] two who ask in the same breath begin one reading, also where one ahead is given up for them', async () => {
    shelf.prepare(FILE, null, 0);
    await settle();
    void Promise.allSettled([find(2), find(3), find(2)]);
    await settle();
    expect(asked.map(({ isAborted }) => isAborted)).toEqual([true, false]);
  });
});
