/** Plays an address as it is: a file by byte ranges, or HLS on devices that have their own player for it. */
import { EXPIRED_STATUS } from './source.ts';
import type { Source, SourceEvents, SourceProblem } from './source.ts';

/** A media element says only "it failed"; one byte of the same address tells why. */
async function diagnose(url: string, mediaError: MediaError | null): Promise<SourceProblem> {
  try {
    const response = await fetch(url, { headers: { range: 'bytes=0-0' }, cache: 'no-store' });
    await response.body?.cancel();
    if (EXPIRED_STATUS.has(response.status)) return 'expired';
    if (response.status >= 500 || response.status === 429) return 'unreachable';
    // The address answers: a broken line is worth another try, anything else is the picture itself.
    return mediaError?.code === MediaError.MEDIA_ERR_NETWORK ? 'unreachable' : 'undecodable';
  } catch {
    return 'unreachable';
  }
}

export function openFileSource(
  video: HTMLVideoElement,
  url: string,
  startMs: number,
  engine: 'file' | 'nativeHls',
  events: SourceEvents,
): Source {
  let isClosed = false;
  const onError = (): void => {
    const { error } = video;
    void diagnose(url, error).then((problem) => {
      if (!isClosed) events.onProblem(problem, error?.message ?? '');
    });
  };
  const onMetadata = (): void => {
    // Also when the element kept a position of its own: a reopened source must not begin at the beginning.
    if (Math.abs(video.currentTime * 1_000 - startMs) > 250) video.currentTime = startMs / 1_000;
  };
  video.addEventListener('error', onError);
  video.addEventListener('loadedmetadata', onMetadata, { once: true });
  video.src = url;
  video.load();
  return {
    switchRendition: () => false,
    chooseVariant: () => undefined,
    facts: () => ({ throughputBps: null, variantBitrateBps: null, liveBitrateBps: null, engine }),
    close() {
      isClosed = true;
      video.removeEventListener('error', onError);
      video.removeEventListener('loadedmetadata', onMetadata);
      video.removeAttribute('src');
      video.load();
    },
  };
}
