import { Check, Copy, X } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { deviceName } from '#client/player/device-name.ts';
import type { Player } from '#client/player/player.ts';
import type { PlayerFacts } from '#client/player/player-state.ts';
import { playback as calls } from '#protocol/methods/playback.ts';
import { isFailure } from '#protocol/errors.ts';
import type { EncodingWork, Playback } from '#protocol/schema/playback.ts';
import { useCinema, useLobby } from '../../house.ts';
import { REASON_TEXTS } from '../../reason-text.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { METHOD_SENTENCES, methodName } from '../../wording.ts';
import { useFocusReturn } from './focus-return.ts';
import { factReport, factRows } from './stream-facts.ts';
import styles from './player.module.css';

const COPIED_MS = 2_500;
const LOOK_MS = 1_000;
const ASK_MS = 2_000;

/** How fast the picture is being encoded, asked of the server for as long as somebody looks. */
function useEncoding({ url }: Playback): EncodingWork | null {
  const { server } = useCinema();
  const [encoding, setEncoding] = useState<EncodingWork | null>(null);
  useEffect(() => {
    let isOver = false;
    let later: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        const answer = await server.call(calls.work, { url });
        if (!isOver) setEncoding(answer.encoding);
      } catch (error) {
        if (!isFailure(error)) throw error;
        // Without a line nobody knows.
        if (!isOver) setEncoding(null);
      }
      if (!isOver) later = setTimeout(() => void ask(), ASK_MS);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(later);
    };
  }, [url]);
  return encoding;
}

interface Props {
  readonly player: Player;
  readonly playback: Playback;
  readonly title: string;
  readonly onClose: () => void;
}

/** How the movie reaches this screen and why that way, with the numbers of the moment. */
export function FactsPanel({ player, playback: opened, title, onClose }: Props) {
  const panel = useRef<HTMLElement>(null);
  useFocusReturn(panel);
  const { notices } = useLobby();
  const [facts, setFacts] = useState<PlayerFacts>(() => player.facts());
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    const clock = setInterval(() => setFacts(player.facts()), LOOK_MS);
    return () => clearInterval(clock);
  }, []);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const variant = player.variant.value;
  const playback = player.tracks.heardAndSeen(opened);
  const encoding = useEncoding(opened);

  const copy = async (): Promise<void> => {
    const report = factReport(title, playback, player.facts(), variant, encoding, deviceName(navigator.userAgent));
    // Browsers have a clipboard on https and on this machine only.
    const isDone = await (navigator.clipboard as Clipboard | undefined)?.writeText(report).then(
      () => true,
      () => false,
    );
    if (isDone === true) setCopied(true);
    else notices.show('The browser does not let this page copy. Select the text of the panel and copy it by hand.');
  };

  return (
    <aside ref={panel} class={styles.factsPanel} aria-label="About this stream" data-controls>
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
        {factRows(playback, facts, variant, encoding).map(([name, value]) => (
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
