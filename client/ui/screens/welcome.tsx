import { Play } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { proposeLanguage } from '#client/store/metadata-settings.ts';
import { movieListOf } from '#client/store/movie-list.ts';
import type { MovieQuery } from '#client/store/navigation.ts';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import { useAwayFolder, useCinema, useLobby } from '../house.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { FolderPicker } from '../parts/folder-picker.tsx';
import { MoviePicture } from '../parts/picture.tsx';
import { Waiting } from '../parts/state-page.tsx';
import { moviesCounted } from '../parts/tile.tsx';
import { count, counted } from '../wording.ts';
import { Doorway } from './doorway.tsx';
import styles from './welcome.module.css';

const NEWEST: MovieQuery = { ...ALL_MOVIES, sort: 'added' };
const POSTERS = 9;
/** Looked at for them: some can't be played. */
const SEEN = 24;

/** The last step: the movies of the chosen folder, appearing as they are found. */
function Showtime({ onMore }: { readonly onMore: () => void }) {
  const cinema = useCinema();
  const away = useAwayFolder();
  const list = useMemo(() => movieListOf(cinema, NEWEST), [cinema]);
  useEffect(() => list.show(0, SEEN - 1), [list]);
  const total = list.total.value ?? 0;
  const scans = (cinema.library.libraries.value ?? []).flatMap(({ scan }) => (scan === null ? [] : [scan]));
  const isScanning = scans.length > 0;
  const done = scans.reduce((sum, scan) => sum + scan.done, 0);
  const toDo = scans.reduce((sum, scan) => sum + scan.toDo, 0);
  const known = Array.from({ length: Math.min(SEEN, total) }, (_, index) => list.at(index)).filter(
    (tile) => tile !== undefined,
  );
  const playable = known.find((tile) => tile.isPlayable);
  // What can't be played is told of in the house; here it would only stand in the way.
  const tiles = (playable === undefined ? known : known.filter((tile) => tile.isPlayable)).slice(0, POSTERS);

  return (
    <Doorway
      step={3}
      isWide
      title={
        total > 0
          ? 'Take a seat'
          : isScanning
            ? 'Looking through your movies'
            : away !== null
              ? 'The folder can’t be used yet'
              : 'No movies found yet'
      }
      lead={
        total > 0
          ? isScanning
            ? `${moviesCounted(total)} so far. You can start at once, the rest comes in while you watch.`
            : `${moviesCounted(total)} found. Press play, or look around first.`
          : isScanning
            ? 'Each appears here as soon as it is known.'
            : away !== null
              ? `${away.title} ${away.action}`
              : 'The folder holds no video that Matinee knows. It is watched from now on: what you put there appears by itself.'
      }
    >
      {tiles.length > 0 && (
        <ul class={styles.posters} aria-label="The first movies">
          {tiles.map((tile) => (
            <li key={tile.id}>
              <span class={styles.frame}>
                <MoviePicture movie={tile} isEager />
              </span>
              <span class={styles.name} dir="auto">
                {tile.title}
              </span>
            </li>
          ))}
        </ul>
      )}
      <p class={styles.status} role="status">
        {isScanning && (
          <>
            <progress {...(toDo > 0 && { value: done, max: toDo })} aria-label="Scan" />
            <span>{toDo > 0 ? `${count(done)} of ${counted(toDo, 'file')} read` : 'Listing the folders'}</span>
          </>
        )}
      </p>
      <div class={styles.actions}>
        {playable !== undefined && (
          <ButtonLink
            look="bright"
            to={{ screen: 'play', movieId: playable.id, fileId: null, isFromStart: false }}
            icon={<Play aria-hidden="true" fill="currentColor" />}
          >
            Play “{playable.title.length > 28 ? `${playable.title.slice(0, 27)}…` : playable.title}”
          </ButtonLink>
        )}
        <ButtonLink look={playable === undefined && away === null ? 'bright' : 'plain'} to={{ screen: 'home' }}>
          Go to the house
        </ButtonLink>
        <Button look={total === 0 && away !== null ? 'bright' : 'quiet'} onClick={onMore}>
          Add another folder
        </Button>
      </div>
    </Doorway>
  );
}

/** After the admin: the folder, then the first movies. Comes back to where it was after a reload. */
export function WelcomeScreen() {
  const { library, server } = useCinema();
  const { session } = useLobby();
  const libraries = library.libraries.value;
  const [wantsMore, setWantsMore] = useState(false);
  const isFirst = libraries?.length === 0 && session.may('server:manage');
  // Before the first movie is looked for, so that none is fetched in two languages.
  useEffect(() => {
    if (isFirst) void proposeLanguage(server, navigator.language);
  }, [isFirst]);
  if (libraries === null) return <Waiting />;
  if ((libraries.length > 0 && !wantsMore) || !session.may('libraries:manage')) {
    return <Showtime onMore={() => setWantsMore(true)} />;
  }
  return (
    <Doorway
      step={2}
      isWide
      title="Where are your movies?"
      lead="Choose a folder on the server. Matinee reads it and never changes anything in it."
    >
      <FolderPicker verb="Use this folder" onAdded={() => setWantsMore(false)}>
        {libraries.length > 0 && (
          <Button look="quiet" onClick={() => setWantsMore(false)}>
            Back
          </Button>
        )}
      </FolderPicker>
    </Doorway>
  );
}
