/**
 * Our side of the `feed` bench: the real hub behind the real gateway, with the library's feed put together as the engine
 * does it. What is Postgres in a server, the change feed and the movie's card, lies in memory.
 */
import { FeedHub } from '#engine/feeds/feed-hub.ts';
import type { Change, ChangeLog } from '#engine/feeds/ports.ts';
import { createFeedSources } from '#engine/library/feed-sources.ts';
import { silentLog } from '#engine/base/log.ts';
import type { MovieCard } from '#protocol/schema/movie.ts';
import { startGateway, viewerOf } from '#test/support/gateway.ts';
import { answerWith } from '../program.ts';

const ID = '0190f3a2-5c1e-7b44-9d1f-3a6f0c2b8e71';
const card: MovieCard = {
  id: ID,
  title: 'The Cabinet of Dr. Caligari',
  year: 1920,
  durationMs: 4_562_000,
  picture: { url: `/images/${ID}/4f6c2e`, width: 400, height: 600, placeholder: null },
  poster: null,
  rating: null,
  resolution: 1080,
  hdr: null,
  isPlayable: true,
  addedAt: 1_795_428_000_123,
};

class MemoryChanges implements ChangeLog {
  readonly epoch = 'bench';
  readonly #log: Change[] = [];
  #onChange: () => void = () => undefined;

  latestSeq = async (): Promise<number> => this.#log.length;
  oldestSeq = async (): Promise<number> => 0;
  changesAfter = async (seq: number, limit: number): Promise<readonly Change[]> => this.#log.slice(seq, seq + limit);

  async onChange(listener: () => void): Promise<() => Promise<void>> {
    this.#onChange = listener;
    return async () => undefined;
  }

  add(): void {
    this.#log.push({ seq: this.#log.length + 1, feed: 'library', audience: null, kind: 'movie', entityId: ID });
    this.#onChange();
  }
}

const changes = new MemoryChanges();
const { library } = createFeedSources(
  { list: async () => [] },
  { cards: async () => new Map([[ID, card]]), count: async () => 1, movie: async () => null },
);
const hub = await FeedHub.start({ changes, sources: [library], processEpoch: 'bench', log: silentLog });
const running = await startGateway({ feeds: hub });
const { token } = running.sessions.open(viewerOf('user'));

const answers = {
  address: () => ({ port: running.port, token }),
  /** Changes the movie and tells when, by the clock that all processes share. */
  change: () => {
    const atNs = process.hrtime.bigint();
    changes.add();
    return atNs;
  },
};
export type GatewayProgram = typeof answers;
answerWith(answers);
