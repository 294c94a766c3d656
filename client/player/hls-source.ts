/** Plays HLS through Media Source Extensions. The only file that knows hls.js, which is loaded when the first movie needs it. */
import Hls, { ErrorDetails, ErrorTypes, Events } from 'hls.js';
import type { ErrorData } from 'hls.js';
import { EXPIRED_STATUS } from './source.ts';
import type { Source, SourceEvents } from './source.ts';

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

  const fail = (data: ErrorData): void => {
    if (isClosed) return;
    const status = data.response?.code ?? 0;
    if (EXPIRED_STATUS.has(status)) events.onProblem('expired', data.details);
    else if (data.type === ErrorTypes.NETWORK_ERROR) {
      events.onProblem(status >= 400 && status < 500 ? 'undecodable' : 'unreachable', `${data.details} ${status}`);
    } else events.onProblem('undecodable', `${data.details} ${data.error.message}`);
  };

  hls.on(Events.ERROR, (_, data) => {
    const isExpired = EXPIRED_STATUS.has(data.response?.code ?? 0);
    // Retrying a refused address only costs time.
    if (isExpired && data.type === ErrorTypes.NETWORK_ERROR) {
      fail(data);
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
    fail(data);
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
