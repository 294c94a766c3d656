/** Pictures as they stand in the rows of movies, people and collections: the column `artwork`, kept by the triggers of 0003_images.sql. */
import type { MoviePictures } from '#engine/images/ports.ts';
import type { Picture, PictureRole } from '#protocol/schema/picture.ts';

export interface StoredPicture {
  readonly id: string;
  readonly version: string;
  readonly width: number;
  readonly height: number;
  readonly placeholder: string | null;
}

/** The column `artwork` of `movie`, `person` and `collection`. */
export type Artwork = { readonly [Role in PictureRole]?: StoredPicture };

/** As screens get it; `null` where there is none. */
export const toPicture = (stored: StoredPicture | null | undefined): Picture =>
  stored
    ? {
        url: `/images/${stored.id}/${stored.version}`,
        width: stored.width,
        height: stored.height,
        placeholder: stored.placeholder,
      }
    : null;

/** All pictures of a movie from its column `artwork`. */
export function toMoviePictures({ poster, backdrop, logo }: Artwork): MoviePictures {
  const wide = toPicture(backdrop);
  return { poster: toPicture(poster), picture: wide, backdrop: wide, logo: toPicture(logo) };
}
