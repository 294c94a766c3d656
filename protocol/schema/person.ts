/** People who made movies: actors, directors, writers. */
import * as v from 'valibot';
import { Picture } from './picture.ts';
import { Count, Id, ShortText } from './scalar.ts';

export const PersonCard = v.object({ id: Id, name: ShortText, portrait: Picture });
export type PersonCard = v.InferOutput<typeof PersonCard>;

export const CastMember = v.object({ person: PersonCard, character: v.nullable(ShortText) });
export const CrewMember = v.object({ person: PersonCard, job: ShortText, department: v.nullable(ShortText) });

export const Person = v.object({
  ...PersonCard.entries,
  tmdbId: v.nullable(Count),
  /** As the catalogue names it: `Acting`, `Directing` … */
  knownFor: v.nullable(ShortText),
  biography: v.nullable(v.string()),
  /** `YYYY-MM-DD`. */
  bornOn: v.nullable(v.string()),
  diedOn: v.nullable(v.string()),
  birthplace: v.nullable(ShortText),
});
export type Person = v.InferOutput<typeof Person>;
