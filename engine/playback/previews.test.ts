/** What playback does with previews and marks: tells where they are, and serves the sheets under its signed addresses. */
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { planPreviews } from '#engine/media/preview-plan.ts';
import type { Playback } from '#protocol/schema/playback.ts';
import { testContext } from '#test/support/call-context.ts';
import { FakeHosts, MemoryPlaybackStore, MemoryScratch } from '#test/support/playback.ts';
import { MemoryPreferenceStore } from '#test/support/preferences.ts';
import { MemorySubtitleCache, MemorySubtitleStore, MemorySubtitleVault } from '#test/support/subtitles.ts';
import { createPlayback } from './playback.ts';
import type { PlaybackPart } from './playback.ts';
import type { MomentsPort } from './ports.ts';

const id = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const [MOVIE, FILE, NEXT] = [id(10), id(20), id(30)];
const INTRO = { kind: 'intro', startMs: 1_000, endMs: 20_000, source: 'person', confidence: 100 } as const;

let part: PlaybackPart;
let isSignedIn: boolean;
let store: MemoryPlaybackStore;
const asked: string[] = [];

const moments: MomentsPort = {
  opened: (file) =>
    Promise.resolve({
      previews: planPreviews(file.media!),
      markers: [INTRO],
      next: { movieId: NEXT, title: 'Heat 2', year: 2027 },
    }),
  previews: (file) => planPreviews(file.media!),
  sheet: (file, sheet) => {
    asked.push(`${file.id} ${sheet}`);
    return Promise.resolve(sheet === 1 ? null : `/cache/${sheet}.webp`);
  },
};

beforeEach(() => {
  isSignedIn = true;
  asked.length = 0;
  store = new MemoryPlaybackStore();
  store.add({ id: FILE, movieId: MOVIE });
  part = createPlayback({
    ...{ store, moments, hosts: new FakeHosts(), scratch: new MemoryScratch(), log: silentLog, clock: new FakeClock() },
    subtitles: {
      store: new MemorySubtitleStore(),
      vault: new MemorySubtitleVault(),
      cache: new MemorySubtitleCache(),
      newId: () => id(77),
      quota: { personBytes: 1e9, totalBytes: 1e9 },
    },
    people: new MemoryPreferenceStore(),
    sessions: { isAlive: () => Promise.resolve(isSignedIn) },
    progress: { ofMovies: () => Promise.resolve([]) },
    urlKey: Buffer.alloc(32, 1),
    scratchQuotaBytes: 1e9,
    maxTranscodes: 1,
    encode: { maxHeightPx: 720, crf: 23, preset: 'veryfast' },
  });
});

const open = async (): Promise<Playback> => await part.handlers.open({ movieId: MOVIE, without: [] }, testContext());

async function get(url: string): Promise<{ status: number; type: string; body: string }> {
  const [grant = '', name = ''] = url.split('/').slice(2);
  const route = part.routes.find(({ path }) => path === '/media/{grant}/{name}')!;
  const reply = { status: 0, type: '', body: '' };
  await route.handle(
    { id: id(99), params: { grant, name }, headers: {}, signal: new AbortController().signal },
    {
      send: (status, headers, body = '') =>
        void Object.assign(reply, { status, type: headers['content-type'], body: String(body) }),
      stream: () => Promise.resolve(),
      file: ({ path, contentType }) => {
        Object.assign(reply, { status: 200, type: contentType, body: path });
        return Promise.resolve();
      },
    },
  );
  return reply;
}

describe('previews of a playback', () => {
  it('[PLAY62] are told with it, and served under its own address', async () => {
    const { trickplay, markers, next } = await open();
    expect(trickplay).toMatchObject({ intervalMs: 1_000, count: 60, columns: 5, widthPx: 320, heightPx: 180 });
    expect(markers).toEqual([INTRO]);
    expect(next).toEqual({ movieId: NEXT, title: 'Heat 2', year: 2027 });
    const sheetOf = (n: number | string): string => trickplay!.sheetUrl.replace('{n}', String(n));
    expect(await get(sheetOf(2))).toEqual({ status: 200, type: 'image/webp', body: '/cache/2.webp' });
    const vtt = await get(trickplay!.vttUrl);
    expect(vtt).toMatchObject({ status: 200, type: 'text/vtt; charset=utf-8' });
    expect(vtt.body).toContain('p2.webp#xywh=0,0,320,180');
    // One that can't be made, those that there are none of, and other spellings of a number.
    for (const n of [1, 3, 9_999, '02', '-1', '2x', '']) expect((await get(sheetOf(n))).status, `sheet ${n}`).toBe(404);
    expect(asked).toEqual([`${FILE} 2`, `${FILE} 1`]);
  });

  it('[PLAY62] end with the session, with the file’s version, and are nobody else’s', async () => {
    const { trickplay } = await open();
    const url = trickplay!.sheetUrl.replace('{n}', '0');
    expect((await get(url.replace(/.(?=\/p0)/, '!'))).status).toBe(403);
    store.add({ id: FILE, movieId: MOVIE, mtimeUs: 5 });
    expect((await get(url)).status).toBe(410);
    store.add({ id: FILE, movieId: MOVIE });
    expect((await get(url)).status).toBe(200);
    isSignedIn = false;
    expect((await get(url)).status).toBe(401);
    expect((await get(trickplay!.vttUrl)).status).toBe(401);
    expect(asked).toHaveLength(1);
  });
});
