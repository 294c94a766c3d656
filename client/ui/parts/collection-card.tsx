import { Layers, ListVideo, Sparkles } from 'lucide-preact';
import type { CollectionCard as Card } from '#protocol/schema/collection.ts';
import type { CollectionKind } from '#client/store/navigation.ts';
import { counted } from '../wording.ts';
import { Link } from './link.tsx';
import { Poster } from './picture.tsx';
import styles from './collection-card.module.css';

export const KIND_NAMES: Readonly<Record<CollectionKind, string>> = {
  series: 'Series',
  manual: 'List',
  smart: 'Smart collection',
};

export function KindIcon({ kind }: { readonly kind: CollectionKind }) {
  switch (kind) {
    case 'series':
      return <Layers aria-hidden="true" />;
    case 'manual':
      return <ListVideo aria-hidden="true" />;
    case 'smart':
      return <Sparkles aria-hidden="true" />;
  }
}

/** `3 of 5 here` where some are missing, `3 movies` else. */
export const sizeOf = ({ movieCount, partCount }: Pick<Card, 'movieCount' | 'partCount'>): string =>
  partCount > movieCount ? `${movieCount} of ${partCount} here` : counted(movieCount, 'movie');

/** A collection as a small stack of posters. */
export function CollectionTile({ card, isStart = false }: { readonly card: Card; readonly isStart?: boolean }) {
  const isSeen = card.movieCount > 0 && card.watchedCount >= card.movieCount;
  return (
    <Link
      to={{ screen: 'collection', collectionId: card.id }}
      class={styles.tile}
      data-spatial-start={isStart ? '' : undefined}
    >
      <span class={styles.stack}>
        <span class={styles.frame}>
          <Poster movie={{ id: card.id, title: card.name, year: null, poster: card.poster, picture: card.backdrop }} />
          {card.watchedCount > 0 && (
            <span class={styles.progress}>
              <span
                style={{ inlineSize: `${Math.round((card.watchedCount / Math.max(1, card.movieCount)) * 100)}%` }}
              />
            </span>
          )}
        </span>
      </span>
      <span class={styles.title} dir="auto">
        {card.name}
      </span>
      <span class={styles.meta}>
        <KindIcon kind={card.kind} />
        <span class="unseen">{KIND_NAMES[card.kind]}, </span>
        {sizeOf(card)}
        <span class="unseen">
          {isSeen ? ', all watched' : card.watchedCount > 0 ? `, ${card.watchedCount} watched` : ''}
        </span>
      </span>
    </Link>
  );
}
