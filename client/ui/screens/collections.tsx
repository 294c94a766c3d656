import { Plus } from 'lucide-preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CollectionsStore } from '#client/store/collections.ts';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import type { CollectionKind } from '#client/store/navigation.ts';
import { failureText } from '../failure-text.ts';
import { useCinema, useLobby } from '../house.ts';
import { lazyScreen } from '../lazy.tsx';
import { Button, ButtonLink } from '../parts/button.tsx';
import { CollectionTile } from '../parts/collection-card.tsx';
import { Link } from '../parts/link.tsx';
import { ScreenHead } from '../parts/screen-head.tsx';
import { StatePage } from '../parts/state-page.tsx';
import { TilePlaceholder } from '../parts/tile.tsx';
import { counted } from '../wording.ts';
import styles from './collections.module.css';

const details = lazyScreen(() => import('./collection/details.tsx').then((module) => module.CollectionDetails), {
  isQuiet: true,
});

const TABS: readonly (readonly [CollectionKind | null, string])[] = [
  [null, 'All'],
  ['series', 'Series'],
  ['manual', 'Lists'],
  ['smart', 'Smart'],
];

const EMPTY: Readonly<Record<CollectionKind | 'all', string>> = {
  all: 'Series appear by themselves when two of their movies are here. Lists are made by hand, from any movies you like.',
  series: 'When two movies of a series are here, the series appears by itself.',
  manual: 'A list holds the movies you choose, in your own order. Make one here, or choose movies in the grid.',
  smart: 'Set filters in the grid and save them: the collection then keeps itself up to date.',
};

export function CollectionsScreen({ kind }: { readonly kind: CollectionKind | null }) {
  const cinema = useCinema();
  const { session, navigation } = useLobby();
  const store = cinema.kept(
    'collections',
    kind ?? 'all',
    () => new CollectionsStore(cinema.server, cinema.link, cinema.library, kind),
  );
  const [isMaking, setMaking] = useState(false);
  const cards = store.cards.value;
  const failure = store.failure.value;
  const mayEdit = session.may('movies:edit');
  const end = useRef<HTMLDivElement>(null);
  const isMore = cards !== null && cards.length < store.total.value;

  useEffect(() => {
    const element = end.current;
    if (element === null || !isMore) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) void store.more();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [store, isMore, cards?.length]);
  const hasCards = cards !== null && cards.length > 0;

  return (
    <div class={styles.collections}>
      <ScreenHead
        title={
          <>
            Collections <span role="status">{cards === null ? '' : counted(store.total.value, 'collection')}</span>
          </>
        }
        class={styles.header}
      >
        <nav class={styles.tabs} aria-label="Kinds of collections">
          {TABS.map(([name, label]) => (
            <Link
              key={label}
              to={{ screen: 'collections', kind: name }}
              aria-current={name === kind ? 'page' : undefined}
            >
              {label}
            </Link>
          ))}
        </nav>
        {mayEdit && (
          <Button icon={<Plus aria-hidden="true" />} onClick={() => setMaking(true)}>
            New list
          </Button>
        )}
      </ScreenHead>
      {failure !== null && cards === null && (
        <StatePage
          title="The collections can’t be read"
          level="h2"
          actions={<Button onClick={() => store.retry()}>Try again</Button>}
        >
          <p>{failureText(failure)}</p>
        </StatePage>
      )}
      {failure === null && cards === null && (
        <div class={styles.grid} role="status">
          <span class="unseen">Loading</span>
          {Array.from({ length: 12 }, (_, index) => (
            <TilePlaceholder key={index} />
          ))}
        </div>
      )}
      {cards !== null && !hasCards && (
        <StatePage
          title="No collections yet"
          level="h2"
          actions={
            kind !== 'series' && (
              <ButtonLink to={{ screen: 'movies', query: ALL_MOVIES }} look="bright">
                To the movies
              </ButtonLink>
            )
          }
        >
          <p>{EMPTY[kind ?? 'all']}</p>
        </StatePage>
      )}
      {cards !== null && hasCards && (
        <ul class={styles.grid} data-spatial>
          {cards.map((card, index) => (
            <li key={card.id}>
              <CollectionTile card={card} isStart={index === 0} />
            </li>
          ))}
        </ul>
      )}
      <div ref={end} />
      {isMaking && (
        <details.Screen
          collection={null}
          onClose={() => setMaking(false)}
          onSaved={(collectionId) => navigation.go({ screen: 'collection', collectionId })}
        />
      )}
    </div>
  );
}
