/**
 * Loads segments for hls.js, which judges the line by how long they take. A segment that had to be made first says so nothing of the
 * line: the server tells how long it took (`Server-Timing: make;dur=812`), and that is left out.
 *
 * An init segment that is given up is given up in silence. hls.js (1.7) gives one up only to ask for it anew, together with another segment,
 * and takes the news of the first for the end of whatever is loaded by then: each request would end the one before it, ten times a second,
 * until the init segment comes within a tenth of a second. One that has to be made never does.
 */
import Hls from 'hls.js';
import type {
  Fragment,
  FragmentLoaderConstructor,
  Loader,
  LoaderCallbacks,
  LoaderConfiguration,
  LoaderContext,
} from 'hls.js';

type SegmentLoader = InstanceType<FragmentLoaderConstructor>;

/** Milliseconds that the server needed to make a segment, by its header; 0 where it says nothing. */
export function makingMs(serverTiming: string | null | undefined): number {
  const told = /(?:^|,)\s*make;dur=(\d+(?:\.\d+)?)/.exec(serverTiming ?? '')?.[1];
  return told === undefined ? 0 : Number(told);
}

const Base = Hls.DefaultConfig.loader as new (...args: readonly unknown[]) => Loader<LoaderContext>;

const isInit = (context: LoaderContext & { readonly frag?: Fragment }): boolean => context.frag?.sn === 'initSegment';

class ServedLoader extends Base {
  override load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
    const { onAbort, ...others } = callbacks;
    super.load(context, config, {
      ...others,
      ...(onAbort !== undefined && !isInit(context) && { onAbort }),
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
