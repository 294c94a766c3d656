/** Pictures: posters, backdrops, logos, portraits, and frames of the movies themselves. */
import * as v from 'valibot';
import { Count } from './scalar.ts';

/** Widths that a picture can be had in; one that is larger than the picture itself gives the picture as it is. */
export const PICTURE_WIDTHS = [160, 320, 480, 640, 960, 1280, 1920] as const;

/**
 * `url` is `/images/…`: immutable, needs a session, and takes `?w=` with one of `PICTURE_WIDTHS`. `null` until there is a picture.
 * `placeholder` is a ThumbHash in base64 (about 30 characters) to show while it loads, `null` where it was not made yet.
 */
export const Picture = v.nullable(
  v.object({ url: v.string(), width: Count, height: Count, placeholder: v.nullable(v.string()) }),
);
export type Picture = v.InferOutput<typeof Picture>;

export const PICTURE_ROLES = ['poster', 'backdrop', 'logo', 'portrait'] as const;
export type PictureRole = (typeof PICTURE_ROLES)[number];

/** Where a picture comes from. What lies beside the movie wins over what a catalogue has, and that over a frame of the movie. */
export const PICTURE_SOURCES = ['local', 'tmdb', 'frame'] as const;
export type PictureSource = (typeof PICTURE_SOURCES)[number];
