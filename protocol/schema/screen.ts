/** The screens of one person: what each plays, and what one may ask of another. */
import * as v from 'valibot';
import { Count, Id, Milliseconds, ShortText, Timestamp } from './scalar.ts';

const Share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const SubtitleName = v.pipe(v.string(), v.maxLength(64));
/** What a person calls a screen, on one line; empty: as its browser calls itself. */
export const ScreenName = v.pipe(v.string(), v.trim(), v.maxLength(60), v.regex(/^\P{Cc}*$/u));
const bounded = <S extends v.GenericSchema>(item: S, max: number) => v.pipe(v.array(item), v.maxLength(max));

export const ScreenTracks = v.object({
  audio: bounded(v.object({ trackIndex: Count, label: ShortText }), 64),
  audioTrack: v.nullable(Count),
  subtitles: bounded(v.object({ id: SubtitleName, label: ShortText }), 64),
  subtitle: v.nullable(SubtitleName),
});

/** What a screen says of what it plays. */
export const ScreenPlay = v.object({
  movieId: Id,
  /** As it stands on the screen, also `Metropolis – Trailer`. */
  title: ShortText,
  /** In the whole movie. */
  positionMs: Milliseconds,
  durationMs: Milliseconds,
  isPlaying: v.boolean(),
  rate: v.pipe(v.number(), v.minValue(0.1), v.maxValue(16)),
  tracks: ScreenTracks,
});
export type ScreenPlay = v.InferOutput<typeof ScreenPlay>;

/** What a screen says of itself. */
export const ScreenState = v.object({
  name: ShortText,
  /** Whether it does what other screens of the same person ask. */
  isControllable: v.boolean(),
  volume: Share,
  isMuted: v.boolean(),
  /** `null`: no movie is open. */
  playing: v.nullable(ScreenPlay),
});
export type ScreenState = v.InferOutput<typeof ScreenState>;

export const Screen = v.object({
  ...ScreenState.entries,
  /** With a number behind it where another screen of the person calls itself the same: `Chrome on Linux 2`. */
  name: ShortText,
  id: Id,
  /** When the server heard it; while it plays, the position has moved on since. */
  heardAt: Timestamp,
});
export type Screen = v.InferOutput<typeof Screen>;

/** What one screen asks of another. */
export const ScreenAction = v.variant('kind', [
  v.object({
    kind: v.literal('play'),
    movieId: Id,
    /** One of its files; `null`: the best. */
    fileId: v.nullable(Id),
    /** In the whole movie. */
    positionMs: Milliseconds,
  }),
  v.object({ kind: v.literal('resume') }),
  v.object({ kind: v.literal('pause') }),
  /** Leaves the movie. */
  v.object({ kind: v.literal('stop') }),
  v.object({ kind: v.literal('seek'), positionMs: Milliseconds }),
  v.object({ kind: v.literal('volume'), share: Share }),
  v.object({ kind: v.literal('mute'), isMuted: v.boolean() }),
  v.object({ kind: v.literal('audio'), trackIndex: Count }),
  /** `null`: none. */
  v.object({ kind: v.literal('subtitle'), id: v.nullable(SubtitleName) }),
  /** The screen keeps it, on its device. */
  v.object({ kind: v.literal('rename'), name: ScreenName }),
]);
export type ScreenAction = v.InferOutput<typeof ScreenAction>;

/** An action on its way to a screen. */
export const ScreenOrder = v.object({
  orderId: Id,
  /** Name of the device that asks. */
  from: ShortText,
  action: ScreenAction,
});
export type ScreenOrder = v.InferOutput<typeof ScreenOrder>;
