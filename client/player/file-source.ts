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

/** What a few browsers have: the audio tracks of a file, in its order. */
interface ChoosableAudio {
  readonly audioTracks?: { readonly length: number; [at: number]: { enabled: boolean } };
}

/** Plays the track at this place among the file's own; `false` where the browser can't, or has not that many. */
function enableAudio(video: HTMLVideoElement, at: number): boolean {
  const tracks = (video as ChoosableAudio).audioTracks;
  if (tracks === undefined || at < 0 || at >= tracks.length) return false;
  for (let index = 0; index < tracks.length; index++) tracks[index]!.enabled = index === at;
  return true;
}

/** `audio`: names of the file's audio tracks, in its order, and which of them is to be heard. */
export function openFileSource(
  video: HTMLVideoElement,
  url: string,
  startMs: number,
  engine: 'file' | 'nativeHls',
  events: SourceEvents,
  audio: { readonly names: readonly string[]; readonly chosen: number } = { names: [], chosen: 0 },
): Source {
  let isClosed = false;
  /** An element does not tell bytes. It tells every third of a second that some have come. */
  let arrivals = 0;
  const onProgress = (): void => {
    arrivals += 1;
  };
  const onError = (): void => {
    const { error } = video;
    void diagnose(url, error).then((problem) => {
      if (!isClosed) events.onProblem(problem, error?.message ?? '');
    });
  };
  const onMetadata = (): void => {
    // Also when the element kept a position of its own: a reopened source must not begin at the beginning.
    if (Math.abs(video.currentTime * 1_000 - startMs) > 250) video.currentTime = startMs / 1_000;
    if (audio.chosen > 0) enableAudio(video, audio.chosen);
  };
  video.addEventListener('error', onError);
  video.addEventListener('progress', onProgress);
  video.addEventListener('loadedmetadata', onMetadata, { once: true });
  video.src = url;
  video.load();
  return {
    switchRendition(name) {
      const isSwitched = enableAudio(video, audio.names.indexOf(name));
      if (isSwitched) events.onSound(name);
      return isSwitched;
    },
    chooseVariant: () => undefined,
    facts: () => ({ throughputBps: null, variantBitrateBps: null, liveBitrateBps: null, engine }),
    arrivedBytes: () => arrivals,
    restart() {
      // The element's own way to let its request go and make another.
      const seconds = video.currentTime;
      video.currentTime = seconds;
    },
    close() {
      isClosed = true;
      video.removeEventListener('error', onError);
      video.removeEventListener('progress', onProgress);
      video.removeEventListener('loadedmetadata', onMetadata);
      video.removeAttribute('src');
      video.load();
    },
  };
}
