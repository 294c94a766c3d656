/** Plays HLS through Media Source Extensions. The only file that knows hls.js, which is loaded when the first movie needs it. */
import Hls, { ErrorDetails, ErrorTypes, Events } from 'hls.js';
import type { ErrorData } from 'hls.js';
import { EXPIRED_STATUS } from './source.ts';
import type { Source, SourceEvents, SourceProblem } from './source.ts';

/** Less than this ahead, and the picture is about to stand still. */
const DRY_S = 0.5;

function isLoadedAt(video: HTMLVideoElement, seconds: number): boolean {
  const { buffered } = video;
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= seconds + 0.1 && seconds < buffered.end(index)) return true;
  }
  return false;
}

/** Statuses by which the server refuses for good; 5xx and these few others may pass. */
const isRefusal = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** The server's own word for what is the matter (RFC 9457), `null` where it has none. */
async function failureAt(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { cache: 'no-store' });
    if (response.ok) return null;
    const problem: unknown = await response.json();
    const code = (problem as { readonly code?: unknown } | null)?.code;
    return typeof code === 'string' ? code : null;
  } catch {
    return null;
  }
}

/** A decoder that stumbles is revived this often before the way of playing is given up. */
const REVIVALS = 2;

export function openHlsSource(video: HTMLVideoElement, url: string, startMs: number, events: SourceEvents): Source {
  const hls = new Hls({
    startPosition: startMs / 1_000,
    // Enough to bridge a moment without a line, little enough that a seek does not throw minutes of transcoding away.
    maxBufferLength: 40,
    maxMaxBufferLength: 90,
    maxBufferSize: 120 * 1_000_000,
    backBufferLength: 60,
    // Subtitles come as files of their own and are drawn by the page.
    enableWebVTT: false,
    enableIMSC1: false,
    enableCEA708Captions: false,
    renderTextTracksNatively: false,
    // A segment may have to be made first; the server answers when it is there.
    fragLoadPolicy: {
      default: {
        maxTimeToFirstByteMs: 25_000,
        maxLoadTimeMs: 60_000,
        timeoutRetry: { maxNumRetry: 3, retryDelayMs: 0, maxRetryDelayMs: 0 },
        errorRetry: { maxNumRetry: 4, retryDelayMs: 800, maxRetryDelayMs: 6_000 },
      },
    },
  });
  let revivals = 0;
  let isClosed = false;
  let isEnding = false;

  /** What is loaded is shown first: a file that is cut off plays up to the cut. */
  const reportWhenDry = (problem: SourceProblem, detail: string): void => {
    isEnding = true;
    const report = (): void => {
      if (!isClosed) events.onProblem(problem, detail);
    };
    const isDry = !isLoadedAt(video, video.currentTime) || !isLoadedAt(video, video.currentTime + DRY_S);
    if (isDry) {
      report();
      return;
    }
    hls.stopLoad();
    video.addEventListener('waiting', report, { once: true });
    // A seek to where nothing is loaded, too.
    video.addEventListener('seeking', () => isLoadedAt(video, video.currentTime) || report());
  };

  const onNetworkError = (data: ErrorData): void => {
    const status = data.response?.code ?? 0;
    if (EXPIRED_STATUS.has(status)) events.onProblem('expired', data.details);
    // The server says that this part can't be made this way: asking for it again would not help.
    else if (isRefusal(status)) {
      void failureAt(data.frag?.url ?? data.url ?? url).then((code) =>
        reportWhenDry('undecodable', code ?? data.details),
      );
    } else if (data.fatal) events.onProblem('unreachable', `${data.details} ${status}`);
  };

  hls.on(Events.ERROR, (_, data) => {
    if (isClosed || isEnding) return;
    if (data.type === ErrorTypes.NETWORK_ERROR) {
      onNetworkError(data);
      return;
    }
    if (!data.fatal) return;
    const isRevivable =
      data.type === ErrorTypes.MEDIA_ERROR && data.details !== ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;
    if (isRevivable && revivals < REVIVALS) {
      revivals += 1;
      if (revivals > 1) hls.swapAudioCodec();
      hls.recoverMediaError();
      return;
    }
    events.onProblem('undecodable', `${data.details} ${data.error.message}`);
  });
  hls.loadSource(url);
  hls.attachMedia(video);

  return {
    switchRendition(name) {
      const index = hls.audioTracks.findIndex((track) => track.name === name);
      if (index < 0) return false;
      hls.audioTrack = index;
      return true;
    },
    facts() {
      const level = hls.levels[hls.currentLevel];
      return {
        throughputBps: Number.isFinite(hls.bandwidthEstimate) ? hls.bandwidthEstimate : null,
        variantBitrateBps: level === undefined ? null : level.bitrate,
        engine: 'hls.js',
      };
    },
    close() {
      isClosed = true;
      hls.destroy();
      video.removeAttribute('src');
      video.load();
    },
  };
}
