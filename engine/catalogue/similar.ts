/** Movies like one: what the catalogue of movies calls alike, then what shares people, keywords and genres with it, the rarer the more. */
import type { BrowseTable } from './browse-table.ts';
import type { Kinship, TermKind } from './ports.ts';
import { hasBit } from './slot-set.ts';

/** What a shared value weighs beside its rarity. A tag is of one household, a studio or country says little. */
const WEIGHT_BY_KIND: Readonly<Record<TermKind, number>> = {
  keyword: 1,
  genre: 0.6,
  tag: 1,
  studio: 0.25,
  country: 0.1,
};
const PERSON_WEIGHT = 0.8;
/** What more than this share of all movies have, tells nothing. */
const COMMON_SHARE = 0.4;

/** Slots of movies that are here and not hidden, the likest first. */
export function similarTo(table: BrowseTable, movieId: string, kinship: Kinship, limit: number): number[] {
  const own = table.slotOf(movieId);
  const isShown = (slot: number): boolean => slot !== own && hasBit(table.live, slot) && !hasBit(table.hidden, slot);
  const alike = [...new Set(kinship.alike.flatMap((id) => table.slotOf(id) ?? []))].filter(isShown).slice(0, limit);
  if (alike.length === limit) return alike;

  const scores = new Map<number, number>();
  const raise = (slot: number, by: number): void => void scores.set(slot, (scores.get(slot) ?? 0) + by);
  const rarity = (size: number): number => Math.log((table.count + 1) / (size + 1));
  for (const termId of kinship.termIds) {
    const term = table.term(termId);
    if (!term || term.movies.size > Math.max(20, table.count * COMMON_SHARE)) continue;
    const weight = (WEIGHT_BY_KIND[term.kind as TermKind] ?? 0) * rarity(term.movies.size);
    term.movies.each((slot) => raise(slot, weight));
  }
  for (const movieIds of kinship.byPerson) {
    const weight = PERSON_WEIGHT * rarity(movieIds.length + 1);
    for (const id of movieIds) {
      const slot = table.slotOf(id);
      if (slot !== undefined) raise(slot, weight);
    }
  }
  const taken = new Set(alike);
  const others = [...scores]
    .filter(([slot]) => isShown(slot) && !taken.has(slot))
    .sort(([a, left], [b, right]) => right - left || table.votes[b]! - table.votes[a]! || a - b)
    .slice(0, limit - alike.length)
    .map(([slot]) => slot);
  return [...alike, ...others];
}
