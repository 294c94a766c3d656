import { useState } from 'preact/hooks';
import type { Picture as PictureSchema } from '#protocol/schema/picture.ts';
import { TitleCard } from './title-card.tsx';
import styles from './picture.module.css';

interface Props {
  readonly movie: {
    readonly id: string;
    readonly title: string;
    readonly year: number | null;
    readonly picture: PictureSchema;
  };
  /** The first pictures of a screen come at once, the others when they are near. */
  readonly isEager?: boolean;
  /** Behind words of its own: a title card then shows only its colours. */
  readonly isBackdrop?: boolean;
}

/** A movie's picture in a 16:9 frame, or its title card until there is one. Decoration: the words beside it name the movie. */
export function MoviePicture({ movie, isEager = false, isBackdrop = false }: Props) {
  const url = movie.picture?.url ?? null;
  const [failedUrl, setFailedUrl] = useState<string | null>(null);
  if (url === null || url === failedUrl) {
    return <TitleCard id={movie.id} title={movie.title} year={movie.year} isWordless={isBackdrop} />;
  }
  return (
    <img
      key={url}
      class={styles.picture}
      src={url}
      alt=""
      decoding="async"
      loading={isEager ? 'eager' : 'lazy'}
      draggable={false}
      ref={(image) => {
        if (image?.complete === true) image.dataset.seen = '';
      }}
      onLoad={(event) => {
        event.currentTarget.dataset.seen = '';
      }}
      onError={() => setFailedUrl(url)}
    />
  );
}
