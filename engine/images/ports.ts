/** What pictures need from the rest of the engine, and what they offer to it. Implementations match by shape. */
import type { MediaHostsPort } from '#engine/hosts/media-supervisor.port.ts';
import type { ArtworkOutcome, ArtworkRequest, ArtworkSource, MeasureOutcome } from '#engine/hosts/artwork.port.ts';
import type { PictureSize } from '#engine/media/picture-size.ts';
import type { Picture, PictureRole, PictureSource } from '#protocol/schema/picture.ts';

export type { PictureSize } from '#engine/media/picture-size.ts';

// What others ask of pictures.

export interface PictureOwner {
  readonly kind: 'movie' | 'person' | 'collection';
  readonly id: string;
}

/** A picture that TMDB has, the best first in a list of them. */
export interface PictureOffer {
  /** As TMDB names it: `/abc.jpg`. Others are left out. */
  readonly path: string;
  /** As TMDB says; `null` where it does not. */
  readonly widthPx: number | null;
  readonly heightPx: number | null;
  /** Of the words in it, `null` where it has none. */
  readonly language: string | null;
  readonly vote: number | null;
}

/** The best of each kind. `picture` is the wide one of a tile: artwork where there is some, else a frame of the movie. */
export interface MoviePictures {
  readonly poster: Picture;
  readonly picture: Picture;
  readonly backdrop: Picture;
  readonly logo: Picture;
}

export interface PictureChoice {
  readonly pictureId: string;
  readonly picture: NonNullable<Picture>;
  readonly source: PictureSource;
  readonly language: string | null;
  /** It is the one that is shown. */
  readonly isChosen: boolean;
}

// What is stored.

/** A picture as the one who serves it needs it. */
export interface KnownPicture {
  readonly id: string;
  readonly version: string;
  readonly movieId: string | null;
  readonly role: PictureRole;
  readonly source: PictureSource;
  readonly location: string;
  readonly libraryId: string | null;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly hasPlaceholder: boolean;
  /** Why this version can never be shown. */
  readonly failure: string | null;
  /** Folder of the library, of a picture that lies in one. */
  readonly libraryPath: string | null;
  /** Absolute path of a file that plays, of a frame: it can be taken again from there. */
  readonly moviePath: string | null;
}

/** A folder that holds files of a movie. */
export interface MovieFolder {
  readonly movieId: string;
  readonly libraryId: string;
  readonly libraryPath: string;
  /** Relative to the library's; '' is that itself. */
  readonly folder: string;
  /** Names of the movie's own files in it, without extras. */
  readonly fileNames: readonly string[];
  /** No other movie has a file there. */
  readonly isOwn: boolean;
}

/** A picture beside a movie. */
export interface LocalPicture {
  readonly role: PictureRole;
  readonly libraryId: string;
  /** Relative to the library's folder. */
  readonly path: string;
  readonly version: string;
  readonly size: PictureSize;
  readonly position: number;
}

/** A movie that has no wide picture yet, with the file that a frame can be taken from. */
export interface Pictureless {
  readonly movieId: string;
  readonly fileId: string;
  /** Absolute. */
  readonly path: string;
}

export interface PictureStore {
  /** The pictures of movies, by their ids. Movies without any are in it too, those that are not there are not. */
  picturesOf(movieIds: readonly string[]): Promise<ReadonlyMap<string, MoviePictures>>;
  /**
   * Makes these the pictures that TMDB has of somebody for one role; what is no longer among them goes, but for what a person chose.
   * Doing it again changes nothing. An owner that is gone is none.
   */
  offer(owner: PictureOwner, role: PictureRole, offers: readonly PictureOffer[]): Promise<void>;
  /** Makes these the portraits of people, all at once: a movie has dozens. Others of theirs go; people without a path keep what they have. */
  offerPortraits(portraits: readonly { readonly personId: string; readonly path: string | null }[]): Promise<void>;
  /** Pictures at TMDB of somebody who is not here, by path; those that can never be shown are missing. */
  offerPaths(paths: readonly string[], role: PictureRole): Promise<ReadonlyMap<string, NonNullable<Picture>>>;
  /** What a movie could be shown by, the present one first. `null` where there is no such movie. */
  list(movieId: string, role: PictureRole): Promise<PictureChoice[] | null>;
  /** Shows a movie by this one; `null`: by the best again. `before`: what a person had chosen. `null` where the movie or its picture is none. */
  choose(
    movieId: string,
    role: PictureRole,
    pictureId: string | null,
  ): Promise<{ readonly before: string | null } | null>;

