/**
 * A cache of files that is opened while the server is up already: tens of thousands of files are looked at one by one, and nobody
 * needs any of them in the first seconds. Who asks before that waits for it.
 */
import type { SheetCache } from '#engine/moments/ports.ts';

/** `opening` that rejects makes every question reject with the same reason. */
export function lateCache(opening: Promise<SheetCache>): SheetCache {
  let opened: SheetCache | null = null;
  opening.then(
    (cache) => {
      opened = cache;
    },
    () => undefined, // told to whoever asks
  );
  return {
    get totalBytes() {
      return opened?.totalBytes ?? 0;
    },
    find: async (name) => await (await opening).find(name),
    put: async (name, bytes) => await (await opening).put(name, bytes),
  };
}
