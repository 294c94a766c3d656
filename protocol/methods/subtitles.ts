/** Subtitles that people hand in, and how far they are out of step. The files themselves come by HTTP: `POST /subtitles/{fileId}`. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Id, LanguageTag } from '../schema/scalar.ts';
import { SubtitleId, SubtitleOffset, UploadedSubtitle } from '../schema/subtitle.ts';

export const subtitles = {
  list: defineCall({
    id: 85,
    name: 'subtitles.list',
    since: 1,
    summary: 'The subtitles that were handed in for a movie’s files, the newest first.',
    permission: 'playback:play',
    input: v.object({ movieId: Id }),
    output: v.object({ subtitles: v.array(UploadedSubtitle) }),
    failures: {},
    http: { method: 'GET', path: '/movies/{movieId}/subtitles' },
  }),
  edit: defineCall({
    id: 86,
    name: 'subtitles.edit',
    since: 1,
    summary: 'Says what handed-in subtitles are. Theirs who handed them in, and who manages libraries, to do.',
    permission: 'playback:play',
    input: v.object({
      subtitleId: Id,
      /** Absent fields stay as they are. */
      language: v.optional(LanguageTag),
      isForced: v.optional(v.boolean()),
      isHearingImpaired: v.optional(v.boolean()),
    }),
    output: v.object({ subtitle: UploadedSubtitle }),
    failures: {},
    http: { method: 'PATCH', path: '/subtitles/{subtitleId}' },
  }),
  remove: defineCall({
    id: 87,
    name: 'subtitles.remove',
    since: 1,
    summary: 'Removes handed-in subtitles. Theirs who handed them in, and who manages libraries, to do.',
    permission: 'playback:play',
    input: v.object({ subtitleId: Id }),
    output: v.object({}),
    failures: {},
    http: { method: 'DELETE', path: '/subtitles/{subtitleId}' },
  }),
  setOffset: defineCall({
    id: 88,
    name: 'subtitles.setOffset',
    since: 1,
    summary: 'Remembers how far subtitles are out of step with a file, for this person.',
    permission: 'self',
    input: v.object({ fileId: Id, subtitleId: SubtitleId, offsetMs: SubtitleOffset }),
    output: v.object({}),
    failures: {},
    http: { method: 'PUT', path: '/files/{fileId}/subtitles/{subtitleId}/offset' },
  }),
};
