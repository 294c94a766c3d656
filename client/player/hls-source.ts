/** Plays HLS through Media Source Extensions. The only file that knows hls.js, which is loaded when the first movie needs it. */
import Hls, { ErrorDetails, ErrorTypes, Events } from 'hls.js';
import type { ErrorData, Fragment } from 'hls.js';
import { patientAbr } from './patient-abr.ts';
import { CodecCrossing } from './codec-crossing.ts';
import { servedLoader } from './served-loader.ts';
import { lookInto } from './refusal.ts';
import { EXPIRED_STATUS } from './source.ts';
import { LiveBitrate } from './live-bitrate.ts';
import type { Source, SourceEvents, SourceProblem, SourceStart } from './source.ts';

/** Less than this ahead, and the picture is about to stand still. */
const DRY_S = 0.5;

/** Media time of a movie's beginning, the same for all (docs/hls.md). */
const MEDIA_BEGINS_S = 10;

/** How often it is looked whether another codec is called for. */
const LOOK_MS = 1_000;
/** Where nothing of the other codec comes for so long, hls.js chooses by itself again. */
const CROSSING_MS = 30_000;

/** Milliseconds that are loaded from here on without a gap. */
function aheadMs({ buffered, currentTime }: HTMLVideoElement): number {
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime + 0.1 && currentTime < buffered.end(index)) {
      return (buffered.end(index) - currentTime) * 1_000;
    }
  }
  return 0;
}

function isLoadedAt(video: HTMLVideoElement, seconds: number): boolean {
  const { buffered } = video;
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= seconds + 0.1 && seconds < buffered.end(index)) return true;
  }
  return false;
}

/** Statuses by which the server refuses for good; 5xx and these few others may pass. */
const isRefusal = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** A decoder that stumbles is revived this often before the way of playing is given up. */
const REVIVALS = 2;

/** Nobody knows the line yet: what a house's wireless carries on a bad day. The first segments tell more. */
const UNKNOWN_LINE_BPS = 4_000_000;
/** The same where less means that the server has to encode: most people watch in the house where it stands. */
const HOPED_LINE_BPS = 60_000_000;
/** Of what the line carried last, as much is believed before it is measured again. */
const LINE_SHARE = 0.8;
/** Segments after which the estimate is the line's and no longer the one it began with. */
const MEASURED_SEGMENTS = 3;

