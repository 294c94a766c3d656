/** How a movie reaches this screen, in rows of words: for the info panel, and for the report that somebody copies from it. */
import type { PlayerFacts } from '#client/player/player-state.ts';
import type { SourceVariant } from '#client/player/source.ts';
import type { Playback, TrackDecision } from '#protocol/schema/playback.ts';
import { AUDIO_REASON_TEXTS, REASON_TEXTS, SUBTITLE_REASON_TEXTS } from '../../reason-text.ts';
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

function decisionText(decision: TrackDecision | null): string {
  if (decision === null) return 'None';
  const from = codecName(decision.fromCodec);
  return decision.method === 'copy' ? `${from}, untouched` : `${from} → ${codecName(decision.toCodec)}`;
}

const HARDWARE_NAMES = {
  nvenc: 'NVIDIA NVENC',
  qsv: 'Intel Quick Sync',
  vaapi: 'VA-API',
  videotoolbox: 'Apple VideoToolbox',
  vulkan: 'Vulkan',
} as const;

function encoderText({ variants }: Playback): string {
  const kind = variants.find(({ isOriginal }) => !isOriginal)?.hardware ?? null;
  return kind === null ? 'The processor' : HARDWARE_NAMES[kind];
}

const joined = (parts: readonly (string | null)[]): string | null =>
  parts.filter((part) => part !== null).join(' · ') || null;

/** What plays and why those tracks; the file; the numbers of the moment. */
export function factRows(playback: Playback, facts: PlayerFacts, variant: SourceVariant | null): readonly FactRow[] {
  const { source } = playback;
  const audio = playback.audioTracks.find(({ isSelected }) => isSelected);
  const subtitle = playback.subtitleTracks.find(({ id }) => id === playback.selectedSubtitle);
  const live = facts.source;
  const rows: readonly (readonly [string, string | null])[] = [
    ['Picture', decisionText(playback.video)],
    ['Encoded by', playback.video?.method === 'transcode' ? encoderText(playback) : null],
    ['Sound', decisionText(playback.audio)],
    [
      'Sound track',
      joined([audio ? trackLabel(audio) : null, playback.audioReason && AUDIO_REASON_TEXTS[playback.audioReason]]),
    ],
    [
      'Subtitles',
      playback.subtitleTracks.length === 0
        ? 'This movie has none.'
        : joined([subtitle ? trackLabel(subtitle) : null, SUBTITLE_REASON_TEXTS[playback.subtitleReason]]),
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
  device: string,
): string {
  return [
    `${title}: ${methodName(playback.method)}`,
    METHOD_SENTENCES[playback.method],
    ...playback.reasons.map((reason) => `- ${REASON_TEXTS[reason]} (${reason})`),
    '',
    ...factRows(playback, facts, variant).map(([name, value]) => `${name}: ${value}`),
    `Device: ${device}`,
  ].join('\n');
}