  find(pictureId: string): Promise<KnownPicture | null>;
  /** What was learnt by decoding it. No change of the movie: whoever shows the picture has it by then. */
  noteSeen(
    pictureId: string,
    version: string,
    seen: { readonly size: PictureSize; readonly placeholder: string | null },
  ): Promise<void>;
  /** This version can never be shown: the next best takes its place. */
  noteFailure(pictureId: string, version: string, failure: string): Promise<void>;

  /** Forgets posters of movies that are not here and that nothing has named for a month. */
  forgetNameless(): Promise<void>;

  /** Movies that need a frame and whose present best file was not tried yet, the newest first. */
  pictureless(
    limit: number,
    which: { readonly among: readonly string[] | null; readonly except: readonly string[] },
  ): Promise<Pictureless[]>;
  picturelessCount(): Promise<number>;
  /** `null`: none could be made from that file. */
  setFrame(
    movieId: string,
    fileId: string,
    frame: { readonly version: string; readonly size: PictureSize } | null,
  ): Promise<void>;

  /** Movies whose folders were not looked at since a file of theirs came or moved. */
  unlooked(limit: number): Promise<string[]>;
  /** Movies with a file in a library, in order of id, from behind `afterId`. */
  moviesOf(libraryId: string, afterId: string | null, limit: number): Promise<string[]>;
  /** Movies with a file directly in one of these folders of a library. */
  moviesIn(libraryId: string, folders: readonly string[]): Promise<string[]>;
  foldersOf(movieIds: readonly string[]): Promise<MovieFolder[]>;
  /** What is known to lie beside these movies, by movie. */
  localOf(movieIds: readonly string[]): Promise<ReadonlyMap<string, readonly LocalPicture[]>>;
  /** Their folders were looked at, and nothing is new. */
  noteLooked(movieIds: readonly string[]): Promise<void>;
  /** Makes these all that lies beside a movie in `libraryIds`, and notes that its folders were looked at. */
  replaceLocal(movieId: string, libraryIds: readonly string[], found: readonly LocalPicture[]): Promise<void>;
}

// Files, threads, hosts, the network.

/** Pictures on disk by name: a bounded cache, so each may be gone at any time. */
export interface PictureCachePort {
  /** Absolute path of what is there under that name; `null` where nothing is. */
  find(name: string): Promise<string | null>;
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** It turned out to be no good. */
  remove(name: string): Promise<void>;
}

/** Looking at the folders of movies. */
export interface ArtworkFolderPort {
  /** Names of the files in a folder of a library. `null` where it cannot be looked at now. */
  names(libraryPath: string, folder: string): Promise<readonly string[] | null>;
  /**
   * The real path of a file below a library's folder, with what tells its versions apart. `null` where there is none, where it is no regular file, or where it
   * lies neither in the library nor in its own folder.
   */
  file(libraryPath: string, path: string): Promise<{ realPath: string; sizeBytes: number; mtimeUs: number } | null>;
}

/** Decoding and resizing, in threads. */
export interface ArtworkThreadsPort {
  measure(source: ArtworkSource): Promise<MeasureOutcome>;
  render(source: ArtworkSource, request: ArtworkRequest): Promise<ArtworkOutcome>;
}

/** `gone`: there is no such picture. `tooLarge`: more bytes than a picture has. `away`: its host cannot be asked now. */
export type RemoteOutcome =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'gone' }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'away'; readonly retryAfterMs: number };

/** The host of TMDB's pictures. Never rejects but with the signal's reason. */
export interface RemotePictures {
  fetch(path: string, role: PictureRole, signal: AbortSignal): Promise<RemoteOutcome>;
}

export type MediaPort = Pick<MediaHostsPort, 'picture'>;

// Durable work and jobs; the types match by shape.

export interface RunningJob {
  readonly signal: AbortSignal;
  progress(progress: { readonly done?: number; readonly total?: number | null; readonly note?: string | null }): void;
}

export interface JobPort {
  run(
    spec: { readonly kind: 'pictures'; readonly subject: string; readonly libraryId: null },
    work: (job: RunningJob) => Promise<void>,
  ): Promise<{ readonly ended: Promise<{ readonly state: string }> }>;
}

export interface WorkPort {
  order(
    orders: readonly {
      readonly kind: 'image';
      readonly payload: Readonly<Record<string, unknown>>;
      readonly urgency?: 'click' | 'normal' | 'bulk';
      readonly key?: string;
    }[],
  ): Promise<void>;
  handle(
    kind: 'image',
    options: { readonly concurrency: number; readonly title: string },
    work: (payload: unknown, job: RunningJob) => Promise<{ readonly kind: 'done'; readonly note?: string }>,
  ): void;
  /** Calls when what was away can be reached again. Returns how to end that. */
  onReturn(listener: () => void): () => void;
}