export function openHlsSource(
  video: HTMLVideoElement,
  url: string,
  { startMs, lineBps, hasOriginal }: SourceStart,
  events: SourceEvents,
): Source {
  const hls = new Hls({
    startPosition: startMs / 1_000,
    fLoader: servedLoader,
    abrController: patientAbr,
    // The first segment is asked for while the element is being prepared, at the rung that the line carried last.
    startFragPrefetch: true,
    testBandwidth: false,
    abrEwmaDefaultEstimate: lineBps === null ? (hasOriginal ? HOPED_LINE_BPS : UNKNOWN_LINE_BPS) : lineBps * LINE_SHARE,
    abrEwmaDefaultEstimateMax: 100_000_000,
    // A line that gets worse is believed sooner than one that gets better: softer for a while is better than a stop.
    abrEwmaFastVoD: 3,
    abrEwmaSlowVoD: 8,
    abrBandWidthFactor: 0.85,
    abrBandWidthUpFactor: 0.65,
    maxStarvationDelay: 2,
    maxLoadingDelay: 3,
    // A small window is no reason to have the server encode a picture that it has.
    capLevelToPlayerSize: !hasOriginal,
    capLevelOnFPSDrop: true,
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
  let isLookingInto = false;
  let segments = 0;
  const live = new LiveBitrate();
  let loadedBytes = 0;
  /** What is under way, by kind. */
  const underWay = new Map<string, Fragment>();
  /** Kinds of which the last segment is loaded. */
  const ends = new Set<string>();
  let isSoundPending = false;

  /**
   * hls.js (1.7) tells the browser that nothing follows only after it has heard the sound that it last changed to, which at the start is the
   * first. Who goes to the last pictures before that is never shown them: the browser decodes those only when it knows that nothing follows.
   */
  const showEnd = (): void => {
    const { buffered, currentTime, seeking } = video;
    if (!seeking || !isSoundPending || buffered.length === 0) return;
    const isAtEnd = ends.has('main') && ends.has('audio') && currentTime >= buffered.start(buffered.length - 1);
    if (isAtEnd) hls.trigger(Events.BUFFER_EOS, { type: null });
  };

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

  /** Several parts are on their way at once, and each is refused for the same. */
  const onRefusal = async (refusedUrl: string, details: string): Promise<void> => {
    if (isLookingInto) return;
    isLookingInto = true;
    const { problem, code } = await lookInto(refusedUrl);
    isLookingInto = false;
    if (isClosed || isEnding) return;
    // The server says that this part can't be made this way: asking for it again would not help.
    if (problem === 'undecodable') reportWhenDry(problem, code ?? details);
    else events.onProblem(problem, code ?? details);
  };

  const onNetworkError = (data: ErrorData): void => {
    const status = data.response?.code ?? 0;
    if (EXPIRED_STATUS.has(status)) events.onProblem('expired', data.details);
    else if (isRefusal(status)) void onRefusal(data.frag?.url ?? data.url ?? url, data.details);
    else if (data.fatal) events.onProblem('unreachable', `${data.details} ${status}`);
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
  hls.on(Events.MANIFEST_PARSED, () => {
    const { levels } = hls;
    // The first that the server names is warm there: another one would have to be begun.
    const first = levels[hls.firstLevel];
    if (first && (lineBps === null || lineBps > first.averageBitrate)) hls.startLevel = hls.firstLevel;
    events.onVariants(
      levels.length < 2
        ? []
        : levels.map(({ uri, width, height, bitrate, videoCodec }, index) => ({
            ...{ index, width, height },
            name: /\/(v\d+)\/[^/]*$/.exec(uri)?.[1] ?? '',
            bitrateBps: bitrate,
            codec: videoCodec ?? '',
          })),
    );
  });
  hls.on(Events.LEVEL_SWITCHED, (_, { level }) => events.onVariant(level));
  // hls.js takes the decode time of whatever it loads first for that segment's place in the playlist. Where open GOPs (HEVC) put pictures before the
  // keyframe, that is a few pictures early, and all would be as much late. The server says where media time begins, so nothing is to be guessed.
  hls.on(Events.INIT_PTS_FOUND, (_, { timestampOffsets }) => {
    timestampOffsets.forEach((offset) => (offset.baseTime = MEDIA_BEGINS_S * offset.timescale));
  });

  // [PLAY34] Across codecs: hls.js goes on by itself among those of the picture that it was sent to.
  let crossing: CodecCrossing | null = null;
  let crossingTo: number | null = null;
  let crossingSinceMs = 0;
  let isChosen = false;
  let shown = { total: 0, dropped: 0 };
  /** hls.js was sent there: from here on it chooses again. */
  const arrive = (): void => {
    crossingTo = null;
    if (!isChosen) hls.loadLevel = -1;
  };
  const lookAcross = (): void => {
    if (crossing === null || isChosen || isEnding) return;
    if (crossingTo !== null) {
      if (performance.now() - crossingSinceMs > CROSSING_MS) arrive();
      return;
    }
    const { droppedVideoFrames, totalVideoFrames } = video.getVideoPlaybackQuality();
    const pictures = totalVideoFrames - shown.total;
    const droppedShare = pictures < 10 ? 0 : (droppedVideoFrames - shown.dropped) / pictures;
    shown = { total: totalVideoFrames, dropped: droppedVideoFrames };
    const isWanted = !video.paused && !video.ended;
    const chosen = crossing.add({
      nowMs: performance.now(),
      current: hls.loadLevel,
      lineBps: segments > 0 && Number.isFinite(hls.bandwidthEstimate) ? hls.bandwidthEstimate : null,
      aheadMs: hasLoadedAll() ? Infinity : aheadMs(video),
      isDry: isWanted && !video.seeking && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA,
      // A page that nobody sees draws nothing.
      droppedShare: document.visibilityState === 'visible' ? droppedShare : 0,
    });
    if (chosen === null) return;
    crossingTo = chosen.to;
    crossingSinceMs = performance.now();
    if (chosen.isUrgent) hls.currentLevel = chosen.to;
    else hls.nextLevel = chosen.to;
  };
  /** What is loaded reaches the end: no line is too thin any more. */
  const hasLoadedAll = (): boolean =>
    ends.has('main') && aheadMs(video) >= (video.duration - video.currentTime) * 1_000 - 500;
  const looking = setInterval(lookAcross, LOOK_MS);
  hls.on(Events.MANIFEST_PARSED, () => {
    const across = new CodecCrossing(
      hls.levels.map(({ uri, videoCodec, videoRange, maxBitrate, averageBitrate }) => ({
        family: `${videoCodec?.split('.', 1)[0] ?? ''} ${videoRange}`,
        peakBps: maxBitrate,
        averageBps: averageBitrate,
        isOriginal: hasOriginal && uri.endsWith('/v0/index.m3u8'),
      })),
    );
    if (across.isNeeded) crossing = across;
  });
  hls.on(Events.FRAG_BUFFERED, (_, { frag }) => {
    if (frag.sn === 'initSegment' || frag.type !== 'main' || frag.level !== crossingTo) return;
    arrive();
  });
  hls.on(Events.FRAG_LOADING, (_, { frag }) => underWay.set(`${frag.type} ${frag.sn === 'initSegment'}`, frag));
  hls.on(Events.FRAG_LOADED, (_, { frag }) => {
    loadedBytes += frag.stats.loaded;
    underWay.delete(`${frag.type} ${frag.sn === 'initSegment'}`);
  });
  hls.on(Events.LEVEL_SWITCHING, () => ends.delete('main'));
  hls.on(Events.AUDIO_TRACK_SWITCHING, () => {
    ends.delete('audio');
    isSoundPending = true;
  });
  hls.on(Events.AUDIO_TRACK_SWITCHED, (_, { name }) => {
    isSoundPending = false;
    events.onSound(name);
  });
  hls.on(Events.FRAG_BUFFERED, (_, { frag, stats }) => {
    if (frag.sn === 'initSegment') return;
    if (frag.endList === true) ends.add(frag.type);
    showEnd();
    segments += 1;
    live.add(frag.type, frag.start, frag.duration, stats.total);
  });
  video.addEventListener('seeking', showEnd);
  hls.loadSource(url);
  hls.attachMedia(video);

  return {
    switchRendition(name) {
      const index = hls.audioTracks.findIndex((track) => track.name === name);
      if (index < 0) return false;
      // What is about to be heard is heard; the other voice begins right behind it, so the picture never waits.
      hls.nextAudioTrack = index;
      return true;
    },
    chooseVariant(index) {
      isChosen = index !== null;
      crossingTo = null;
      if (index === null) hls.loadLevel = -1;
      else hls.nextLevel = index;
    },
    facts() {
      const level = hls.levels[hls.currentLevel];
      return {
        throughputBps:
          segments >= MEASURED_SEGMENTS && Number.isFinite(hls.bandwidthEstimate) ? hls.bandwidthEstimate : null,
        variantBitrateBps: level === undefined ? null : level.bitrate,
        liveBitrateBps: live.bps(video.currentTime),
        engine: 'hls.js',
      };
    },
    arrivedBytes() {
      return [...underWay.values()].reduce((sum, { stats }) => sum + stats.loaded, loadedBytes);
    },
    restart() {
      hls.stopLoad();
      hls.startLoad(video.currentTime);
    },
    close() {
      isClosed = true;
      clearInterval(looking);
      video.removeEventListener('seeking', showEnd);
      hls.destroy();
      video.removeAttribute('src');
      video.load();
    },
  };
}
