/** Which movies stand on the home screen, from the browse table alone. What cannot be played is counted, but not proposed. */
import { maskOf, windowOf } from './browse-query.ts';
import type { BrowseTable } from './browse-table.ts';
import { countBits, eachBit, subtract } from './slot-set.ts';

/** Fewer votes say nothing, however high. */
const FEWEST_VOTES = 25;
const DAY_MS = 86_400_000;

export interface HomeRows {
  readonly recentlyAdded: readonly number[];
  readonly topRated: readonly number[];
  readonly random: readonly number[];
  readonly decades: readonly { readonly year: number; readonly count: number }[];
  readonly movieCount: number;
}

export function homeRows(table: BrowseTable, limit: number, nowMs: number): HomeRows {
  const mask = maskOf(table, { filter: {}, isHidden: false, among: [], watch: null });
  const playable = mask.slice();
  subtract(playable, table.broken);
  const window = { offset: 0, limit };
  const decades = [...table.valuesOf('decade')].map(({ key, movies }) => ({
    year: Number(key),
    count: movies.countIn(mask),
  }));
  return {
    recentlyAdded: windowOf(table, playable, { sort: 'added', order: null, seed: 0 }, null, window),
    topRated: topRated(table, playable, limit),
    random: windowOf(table, playable, { sort: 'random', order: null, seed: Math.floor(nowMs / DAY_MS) }, null, window),
    decades: decades.filter(({ count }) => count > 0).toSorted((a, b) => b.year - a.year),
    movieCount: countBits(mask),
  };
}

/**
 * By a rating that few votes pull towards the mean of all: (v·R + m·C) / (v + m), with the votes v and rating R of a movie, the mean
 * rating C of all, and as m the votes that one movie in four does not have (what IMDb says of its own list).
 */
function topRated(table: BrowseTable, mask: Uint32Array, limit: number): number[] {
  const ratings = table.keysOf('rating')!;
  const rated: number[] = [];
  let sum = 0;
  eachBit(mask, (slot) => {
    if (ratings[slot] === Infinity || table.votes[slot]! < FEWEST_VOTES) return;
    rated.push(slot);
    sum += ratings[slot]!;
  });
  const mean = sum / rated.length;
  const votes = Float32Array.from(rated, (slot) => table.votes[slot]!).sort();
  const enough = votes[Math.floor(votes.length / 4)] ?? 0;
  const worth = (slot: number): number => {
    const own = table.votes[slot]!;
    return (own * ratings[slot]! + enough * mean) / (own + enough);
  };
  // A list of the best so far, kept in order: sorting all of them would hold up everybody.
  const best: { slot: number; worth: number }[] = [];
  for (const slot of rated) {
    const one = { slot, worth: worth(slot) };
    if (best.length === limit && one.worth <= best[limit - 1]!.worth) continue;
    let place = best.length;
    while (place > 0 && best[place - 1]!.worth < one.worth) place--;
    best.splice(place, 0, one);
    if (best.length > limit) best.pop();
  }
  return best.map(({ slot }) => slot);
}
