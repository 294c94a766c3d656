/** Intros, recaps and credits: where they are, and saying so. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Marker, MarkerKind } from '../schema/moments.ts';
import { Id, Milliseconds } from '../schema/scalar.ts';

const ofFile = { fileId: Id };
const output = v.object({
  markers: v.array(Marker),
  /** Of what people have said something: where it is, or that there is none. */
  said: v.array(MarkerKind),
});

export const moments = {
  markers: defineCall({
    id: 89,
    name: 'moments.markers',
    since: 1,
    summary: 'Where the intro, the recap and the credits of a file are, as far as that is known.',
    permission: 'playback:play',
    input: v.object(ofFile),
    output,
    failures: {},
    http: { method: 'GET', path: '/files/{fileId}/markers' },
  }),
  setMarker: defineCall({
    id: 90,
    name: 'moments.setMarker',
    since: 1,
    summary: 'Says where one of them is. It counts for everybody, and no machine changes it.',
    permission: 'movies:edit',
    input: v.object({ ...ofFile, kind: MarkerKind, startMs: Milliseconds, endMs: Milliseconds }),
    output,
    failures: {
      /** It ends before it begins, or beyond the end of the file. */
      notInFile: v.object({ durationMs: Milliseconds }),
    },
    http: { method: 'PUT', path: '/files/{fileId}/markers/{kind}' },
  }),
  removeMarker: defineCall({
    id: 91,
    name: 'moments.removeMarker',
    since: 1,
    summary: 'Says that there is none of this kind. It counts for everybody, and no machine finds it again.',
    permission: 'movies:edit',
    input: v.object({ ...ofFile, kind: MarkerKind }),
    output,
    failures: {},
    http: { method: 'DELETE', path: '/files/{fileId}/markers/{kind}' },
  }),
  resetMarker: defineCall({
    id: 92,
    name: 'moments.resetMarker',
    since: 1,
    summary: 'Forgets what people said: what was found by itself counts again.',
    permission: 'movies:edit',
    input: v.object({ ...ofFile, kind: MarkerKind }),
    output,
    failures: {},
    http: { method: 'POST', path: '/files/{fileId}/markers/{kind}/reset' },
  }),
};
