import { X } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { moments as calls } from '#protocol/methods/moments.ts';
import { MARKER_KINDS } from '#protocol/schema/moments.ts';
import type { Marker, MarkerKind } from '#protocol/schema/moments.ts';
import type { Player } from '#client/player/player.ts';
import type { SkipMarks } from '#client/player/skip-marks.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { MARKER_NAMES, MARKER_SOURCE_TEXTS } from '../../marker-words.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { clockTime } from '../../wording.ts';
import { useFocusReturn } from './focus-return.ts';
import styles from './moments.module.css';

interface Props {
  readonly player: Player;
  readonly marks: SkipMarks;
  readonly onClose: () => void;
}

/** Of a kind that is not there yet, the side that was set first. */
type Drafts = Partial<Record<MarkerKind, { readonly startMs?: number; readonly endMs?: number }>>;

interface Said {
  readonly said: readonly MarkerKind[];
}

/** Beside the movie, which goes on: one moves to where a mark begins or ends, and says so. It counts for everybody. */
export function MarksPanel({ player, marks, onClose }: Props) {
  const panel = useRef<HTMLElement>(null);
  useFocusReturn(panel);
  const { server } = useCinema();
  const attempt = useAttempt();
  const [drafts, setDrafts] = useState<Drafts>({});
  const [isBusy, setBusy] = useState(false);
  const fileId = player.playback.value?.fileId ?? null;
  const durationMs = Math.floor(player.durationMs.value);
  const markers = marks.markers;
  const [said, setSaid] = useState<readonly MarkerKind[]>([]);

  // Asked anew when anybody has said something: the marks themselves do not tell that there is none by somebody's word.
  useEffect(() => {
    let isCurrent = true;
    if (fileId !== null) {
      server.call(calls.markers, { fileId }).then(
        (reply) => void (isCurrent && setSaid(reply.said)),
        () => undefined, // as it was: nothing is lost but a button
      );
    }
    return () => {
      isCurrent = false;
    };
  }, [fileId, markers]);
  if (fileId === null) return null;

  const run = async (kind: MarkerKind, action: () => Promise<Said>, done: string): Promise<void> => {
    setBusy(true);
    const isDone = await attempt(async () => setSaid((await action()).said), done);
    if (isDone) setDrafts({ ...drafts, [kind]: undefined });
    setBusy(false);
  };

  const setSide = (kind: MarkerKind, side: 'startMs' | 'endMs'): void => {
    const known = markers.find((marker) => marker.kind === kind);
    const here = Math.round(player.positionMs.peek());
    const span = { startMs: known?.startMs, endMs: known?.endMs, ...drafts[kind], [side]: here };
    // Credits go to the end, and an intro whose end is all that is said begins with the movie.
    const startMs = span.startMs ?? (kind === 'credits' ? undefined : 0);
    const endMs = span.endMs ?? (kind === 'credits' ? durationMs : undefined);
    // The other side is still to come: it was of another place, or was never said.
    if (startMs === undefined || endMs === undefined || startMs >= endMs) {
      setDrafts({ ...drafts, [kind]: { [side]: here } });
      return;
    }
    void run(
      kind,
      () => server.call(calls.setMarker, { fileId, kind, startMs, endMs: Math.min(endMs, durationMs) }),
      `${MARKER_NAMES[kind]}: ${clockTime(startMs)} to ${clockTime(endMs)}, for everybody.`,
    );
  };

  const describe = (marker: Marker | undefined, kind: MarkerKind): string => {
    const draft = drafts[kind];
    if (draft?.startMs !== undefined) return `Begins at ${clockTime(draft.startMs)}. Now go to where it ends.`;
    if (draft?.endMs !== undefined) return `Ends at ${clockTime(draft.endMs)}. Now go to where it begins.`;
    if (marker === undefined) return 'None is known.';
    return `${clockTime(marker.startMs)} to ${clockTime(marker.endMs)}, ${MARKER_SOURCE_TEXTS[marker.source]}`;
  };

  return (
    <section
      ref={panel}
      class={styles.marks}
      aria-label="Intro and credits"
      data-controls
      data-spatial
      aria-busy={isBusy}
    >
      <header>
        <h2>Intro and credits</h2>
        <IconButton label="Close" onClick={onClose}>
          <X aria-hidden="true" />
        </IconButton>
      </header>
      <p>Go to where one begins or ends, and say so. It counts for everybody, at once.</p>
      {MARKER_KINDS.map((kind) => {
        const marker = markers.find((one) => one.kind === kind);
        const name = MARKER_NAMES[kind];
        return (
          <div key={kind} class={styles.mark} role="group" aria-label={name}>
            <h3>{name}</h3>
            <p role="status">{describe(marker, kind)}</p>
            <div class={styles.markActions}>
              <Button onClick={() => setSide(kind, 'startMs')}>Begins here</Button>
              <Button onClick={() => setSide(kind, 'endMs')}>Ends here</Button>
              {marker !== undefined && (
                <Button
                  look="quiet"
                  onClick={() =>
                    void run(kind, () => server.call(calls.removeMarker, { fileId, kind }), `${name}: there is none.`)
                  }
                >
                  There is none
                </Button>
              )}
              {said.includes(kind) && (
                <Button
                  look="quiet"
                  onClick={() =>
                    void run(
                      kind,
                      () => server.call(calls.resetMarker, { fileId, kind }),
                      `${name}: what was found by itself counts again.`,
                    )
                  }
                >
                  Forget what was said
                </Button>
              )}
            </div>
          </div>
        );
      })}
    </section>
  );
}
