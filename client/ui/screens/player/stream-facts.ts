/** How a movie reaches this screen, in rows of words: for the info panel, and for the report that somebody copies from it. */
import type { PlayerFacts } from '#client/player/player-state.ts';
import type { SourceVariant } from '#client/player/source.ts';
import type { EncodingWork, Playback, TrackDecision } from '#protocol/schema/playback.ts';
import {
  AUDIO_REASON_TEXTS,
  REASON_TEXTS,
  STYLED_TEXT_TEXTS,
  SUBTITLE_REASON_TEXTS,
  UNDRAWN_TEXT,
} from '../../reason-text.ts';
import {
  METHOD_SENTENCES,
  bitrate,
  codecName,
  containerName,
  count,
  fileSize,
  methodName,
  trackLabel,
} from '../../wording.ts';
import { variantName } from './variant-words.ts';

export type FactRow = readonly [name: string, value: string];

const ENGINES = {
  file: 'The browser, by byte ranges',
  'hls.js': 'HLS in this page',
  nativeHls: 'HLS in the browser',
} as const;

const joined = (parts: readonly (string | null)[]): string | null =>
  parts.filter((part) => part !== null).join(' · ') || null;

function decisionText(decision: TrackDecision | null): string {
  if (decision === null) return 'None';
  const from = codecName(decision.fromCodec);
  return decision.method === 'copy' ? `${from}, untouched` : `${from} → ${codecName(decision.toCodec)}`;
}

/** `null` where nobody knows: another track was switched to since it was opened. */
function soundText({ audio, audioTracks, reasons }: Playback): string | null {
  if (audio === null && audioTracks.length > 0) return null;
  return joined([decisionText(audio), reasons.includes('nightSound') ? 'night sound' : null]);
}

const HARDWARE_NAMES = {
  nvenc: 'NVIDIA NVENC',
  qsv: 'Intel Quick Sync',
  vaapi: 'VA-API',
  videotoolbox: 'Apple VideoToolbox',
  vulkan: 'Vulkan',
} as const;

/** What encodes the picture now, or would by what the server decided; `null` where the picture is sent as it is. */
function encoderText({ video, variants }: Playback, encoding: EncodingWork | null): string | null {
  if (encoding === null && video?.method !== 'transcode') return null;
  const kind = encoding ? encoding.hardware : (variants.find(({ isOriginal }) => !isOriginal)?.hardware ?? null);
  return kind === null ? 'The processor' : HARDWARE_NAMES[kind];
}

/** `3.4 × real time · 82 frames/s`. Slower than real time is the one thing that stops a movie. */
function paceText({ realTimeFactor, framesPerSecond, isAtRest }: EncodingWork): string {
  const rest = isAtRest ? 'resting, enough is ready' : null;
  if (realTimeFactor === null) return rest === null ? 'just begun' : 'resting';
  const pace = `${realTimeFactor.toFixed(realTimeFactor < 10 ? 1 : 0)} × real time`;
  const frames = framesPerSecond === null ? null : `${count(Math.round(framesPerSecond))} frames/s`;
  return [pace, frames, rest].filter((part) => part !== null).join(' · ');
}

/** Why subtitles with styles are text; `null` where they are not. */
function styledText({ subtitleTracks, selectedSubtitle, styledTextReason, reasons }: Playback): string | null {
  const subtitle = subtitleTracks.find(({ id }) => id === selectedSubtitle);
  // Drawn here, or in the picture.
  if (subtitle?.styledUrl == null || subtitle.format !== 'text' || reasons.includes('subtitlesBurnedIn')) return null;
  return styledTextReason === undefined ? UNDRAWN_TEXT : STYLED_TEXT_TEXTS[styledTextReason];
}

/** What plays and why those tracks; the file; the numbers of the moment. */
export function factRows(
  playback: Playback,
  facts: PlayerFacts,
  variant: SourceVariant | null,
  encoding: EncodingWork | null,
): readonly FactRow[] {
  const { source } = playback;
  const audio = playback.audioTracks.find(({ isSelected }) => isSelected);
  const subtitle = playback.subtitleTracks.find(({ id }) => id === playback.selectedSubtitle);
  const live = facts.source;
  const rows: readonly (readonly [string, string | null])[] = [
    ['Picture', decisionText(playback.video)],
    ['Encoded by', encoderText(playback, encoding)],
    ['Encoding', encoding && paceText(encoding)],
    ['Sound', soundText(playback)],
    [
      'Sound track',
      joined([audio ? trackLabel(audio) : null, playback.audioReason && AUDIO_REASON_TEXTS[playback.audioReason]]),
    ],
    [
      'Subtitles',
      playback.subtitleTracks.length === 0
        ? 'This movie has none.'
        : joined([
            subtitle ? trackLabel(subtitle) : null,
            SUBTITLE_REASON_TEXTS[playback.subtitleReason],
            styledText(playback),
          ]),
    ],
    [
      'File',
      joined([
        containerName(source.container),
        source.width === null ? null : `${source.width} × ${source.height ?? '?'}`,
        source.bitrateBps === null ? null : bitrate(source.bitrateBps),
        fileSize(source.sizeBytes),
      ]),
    ],
    ['Variant', variant && variantName(variant, playback)],
    ['Shown', facts.width > 0 ? `${facts.width} × ${facts.height}` : 'Not yet'],
    ['Takes now', live?.liveBitrateBps == null ? null : bitrate(live.liveBitrateBps)],
    ['Line', live?.throughputBps == null ? null : `about ${bitrate(live.throughputBps)}`],
    ['Loaded ahead', `${(facts.bufferedAheadMs / 1_000).toFixed(1)} s`],
    ['Frames lost', `${count(facts.droppedFrames)} of ${count(facts.totalFrames)}`],
    ['Stops to load', count(facts.stalls)],
    ['Player', live === null ? null : ENGINES[live.engine]],
  ];
  return rows.filter((row): row is FactRow => row[1] !== null);
}

/** Everything of the panel as plain text, for whoever is asked for help. No address and no name of a person is in it. */
export function factReport(
  title: string,
  playback: Playback,
  facts: PlayerFacts,
  variant: SourceVariant | null,
  encoding: EncodingWork | null,
  device: string,
): string {
  return [
    `${title}: ${methodName(playback.method)}`,
    METHOD_SENTENCES[playback.method],
    ...playback.reasons.map((reason) => `- ${REASON_TEXTS[reason]} (${reason})`),
    '',
    ...factRows(playback, facts, variant, encoding).map(([name, value]) => `${name}: ${value}`),
    `Device: ${device}`,
  ].join('\n');
}
