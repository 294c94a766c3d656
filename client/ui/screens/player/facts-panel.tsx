import { Check, Copy, X } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { deviceName } from '#client/player/device-name.ts';
import type { Player } from '#client/player/player.ts';
import type { PlayerFacts } from '#client/player/player-state.ts';
import type { Playback } from '#protocol/schema/playback.ts';
import { useLobby } from '../../house.ts';
import { REASON_TEXTS } from '../../reason-text.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { METHOD_SENTENCES, methodName } from '../../wording.ts';
import { factReport, factRows } from './stream-facts.ts';
import styles from './player.module.css';

const COPIED_MS = 2_500;

interface Props {
  readonly player: Player;
  readonly playback: Playback;
  readonly title: string;
  readonly onClose: () => void;
}

/** How the movie reaches this screen and why that way, with the numbers of the moment. */
export function FactsPanel({ player, playback, title, onClose }: Props) {
  const { notices } = useLobby();
  const [facts, setFacts] = useState<PlayerFacts>(() => player.facts());
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    const clock = setInterval(() => setFacts(player.facts()), 1_000);
    return () => clearInterval(clock);
  }, []);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const variant = player.variant.value;

  const copy = async (): Promise<void> => {
    const report = factReport(title, playback, player.facts(), variant, deviceName(navigator.userAgent));
    // Browsers have a clipboard on https and on this machine only.
    const isDone = await (navigator.clipboard as Clipboard | undefined)?.writeText(report).then(
      () => true,
      () => false,
    );
    if (isDone === true) setCopied(true);
    else notices.show('The browser does not let this page copy. Select the text of the panel and copy it by hand.');
  };

  return (
    <aside class={styles.factsPanel} aria-label="About this stream" data-controls>
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
        {factRows(playback, facts, variant).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class={styles.factsActions}>
        <Button
          icon={isCopied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
          onClick={() => void copy()}
        >
          {isCopied ? 'Copied' : 'Copy as a report'}
        </Button>
      </div>
    </aside>
  );
}
