/**
 * Pictures as the server has them, in the size that the screen needs. Each fills the nearest positioned element around it:
 * give that one its shape (`aspect-ratio: 16 / 9`, `2 / 3`, `1`), `position: relative` and `overflow: hidden`.
 *
 * All are decoration, hidden from screen readers: the words beside one name what it shows. Until a picture came there is its
 * placeholder; where there is none, or it cannot be had, a title card or the person's initials.
 */
import { useEffect, useState } from 'preact/hooks';
import type { Picture as PictureSchema } from '#protocol/schema/picture.ts';
import { placeholderOf, plainSource, sourceSet } from '../picture-source.ts';
import { TitleCard, toneOf } from './title-card.tsx';
import styles from './picture.module.css';

type Shown = NonNullable<PictureSchema>;

interface Named {
  readonly id: string;
  readonly title: string;
  readonly year: number | null;
}

interface Sized {
  /** The first pictures of a screen come at once, the others when they are near. */
  readonly isEager?: boolean;
  /** Width of the frame as `sizes` has it, where it differs from what is usual for such a frame: `30rem`, `(min-width: 60rem) 20vw, 45vw`. */
  readonly sizes?: string;
}

interface MoviePictureProps extends Sized {
  readonly movie: Named & { readonly picture: PictureSchema; readonly backdrop?: PictureSchema };
  /** Behind words of its own and as wide as the screen: its backdrop, else its picture; a title card shows only its colours. */
  readonly isBackdrop?: boolean;
}

/** A movie's picture in a 16:9 frame, or its title card until there is one. */
export function MoviePicture({ movie, isEager = false, isBackdrop = false, sizes }: MoviePictureProps) {
  const failed = useFailures();
  const picture = [isBackdrop ? (movie.backdrop ?? null) : null, movie.picture].find(failed.isUsable) ?? null;
  if (picture === null) {
    return <TitleCard id={movie.id} title={movie.title} year={movie.year} isWordless={isBackdrop} />;
  }
  return (
    <Faded
      key={picture.url}
      picture={picture}
      isEager={isEager}
      sizes={sizes ?? (isBackdrop ? '100vw' : '(min-width: 60rem) 19rem, 62vw')}
      onFailure={failed.add}
    />
  );
}

interface PosterProps extends Sized {
  readonly movie: Named & { readonly poster: PictureSchema; readonly picture?: PictureSchema };
}

/** A movie's poster in a 2:3 frame; where it has none, the middle of its picture, then its title card. */
export function Poster({ movie, isEager = false, sizes }: PosterProps) {
  const failed = useFailures();
  const picture = [movie.poster, movie.picture ?? null].find(failed.isUsable) ?? null;
  if (picture === null) return <TitleCard id={movie.id} title={movie.title} year={movie.year} />;
  return (
    <Faded
      key={picture.url}
      picture={picture}
      isEager={isEager}
      sizes={sizes ?? '(min-width: 60rem) 12rem, 34vw'}
      onFailure={failed.add}
    />
  );
}

interface PortraitProps extends Sized {
  readonly person: { readonly id: string; readonly name: string; readonly portrait: PictureSchema };
}

/** A person's face in a square or round frame, or their initials. */
export function Portrait({ person, isEager = false, sizes }: PortraitProps) {
  const failed = useFailures();
  const { portrait } = person;
  if (!failed.isUsable(portrait)) {
    return (
      <span class={styles.initials} data-tone={toneOf(person.id)} aria-hidden="true">
        {initialsOf(person.name)}
      </span>
    );
  }
  return (
    <Faded key={portrait.url} picture={portrait} isEager={isEager} sizes={sizes ?? '8rem'} onFailure={failed.add} />
  );
}

interface LogoProps {
  readonly logo: PictureSchema;
  /** What it says, which stands there as text where the picture cannot be had. Left out where that is written beside it anyway. */
  readonly title?: string;
}

/** The title as a picture, in the flow of the text, as high as its `max-block-size` lets it. Say the title in a heading around it. */
export function Logo({ logo, title }: LogoProps) {
  const failed = useFailures();
  if (!failed.isUsable(logo)) return title === undefined ? null : <span dir="auto">{title}</span>;
  return (
    <img
      class={styles.logo}
      src={plainSource(logo)}
      width={logo.width}
      height={logo.height}
      alt={title ?? ''}
      draggable={false}
      onError={() => failed.add(logo.url)}
    />
  );
}

/** When one that did not come is asked for again: its host may have been away. Then never until this is drawn anew. */
const RETRY_AFTER_MS = [20_000, 120_000];

/** Which addresses give no picture at the moment. */
function useFailures() {
  const [urls, setUrls] = useState<readonly string[]>([]);
  const [retries, setRetries] = useState(0);
  const retryAfterMs = urls.length === 0 ? undefined : RETRY_AFTER_MS[retries];
  useEffect(() => {
    if (retryAfterMs === undefined) return undefined;
    const timer = setTimeout(() => {
      setRetries(retries + 1);
      setUrls([]);
    }, retryAfterMs);
    return () => clearTimeout(timer);
  }, [retryAfterMs, retries]);
  return {
    isUsable: (picture: PictureSchema): picture is Shown => picture !== null && !urls.includes(picture.url),
    add: (url: string) => setUrls((known) => [...known, url]),
  };
}

interface FadedProps {
  readonly picture: Shown;
  readonly isEager: boolean;
  readonly sizes: string;
  readonly onFailure: (url: string) => void;
}

function Faded({ picture, isEager, sizes, onFailure }: FadedProps) {
  const placeholder = placeholderOf(picture.placeholder);
  const set = sourceSet(picture);
  return (
    <>
      {placeholder !== null && (
        <span class={styles.placeholder} style={{ backgroundImage: `url(${placeholder})` }} aria-hidden="true" />
      )}
      <img
        class={styles.picture}
        // Before the addresses: what they are chosen by must be there when they are set.
        loading={isEager ? 'eager' : 'lazy'}
        // A lazy picture knows its frame by the time that it is fetched, where the browser can tell.
        sizes={set === null ? undefined : isEager ? sizes : `auto, ${sizes}`}
        srcset={set ?? undefined}
        src={plainSource(picture)}
        alt=""
        decoding="async"
        draggable={false}
        ref={(image) => {
          if (image?.complete === true && image.naturalWidth > 0) image.dataset.seen = '';
        }}
        onLoad={(event) => {
          event.currentTarget.dataset.seen = '';
        }}
        onError={() => onFailure(picture.url)}
      />
    </>
  );
}

/** First letters of the first and the last name. */
function initialsOf(name: string): string {
  const words = name.split(/\s+/u).filter((word) => word !== '');
  return (words.length > 1 ? [words[0]!, words.at(-1)!] : words)
    .map((word) => String.fromCodePoint(word.codePointAt(0)!).toUpperCase())
    .join('');
}
