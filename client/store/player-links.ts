/** Addresses of movies for players outside the browser. */
import type { InputOf } from '#protocol/contract.ts';
import { playback } from '#protocol/methods/playback.ts';
import type { PlaybackLink } from '#protocol/schema/playback-link.ts';
import type { Server } from './ports.ts';

export type LinkWish = InputOf<typeof playback.link>;

export class PlayerLinks {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Fails with `notPlayable`. */
  async make(wish: LinkWish): Promise<PlaybackLink> {
    return await this.#server.call(playback.link, wish);
  }
}

/** A playlist of one entry with a title, to be kept as a file: so its address is whole. `origin`: where this server is reached. */
export function playlistFile(link: Pick<PlaybackLink, 'title' | 'durationMs' | 'url'>, origin: string): string {
  return `#EXTM3U\n#EXTINF:${Math.round(link.durationMs / 1_000)},${link.title}\n${new URL(link.url, origin).href}\n`;
}

/** A name that every file system takes. */
export function playlistName(title: string): string {
  const name = title
    .replace(/[\u0000-\u001f<>:"/\\|?*]+/g, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  return `${name === '' ? 'Movie' : name}.m3u`;
}
