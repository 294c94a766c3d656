import { describe, expect, it } from 'vitest';
import { downloadsFeed } from '#protocol/feeds/downloads.ts';
import { downloads as calls } from '#protocol/methods/downloads.ts';
import type { Download } from '#protocol/schema/downloads.ts';
import { downloadOf, downloadRoom as room } from '#test/support/downloads.ts';
import { MemoryServer } from '#test/support/memory-server.ts';
import { DownloadsStore } from './downloads.ts';

function open(): { server: MemoryServer; store: DownloadsStore; told: string[] } {
  const server = new MemoryServer();
  server.setLive(true);
  const store = new DownloadsStore(server);
  const told: string[] = [];
  store.onChange((download, before) => told.push(`${download.title}: ${before?.state ?? 'new'} → ${download.state}`));
  return { server, store, told };
}

const entry = (download: Download) => ({ kind: 'download', id: download.id, download }) as const;
const shown = (store: DownloadsStore): string[] | undefined => store.downloads.value?.map(({ title }) => title);

describe('the downloads of a person', () => {
  it('are unknown until the server says, then the latest first, with the room that is left', () => {
    const { server, store, told } = open();
    expect([store.downloads.value, store.room.value]).toEqual([null, null]);
    const old = downloadOf({ title: 'Alien', createdAt: 1 });
    const later = downloadOf({ title: 'Brazil', createdAt: 2 });
    server.snapshot(downloadsFeed, { downloads: [old, later], room });
    expect(shown(store)).toEqual(['Brazil', 'Alien']);
    expect(store.room.value).toEqual(room);
    // What was so before anyone looked is not news.
    expect(told).toEqual([]);
  });

  it('follow what the feed says: new ones, states, room, and what was removed', () => {
    const { server, store, told } = open();
    server.snapshot(downloadsFeed, { downloads: [], room });
    const download = downloadOf({ title: 'Alien', state: 'queued' });
    server.entries(downloadsFeed, [entry(download)]);
    server.entries(downloadsFeed, [
      entry({ ...download, state: 'preparing', progress: 0.5 }),
      { kind: 'room', id: 'mine', room: { ...room, usedBytes: 7 } },
    ]);
    server.entries(downloadsFeed, [entry({ ...download, state: 'ready' })]);
    expect(store.room.value?.usedBytes).toBe(7);
    expect(told).toEqual(['Alien: new → queued', 'Alien: queued → preparing', 'Alien: preparing → ready']);
    server.entries(downloadsFeed, [{ kind: 'download', id: download.id, download: null }]);
    expect(shown(store)).toEqual([]);
  });

  it('what became ready while the line was away is told when it is back', () => {
    const { server, told } = open();
    const download = downloadOf({ title: 'Alien', state: 'preparing' });
    server.snapshot(downloadsFeed, { downloads: [download], room });
    server.snapshot(downloadsFeed, { downloads: [{ ...download, state: 'ready' }], room });
    expect(told).toEqual(['Alien: preparing → ready']);
  });

  it('those that became ready stay marked until somebody looks', () => {
    const { server, store } = open();
    const download = downloadOf({ state: 'preparing' });
    const other = downloadOf({ state: 'preparing' });
    server.snapshot(downloadsFeed, { downloads: [download, other, downloadOf({ state: 'ready' })], room });
    server.entries(downloadsFeed, [entry({ ...download, state: 'ready' }), entry({ ...other, state: 'ready' })]);
    expect([...store.fresh.value]).toEqual([download.id, other.id]);
    server.entries(downloadsFeed, [{ kind: 'download', id: other.id, download: null }]);
    expect([...store.fresh.value]).toEqual([download.id]);
    store.look();
    expect(store.fresh.value.size).toBe(0);
  });

  it('one that was asked for is there at once, and again from the feed without a second one', async () => {
    const { server, store } = open();
    server.snapshot(downloadsFeed, { downloads: [], room });
    const download = downloadOf({ title: 'Alien', state: 'queued' });
    server.answer(calls.request, () => ({ download }));
    const { movieId, fileId } = download;
    await store.request({ movieId, fileId, quality: '720p', audioTracks: [1] });
    server.entries(downloadsFeed, [entry(download)]);
    expect(shown(store)).toEqual(['Alien']);
    expect(server.sentOf(calls.request).map(({ input }) => input)).toEqual([
      { movieId, fileId, quality: '720p', audioTracks: [1] },
    ]);
  });

  it('are cancelled, tried again and removed, each shown before the feed repeats it', async () => {
    const { server, store } = open();
    const download = downloadOf({ state: 'preparing' });
    server.snapshot(downloadsFeed, { downloads: [download], room });
    server.answer(calls.cancel, () => ({ download: downloadOf({ ...download, state: 'cancelled' }) }));
    server.answer(calls.retry, () => ({ download: downloadOf({ ...download, state: 'queued' }) }));
    server.answer(calls.remove, () => ({}));
    await store.cancel(download.id);
    expect(store.downloads.value?.[0]?.state).toBe('cancelled');
    await store.retry(download.id);
    expect(store.downloads.value?.[0]?.state).toBe('queued');
    await store.remove(download.id);
    expect(store.downloads.value).toEqual([]);
  });

  it('a refusal leaves them as they are', async () => {
    const { server, store } = open();
    const download = downloadOf({ state: 'ready' });
    server.snapshot(downloadsFeed, { downloads: [download], room });
    server.setLive(false);
    await expect(store.remove(download.id)).rejects.toMatchObject({ code: 'disconnected' });
    expect(store.downloads.value).toHaveLength(1);
  });
});
