import {
  EllipsisVertical,
  Eye,
  EyeOff,
  FileText,
  Image,
  Merge,
  MonitorPlay,
  Pencil,
  RefreshCw,
  ScanSearch,
  Split,
  Undo2,
  Unlink,
} from 'lucide-preact';
import { useMemo, useState } from 'preact/hooks';
import { editsOf } from '#client/store/edits.ts';
import { Matching } from '#client/store/matching.ts';
import type { MovieDetail } from '#client/store/movie.ts';
import { moviesWith } from '#client/store/navigation.ts';
import { useEditing } from '../../editing.ts';
import { useAttempt, useCinema, useLobby } from '../../house.ts';
import { lazyScreen } from '../../lazy.tsx';
import { Menu } from '../../parts/menu.tsx';
import type { MenuItem } from '../../parts/menu.tsx';

const edit = lazyScreen(() => import('./edit.tsx').then((module) => module.EditDialog), { isQuiet: true });
const artwork = lazyScreen(() => import('./artwork.tsx').then((module) => module.ArtworkDialog), { isQuiet: true });
const fixMatch = lazyScreen(() => import('./fix-match.tsx').then((module) => module.FixMatchDialog), {
  isQuiet: true,
});
const files = lazyScreen(() => import('./split.tsx').then((module) => module.SplitDialog), { isQuiet: true });
const merge = lazyScreen(() => import('./merge.tsx').then((module) => module.MergeDialog), { isQuiet: true });

const playerLink = lazyScreen(() => import('./player-link.tsx').then((module) => module.PlayerLinkDialog), {
  isQuiet: true,
});

type Open = 'edit' | 'artwork' | 'fixMatch' | 'split' | 'merge' | 'player' | null;

/** What else can be done with a movie: played elsewhere, and put right. */
export function MovieMenu({ movie }: { readonly movie: MovieDetail }) {
  const cinema = useCinema();
  const { server } = cinema;
  const edits = editsOf(cinema);
  const { session, navigation, notices } = useLobby();
  const { make, undo } = useEditing();
  const attempt = useAttempt();
  const matching = useMemo(() => new Matching(server), [server]);
  const [open, setOpen] = useState<Open>(null);
  const latest = edits.latestOf(movie.id);
  /** What may be put right about it. Nothing, for most people. */
  const editItems = (): MenuItem[] => {
    const items: MenuItem[] = [
      { label: 'Edit', icon: <Pencil aria-hidden="true" />, onChoose: () => setOpen('edit') },
      { label: 'Choose artwork', icon: <Image aria-hidden="true" />, onChoose: () => setOpen('artwork') },
      { label: 'Fix match', icon: <ScanSearch aria-hidden="true" />, onChoose: () => setOpen('fixMatch') },
      {
        label: 'Refresh metadata',
        icon: <RefreshCw aria-hidden="true" />,
        onChoose: () =>
          void attempt(() => matching.refresh(movie.id), 'It is looked up again; this page follows by itself.'),
      },
    ];
    if (latest !== null) {
      items.unshift({
        label: 'Undo the last change',
        icon: <Undo2 aria-hidden="true" />,
        onChoose: () => void undo(latest),
      });
    }
    if (movie.match.tmdbId !== null) {
      items.push({
        label: 'Not this movie',
        icon: <Unlink aria-hidden="true" />,
        onChoose: () =>
          void attempt(() => matching.unmatch(movie.id), 'It is called as its file is, and not looked for again.'),
      });
    }
    items.push({
      label: 'Same movie as another',
      icon: <Merge aria-hidden="true" />,
      onChoose: () => setOpen('merge'),
      isApart: true,
    });
    if (movie.files.length > 1) {
      items.push({ label: 'Split off files', icon: <Split aria-hidden="true" />, onChoose: () => setOpen('split') });
    }
    if (session.may('libraries:manage')) {
      items.push({
        label: 'Write NFO file',
        icon: <FileText aria-hidden="true" />,
        onChoose: () =>
          void attempt(async () => {
            const paths = await matching.writeNfo(movie.id);
            notices.show(paths.length === 0 ? 'There was nothing to write.' : `Written to ${paths.join(', ')}.`);
          }),
      });
    }
    items.push({
      label: movie.isHidden ? 'Take out again' : 'Put away',
      icon: movie.isHidden ? <Eye aria-hidden="true" /> : <EyeOff aria-hidden="true" />,
      onChoose: () =>
        void make(
          () => edits.hide(movie.id, !movie.isHidden),
          movie.isHidden
            ? 'It is in sight again.'
            : 'Put away: it is in no list any more. Its files stay where they are.',
          movie.isHidden
            ? undefined
            : { label: 'All that is put away', run: () => navigation.go(moviesWith({ isHidden: true })) },
        ),
      isApart: true,
    });
    return items;
  };
  const items: MenuItem[] = [];
  if (movie.isPlayable && session.may('playback:play')) {
    items.push({
      label: 'Open in another player',
      icon: <MonitorPlay aria-hidden="true" />,
      onChoose: () => setOpen('player'),
    });
  }
  if (session.may('movies:edit')) items.push(...editItems());
  if (items.length === 0) return null;

  const close = (): void => setOpen(null);
  /** Where the movie is now, when it is not here any more. */
  const goTo = (movieId: string): void => {
    close();
    if (movieId !== movie.id) navigation.go({ screen: 'movie', movieId }, { replace: true });
  };

  return (
    <>
      <Menu label="More" icon={<EllipsisVertical aria-hidden="true" />} items={items} />
      {open === 'player' && <playerLink.Screen movie={movie} onClose={close} />}
      {open === 'edit' && <edit.Screen movie={movie} onClose={close} />}
      {open === 'artwork' && <artwork.Screen movie={movie} onClose={close} />}
      {open === 'fixMatch' && <fixMatch.Screen movie={movie} matching={matching} onClose={close} onMatched={goTo} />}
      {open === 'split' && <files.Screen movie={movie} matching={matching} onClose={close} />}
      {open === 'merge' && <merge.Screen movie={movie} matching={matching} onClose={close} onMerged={goTo} />}
    </>
  );
}
