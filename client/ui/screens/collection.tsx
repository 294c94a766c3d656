import { ArrowUpDown, EllipsisVertical, Image, Pencil, Play, Plus, SlidersHorizontal, Trash2 } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Collection } from '#protocol/schema/collection.ts';
import { CollectionStore } from '#client/store/collections.ts';
import type { CollectionChanges } from '#client/store/collections.ts';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { MovieQuery } from '#client/store/navigation.ts';
import type { Tile } from '#client/store/movie-list.ts';
import { failureText } from '../failure-text.ts';
import { SORT_NAMES, chipsOf } from '../filter-words.ts';
import { useAttempt, useCinema, useLobby } from '../house.ts';
import { lazyScreen } from '../lazy.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { KIND_NAMES, KindIcon, sizeOf } from '../parts/collection-card.tsx';
import { Dialog, Question } from '../parts/dialog.tsx';
import { Menu } from '../parts/menu.tsx';
import type { MenuItem } from '../parts/menu.tsx';
import { MoviePicture, Poster } from '../parts/picture.tsx';
import { ShareLine } from '../parts/share-line.tsx';
import { StatePage } from '../parts/state-page.tsx';
import { MovieTile, TilePlaceholder } from '../parts/tile.tsx';
import { dayOf } from '../wording.ts';
import { Arrange } from './collection/arrange.tsx';
import styles from './collection.module.css';

const details = lazyScreen(() => import('./collection/details.tsx').then((module) => module.CollectionDetails), {
  isQuiet: true,
});
const addMovies = lazyScreen(() => import('./collection/add-movies.tsx').then((module) => module.AddMoviesDialog), {
  isQuiet: true,
});

/** The grid that shows what a saved filter finds. */
const queryOf = (query: NonNullable<Collection['query']>): MovieQuery => ({
  ...ALL_MOVIES,
  search: query.search ?? '',
  sort: query.sort,
  order: query.order ?? null,
  filter: query.filter,
});

