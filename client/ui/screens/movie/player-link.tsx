import { Download } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { MovieDetail } from '#client/store/movie.ts';
import { PlayerLinks, playlistFile, playlistName } from '#client/store/player-links.ts';
import { isFailure } from '#protocol/errors.ts';
import { DEFAULT_LINK_MS, MAX_LINK_MS } from '#protocol/schema/playback-link.ts';
import type { PlaybackLink } from '#protocol/schema/playback-link.ts';
import { failureText } from '../../failure-text.ts';
import { useCinema } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { CopyLine } from '../../parts/copy-line.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Choice } from '../../parts/field.tsx';
import styles from './dialogs.module.css';

interface Props {
  readonly movie: MovieDetail;
  readonly onClose: () => void;
}

const DAY_MS = 24 * 3_600_000;
const LIFETIMES = [
  [String(DEFAULT_LINK_MS), '12 hours'],
  [String(2 * DAY_MS), '2 days'],
  [String(MAX_LINK_MS), '7 days'],
] as const;
const KINDS = [
  ['file', 'The file as it is'],
  ['stream', 'A stream, for a slow line'],
] as const;

/** A signed address of the movie to open in VLC, mpv and their like. */
export function PlayerLinkDialog({ movie, onClose }: Props) {
  const { server } = useCinema();
  const links = useMemo(() => new PlayerLinks(server), [server]);
  const [kind, setKind] = useState<PlaybackLink['kind']>('file');
  const [lifetime, setLifetime] = useState(String(DEFAULT_LINK_MS));
  const [link, setLink] = useState<PlaybackLink | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let isCurrent = true;
    setLink(null);
    setProblem(null);
    links.make({ movieId: movie.id, kind, lifetimeMs: Number(lifetime) }).then(
      (made) => {
        if (isCurrent) setLink(made);
      },
      (error: unknown) => {
        if (!isFailure(error)) throw error;
        if (isCurrent) setProblem(failureText(error));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [links, movie.id, kind, lifetime]);

  const save = (made: PlaybackLink): void => {
    const url = URL.createObjectURL(new Blob([playlistFile(made, location.href)], { type: 'audio/x-mpegurl' }));
    const anchor = document.createElement('a');
    anchor.href = url;
    anchor.download = playlistName(made.title);
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };

  return (
    <Dialog title="Open in another player" isSheet onClose={onClose}>
      <div class={styles.stack}>
        <Choice label="What it plays" value={kind} options={KINDS} onValue={setKind} />
        <Choice label="How long the link works" value={lifetime} options={LIFETIMES} onValue={setLifetime} />
        {problem !== null && (
          <p class={styles.problem} role="alert">
            {problem}
          </p>
        )}
        {link && <CopyLine label="Link" value={new URL(link.url, location.href).href} />}
        <p class={styles.note}>
          In VLC choose <em>Media, Open Network Stream</em> and paste it; in mpv drop it on the window. Whoever has this
          link can watch this movie without signing in, and nothing else. It ends by itself, and when you sign out here.
          How far you watch there is not noted here.
        </p>
      </div>
      <div class={styles.end}>
        <Button
          look="bright"
          icon={<Download aria-hidden="true" />}
          disabled={link === null}
          onClick={() => link && save(link)}
        >
          Save as a playlist file
        </Button>
      </div>
    </Dialog>
  );
}
