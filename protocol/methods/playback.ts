/** Opening a movie for playing, here or in another player. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { DeviceProfile, EncodingWork, PLAY_METHODS, Playback } from '../schema/playback.ts';
import { DEFAULT_LINK_MS, LINK_KINDS, MAX_LINK_MS, MIN_LINK_MS, PlaybackLink } from '../schema/playback-link.ts';
import { Count, Id, Milliseconds } from '../schema/scalar.ts';
import { SubtitleId } from '../schema/subtitle.ts';

export const playback = {
  open: defineCall({
    id: 80,
    name: 'playback.open',
    since: 1,
    summary: 'Decides how a movie reaches this device, says why, and gives a signed URL for it.',
    permission: 'playback:play',
    input: v.object({
      movieId: Id,
      /** One of the movie's files; absent: the best that is playable, of a movie that is cut the part that `startMs` lies in. */
      fileId: v.optional(Id),
      /** Where in the movie to begin; absent: where this person left off. */
      startMs: v.optional(Milliseconds),
      /** Absent: the baseline that every browser plays (H.264 and AAC in MP4). */
      profile: v.optional(DeviceProfile),
      /** FFmpeg's track number; absent: by what this person chose in the movie before, and prefers. */
      audioTrack: v.optional(Count),
      /** The subtitles to show, `null` for none; absent: by what this person chose in the movie before, and prefers. */
      subtitle: v.optional(v.nullable(SubtitleId)),
      /** Methods that failed on this device for this file and must not be chosen again. */
      without: v.optional(v.pipe(v.array(v.picklist(PLAY_METHODS)), v.maxLength(3)), []),
    }),
    output: Playback,
    failures: {
      /** The movie has no file that can be played now; `failure` is the reason of its best file. */
      notPlayable: v.object({ failure: v.string() }),
      /**
       * As many transcodes run as this server allows. `place`: this session's in the line of those who wait, 1 is the next; it keeps it by
       * asking `playback.wait`. `null`: there is no use in waiting, since the server encodes nothing.
       */
      tooManyTranscodes: v.object({ running: Count, limit: Count, place: v.nullable(Count) }),
    },
    http: { method: 'POST', path: '/movies/{movieId}/playback' },
    statusByFailure: { tooManyTranscodes: 503 },
    deadlineMs: 30_000,
  }),
  wait: defineCall({
    id: 96,
    name: 'playback.wait',
    since: 1,
    summary: 'Keeps this session’s place in the line for a transcode, and answers when it changes, or after a while.',
    permission: 'playback:play',
    input: v.object({
      /** The place that the client knows. */
      known: v.pipe(Count, v.minValue(1)),
    }),
    output: v.object({
      /** 0: it is this session’s turn, to be taken by opening the movie again; `null`: it has no place (any more), and opens anew. */
      place: v.nullable(Count),
    }),
    failures: {},
    http: { method: 'POST', path: '/playback/line/wait' },
    deadlineMs: 30_000,
  }),
  leave: defineCall({
    id: 97,
    name: 'playback.leave',
    since: 1,
    summary: 'Leaves the line for a transcode.',
    permission: 'playback:play',
    input: v.object({}),
    output: v.object({}),
    failures: {},
    http: { method: 'POST', path: '/playback/line/leave' },
  }),
  work: defineCall({
    id: 99,
    name: 'playback.work',
    since: 1,
    summary: 'Tells how fast, and by what, the picture of a playback of this session is being encoded now.',
    permission: 'playback:play',
    input: v.object({
      /** `url` of the playback. */
      url: v.pipe(v.string(), v.maxLength(8_192)),
    }),
    output: v.object({
      /** `null`: nothing is encoded for it now, since the picture is sent as it is, or nobody has asked for any of it yet. */
      encoding: v.nullable(EncodingWork),
    }),
    failures: {},
    http: { method: 'POST', path: '/playback/work' },
  }),
  close: defineCall({
    id: 95,
    name: 'playback.close',
    since: 1,
    summary:
      'Says that a playback of this session is not watched any more: nothing is made ahead for it, until its address is asked again.',
    permission: 'playback:play',
    input: v.object({
      /** `url` of the playback. */
      url: v.pipe(v.string(), v.maxLength(8_192)),
    }),
    output: v.object({}),
    failures: {},
    http: { method: 'POST', path: '/playback/close' },
  }),
  link: defineCall({
    id: 98,
    name: 'playback.link',
    since: 1,
    summary:
      'Gives a signed address of a movie for players outside the browser, VLC or mpv for one, which works without signing in there.',
    permission: 'playback:play',
    input: v.object({
      movieId: Id,
      /** One of the movie's files; absent: the best that is playable, of a movie that is cut the first part. */
      fileId: v.optional(Id),
      kind: v.optional(v.picklist(LINK_KINDS), 'file'),
      /** How long it works, unless the session ends before. */
      lifetimeMs: v.optional(v.pipe(Milliseconds, v.minValue(MIN_LINK_MS), v.maxValue(MAX_LINK_MS)), DEFAULT_LINK_MS),
    }),
    output: PlaybackLink,
    failures: {
      /** The movie has no file that can be played now; `failure` is the reason of its best file. */
      notPlayable: v.object({ failure: v.string() }),
    },
    http: { method: 'POST', path: '/movies/{movieId}/link' },
    deadlineMs: 30_000,
  }),
};