function Missing({ collection }: { readonly collection: Collection }) {
  if (collection.missing.length === 0) return null;
  const now = Date.now();
  return (
    <section class={styles.missing} aria-labelledby="missing">
      <h2 id="missing">Not here</h2>
      <ul class={styles.grid}>
        {collection.missing.map(({ tmdbId, title, releaseDate, poster }) => {
          const at = releaseDate === null ? null : Date.parse(`${releaseDate}T12:00:00`);
          return (
            <li key={tmdbId} class={styles.absent}>
              <span class={styles.frame}>
                <Poster
                  movie={{ id: String(tmdbId), title, year: at === null ? null : new Date(at).getFullYear(), poster }}
                />
              </span>
              {/* It reaches as far as the tile. */}
              <a
                class={styles.absentTitle}
                href={`https://www.themoviedb.org/movie/${tmdbId}`}
                target="_blank"
                rel="noopener noreferrer"
                dir="auto"
              >
                {title}
                <span class="unseen"> (opens themoviedb.org in a new tab)</span>
              </a>
              <span class={styles.absentYear}>
                {at === null ? 'No date yet' : at > now ? `Comes ${dayOf(at)}` : new Date(at).getFullYear()}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

type Open = 'details' | 'add' | 'remove' | 'poster' | null;

interface PageProps {
  readonly store: CollectionStore;
  readonly collection: Collection;
  readonly tiles: readonly Tile[];
}

function CollectionPage({ store, collection, tiles }: PageProps) {
  const { progress } = useCinema();
  const { session, navigation } = useLobby();
  const attempt = useAttempt();
  const [open, setOpen] = useState<Open>(null);
  const [isArranging, setArranging] = useState(false);
  const mayEdit = session.may('movies:edit');
  const isList = collection.kind === 'manual';
  const next = tiles.find((tile) => tile.isPlayable && progress.of(tile.id, tile.progress)?.isWatched !== true);
  const share = collection.movieCount === 0 ? 0 : collection.watchedCount / collection.movieCount;
  const update = (changes: CollectionChanges, done?: string): void => void attempt(() => store.update(changes), done);

  const items: MenuItem[] = [
    { label: 'Name and description', icon: <Pencil aria-hidden="true" />, onChoose: () => setOpen('details') },
  ];
  if (tiles.length > 0) {
    items.push({ label: 'Choose its poster', icon: <Image aria-hidden="true" />, onChoose: () => setOpen('poster') });
  }
  if (collection.kind !== 'series') {
    items.push({
      label: isList ? 'Remove this list' : 'Remove this collection',
      icon: <Trash2 aria-hidden="true" />,
      onChoose: () => setOpen('remove'),
      isApart: true,
    });
  }

  return (
    <article>
      <div class={styles.backdrop} aria-hidden="true">
        <span class={styles.picture}>
          <MoviePicture
            movie={{ id: collection.id, title: collection.name, year: null, picture: collection.backdrop }}
            isEager
            isBackdrop
          />
        </span>
      </div>
      <header class={styles.top}>
        <span class={styles.poster} aria-hidden="true">
          <Poster
            movie={{
              id: collection.id,
              title: collection.name,
              year: null,
              poster: collection.poster,
              picture: collection.backdrop,
            }}
            isEager
          />
        </span>
        <div class={styles.words}>
          <p class={styles.kind}>
            <KindIcon kind={collection.kind} />
            {KIND_NAMES[collection.kind]}
          </p>
          <h1 dir="auto">{collection.name}</h1>
          <p class={styles.facts}>
            <span>{sizeOf(collection)}</span>
            <span>
              {collection.watchedCount === 0
                ? 'none watched'
                : share >= 1
                  ? 'all watched'
                  : `${collection.watchedCount} watched`}
            </span>
          </p>
          <ShareLine share={share} class={styles.line} />
          {collection.overview !== null && collection.overview !== '' && (
            <p class={styles.overview} dir="auto">
              {collection.overview}
            </p>
          )}
          {collection.query !== null && (
            <ul class={styles.rules} aria-label="Its filter">
              {collection.query.search !== undefined && <li dir="auto">“{collection.query.search}”</li>}
              {chipsOf(collection.query.filter, null).map(({ key, text }) => (
                <li key={key} dir="auto">
                  {text}
                </li>
              ))}
              <li>by {SORT_NAMES[collection.query.sort].toLowerCase()}</li>
            </ul>
          )}
          <div class={styles.actions} data-spatial>
            {next !== undefined && (
              <ButtonLink
                look="bright"
                icon={<Play aria-hidden="true" fill="currentColor" />}
                to={{ screen: 'play', movieId: next.id, fileId: null, isFromStart: false }}
                data-spatial-start=""
              >
                {collection.watchedCount === 0 ? 'Play' : 'Play the next'}
                <span class="unseen">: {next.title}</span>
              </ButtonLink>
            )}
            {collection.query !== null && (
              <ButtonLink
                icon={<SlidersHorizontal aria-hidden="true" />}
                to={{ screen: 'movies', query: queryOf(collection.query) }}
              >
                {mayEdit ? 'Change the filter' : 'Open in the grid'}
              </ButtonLink>
            )}
            {isList && mayEdit && (
              <>
                <Button icon={<Plus aria-hidden="true" />} onClick={() => setOpen('add')}>
                  Add movies
                </Button>
                {tiles.length > 1 && (
                  <Button
                    icon={<ArrowUpDown aria-hidden="true" />}
                    aria-pressed={isArranging}
                    onClick={() => setArranging(!isArranging)}
                  >
                    {isArranging ? 'Done' : 'Arrange'}
                  </Button>
                )}
              </>
            )}
            {mayEdit && <Menu label="More" icon={<EllipsisVertical aria-hidden="true" />} items={items} />}
          </div>
        </div>
      </header>
      <section class={styles.movies} aria-label="Movies">
        {tiles.length === 0 && (
          <StatePage title={isList ? 'An empty list' : 'Nothing fits just now'} level="h2">
            <p>
              {isList
                ? 'Add movies here, or choose several in the grid and add them to this list.'
                : 'As soon as a movie fits the filter, it appears here.'}
            </p>
          </StatePage>
        )}
        {isArranging && isList ? (
          <Arrange tiles={tiles} onOrder={(movieIds) => update({ movieIds: [...movieIds] })} />
        ) : (
          <ul class={styles.grid} data-spatial>
            {tiles.map((tile) => (
              <li key={tile.id}>
                <MovieTile tile={tile} />
              </li>
            ))}
          </ul>
        )}
        {collection.movieCount > tiles.length && (
          <p class={styles.rest}>
            Only the first {tiles.length} of {collection.movieCount} are shown.
          </p>
        )}
      </section>
      <Missing collection={collection} />

      {open === 'details' && (
        <details.Screen collection={collection} onClose={() => setOpen(null)} onSaved={() => store.retry()} />
      )}
      {open === 'add' && (
        <addMovies.Screen
          held={new Set(tiles.map(({ id }) => id))}
          onAdd={(movieId) => update({ movieIds: [...tiles.map(({ id }) => id), movieId] })}
          onClose={() => setOpen(null)}
        />
      )}
      {open === 'poster' && (
        <Dialog title="Whose poster?" isWide isSheet onClose={() => setOpen(null)}>
          <ul class={styles.posters}>
            {tiles.map((tile) => (
              <li key={tile.id}>
                <button
                  type="button"
                  aria-label={tile.title}
                  onClick={() => {
                    setOpen(null);
                    update({ posterOf: tile.id }, `It shows the poster of “${tile.title}” now.`);
                  }}
                >
                  <span class={styles.frame}>
                    <Poster movie={tile} isEager />
                  </span>
                </button>
              </li>
            ))}
          </ul>
        </Dialog>
      )}
      {open === 'remove' && (
        <Question
          title={`Remove “${collection.name}”?`}
          verb="Remove it"
          onClose={() => setOpen(null)}
          onYes={() => {
            setOpen(null);
            void attempt(() => store.remove(), `“${collection.name}” is removed.`).then((isDone) => {
              if (isDone) navigation.go({ screen: 'collections', kind: null }, { replace: true });
            });
          }}
        >
          <p>Its movies stay where they are.</p>
        </Question>
      )}
    </article>
  );
}

export function CollectionScreen({ collectionId }: { readonly collectionId: string }) {
  const cinema = useCinema();
  const store = useMemo(
    () => new CollectionStore(cinema.server, cinema.link, cinema.library, cinema.progress, collectionId),
    [cinema, collectionId],
  );
  useEffect(() => () => store.dispose(), [store]);
  const collection = store.collection.value;
  const failure = store.failure.value;
  const name = collection?.name;
  useEffect(() => {
    if (name !== undefined) document.title = `${name} · Matinee`;
  }, [name]);

  if (store.isGone.value) {
    return (
      <StatePage
        title="This shelf is gone"
        actions={
          <ButtonLink look="bright" to={{ screen: 'collections', kind: null }}>
            To the collections
          </ButtonLink>
        }
      >
        <p>This collection is not here any more. Its movies still are.</p>
      </StatePage>
    );
  }
  if (collection === null) {
    return failure === null ? (
      <div class={styles.waiting} role="status">
        <span class="unseen">Loading</span>
        {Array.from({ length: 6 }, (_, index) => (
          <TilePlaceholder key={index} />
        ))}
      </div>
    ) : (
      <StatePage title="This page can’t be shown" actions={<Button onClick={() => store.retry()}>Try again</Button>}>
        <p>{failureText(failure)}</p>
      </StatePage>
    );
  }
  return <CollectionPage store={store} collection={collection} tiles={store.movies.value} />;
}
