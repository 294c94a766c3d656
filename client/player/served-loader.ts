/**
 * Loads segments for hls.js, which judges the line by how long they take. A segment that had to be made first says so nothing of the
 * line: the server tells how long it took (`Server-Timing: make;dur=812`), and that is left out.
 */
import Hls from 'hls.js';
import type { FragmentLoaderConstructor, Loader, LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js';

type SegmentLoader = InstanceType<FragmentLoaderConstructor>;

/** Milliseconds that the server needed to make a segment, by its header; 0 where it says nothing. */
export function makingMs(serverTiming: string | null | undefined): number {
  const told = /(?:^|,)\s*make;dur=(\d+(?:\.\d+)?)/.exec(serverTiming ?? '')?.[1];
  return told === undefined ? 0 : Number(told);
}

const Base = Hls.DefaultConfig.loader as new (...args: readonly unknown[]) => Loader<LoaderContext>;

class ServedLoader extends Base {
  override load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
    super.load(context, config, {
      ...callbacks,
      onSuccess: (response, stats, of, details) => {
        const { loading } = stats;
        const told = details instanceof XMLHttpRequest ? details.getResponseHeader('server-timing') : null;
        // Never past the first byte: what comes out of the browser's own cache still bears the header.
        loading.start = Math.min(loading.first, loading.start + makingMs(told));
        callbacks.onSuccess(response, stats, of, details);
      },
    });
  }
}

/** For hls.js's `fLoader`. */
export const servedLoader = ServedLoader as unknown as new (...args: readonly unknown[]) => SegmentLoader;
