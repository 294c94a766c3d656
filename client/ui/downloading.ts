/** Saving files to this device, as a person asks for it: each time by an address made for that moment. */
import { downloadsOf } from '#client/store/downloads.ts';
import type { DownloadsStore } from '#client/store/downloads.ts';
import type { Download, DownloadLink } from '#protocol/schema/downloads.ts';
import { useAttempt, useCinema, useLobby } from './house.ts';

interface Downloading {
  /** `null` for people who may not download. */
  readonly store: DownloadsStore | null;
  /** Hands a copy that is ready to the browser. Resolves to whether it could. */
  readonly save: (download: Download) => Promise<boolean>;
  readonly saveOriginal: (movieId: string, fileId: string) => Promise<boolean>;
}

/** The browser takes it from here, with its own list of downloads, and goes on where it was cut short. */
function hand({ url, name }: DownloadLink): void {
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.hidden = true;
  // Firefox only follows one that is in the page.
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}

export function useDownloading(): Downloading {
  const store = downloadsOf(useCinema());
  const { notices } = useLobby();
  const attempt = useAttempt();
  const saved = (link: DownloadLink): void => {
    hand(link);
    notices.show(`Your browser is saving “${link.name}”.`);
  };
  return {
    store,
    save: (download) => attempt(async () => store !== null && saved(await store.link(download.id))),
    saveOriginal: (movieId, fileId) =>
      attempt(async () => store !== null && saved(await store.original(movieId, fileId))),
  };
}
