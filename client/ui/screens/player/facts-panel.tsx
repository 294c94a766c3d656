import { X } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import type { Player } from '#client/player/player.ts';
import type { PlayerFacts } from '#client/player/player-state.ts';
import type { Playback, TrackDecision } from '#protocol/schema/playback.ts';
import { REASON_TEXTS } from '../../reason-text.ts';
import { IconButton } from '../../parts/button.tsx';
import { METHOD_SENTENCES, bitrate, codecName, containerName, count, fileSize, methodName } from '../../wording.ts';
import styles from './player.module.css';

function decisionText(decision: TrackDecision | null): string {
  if (decision === null) return 'None';
  const from = codecName(decision.fromCodec);
  return decision.method === 'copy' ? `${from}, untouched` : `${from} → ${codecName(decision.toCodec)}`;
}

const ENGINES = {
  file: 'The browser, by byte ranges',
  'hls.js': 'HLS in this page',
  nativeHls: 'HLS in the browser',
} as const;

interface Props {
  readonly player: Player;
  readonly playback: Playback;
  readonly onClose: () => void;
}

/** How the movie reaches this screen and why that way, with the numbers of the moment. */
export function FactsPanel({ player, playback, onClose }: Props) {
  const [facts, setFacts] = useState<PlayerFacts>(() => player.facts());
  useEffect(() => {
    const clock = setInterval(() => setFacts(player.facts()), 1_000);
    return () => clearInterval(clock);
  }, []);
  const { source } = playback;
  const rows: readonly (readonly [string, string | null])[] = [
    ['Picture', decisionText(playback.video)],
    ['Sound', decisionText(playback.audio)],
    [
      'File',
      [
        containerName(source.container),
        source.width === null ? null : `${source.width} × ${source.height ?? '?'}`,
        source.bitrateBps === null ? null : bitrate(source.bitrateBps),
        fileSize(source.sizeBytes),
      ]
        .filter((part) => part !== null)
        .join(' · '),
    ],
    ['Shown', facts.width > 0 ? `${facts.width} × ${facts.height}` : 'Not yet'],
    ['Loaded ahead', `${(facts.bufferedAheadMs / 1_000).toFixed(1)} s`],
    ['Frames lost', `${count(facts.droppedFrames)} of ${count(facts.totalFrames)}`],
    ['Line', facts.source?.throughputBps == null ? null : bitrate(facts.source.throughputBps)],
    ['Player', facts.source === null ? null : ENGINES[facts.source.engine]],
  ];
  return (
    <aside class={styles.factsPanel} aria-label="About this stream">
      <header>
        <h2>{methodName(playback.method)}</h2>
        <IconButton label="Close" onClick={onClose}>
          <X aria-hidden="true" />
        </IconButton>
      </header>
      <p>{METHOD_SENTENCES[playback.method]}</p>
      {playback.reasons.length > 0 && (
        <ul>
          {playback.reasons.map((reason) => (
            <li key={reason}>{REASON_TEXTS[reason]}</li>
          ))}
        </ul>
      )}
      <dl>
        {rows.map(
          ([name, value]) =>
            value !== null && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </aside>
  );
}
