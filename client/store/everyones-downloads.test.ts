import { describe, expect, it } from 'vitest';
import { everyonesDownloadsFeed } from '#protocol/feeds/everyones-downloads.ts';
import { downloads as calls } from '#protocol/methods/downloads.ts';
import type { PersonsDownload } from '#protocol/schema/downloads.ts';
import { downloadOf } from '#test/support/downloads.ts';
import { MemoryServer } from '#test/support/memory-server.ts';
import { EveryonesDownloads } from './everyones-downloads.ts';

const of = (person: string, more: Parameters<typeof downloadOf>[0] = {}): PersonsDownload => ({
  ...downloadOf(more),
  person,
});

function open(): { server: MemoryServer; everyones: EveryonesDownloads; shown: () => string[] | undefined } {
  const server = new MemoryServer();
  server.setLive(true);
  const everyones = new EveryonesDownloads(server);
  const shown = () => everyones.downloads.value?.map(({ person, state }) => `${person} ${state}`);
  return { server, everyones, shown };
}

describe('the downloads of all people', () => {
  it('are followed: whose they are, how far each is, and the room of all', () => {
    const { server, everyones, shown } = open();
    expect([shown(), everyones.room.value]).toEqual([undefined, null]);
    const [adas, bobs] = [of('ada', { createdAt: 1 }), of('bob', { createdAt: 2, state: 'queued' })];
    server.snapshot(everyonesDownloadsFeed, { downloads: [adas, bobs], usedBytes: 5, limitBytes: 100 });
    expect(shown()).toEqual(['bob queued', 'ada ready']);
    server.entries(everyonesDownloadsFeed, [
      { kind: 'download', id: bobs.id, download: { ...bobs, state: 'preparing', progress: 0.5 } },
      { kind: 'download', id: adas.id, download: null },
      { kind: 'room', id: 'all', usedBytes: 9, limitBytes: 100 },
    ]);
    expect(shown()).toEqual(['bob preparing']);
    expect(everyones.room.value).toEqual({ usedBytes: 9, limitBytes: 100 });
  });

  it('one that is removed is gone at once, and its news after that changes nothing', async () => {
    const { server, everyones, shown } = open();
    const bobs = of('bob');
    server.snapshot(everyonesDownloadsFeed, { downloads: [bobs], usedBytes: 5, limitBytes: 100 });
    server.answer(calls.drop, () => ({}));
    await everyones.drop(bobs.id);
    expect(shown()).toEqual([]);
    server.entries(everyonesDownloadsFeed, [{ kind: 'download', id: bobs.id, download: null }]);
    expect(shown()).toEqual([]);
  });
});
