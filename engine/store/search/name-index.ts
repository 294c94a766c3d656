/**
 * Finding things by their names: movies, people, collections. All of it in memory, because what is typed letter by letter must be answered
 * before the next one, and no index of a database holds “s” among a hundred thousand titles in a millisecond. Owns
 * the words and keys of every entry; trades memory (measured: 250 MB for 100,000 movies and 300,000 people) for that.
 *
 * The answer in order, each the better the earlier [SEARCH1]: the whole name; a name that begins so; all words, in any order;
 * words that begin so; words with typing errors; most of the words. Weight decides only inside one of these.
 */
import { joinedPairs, queryTerms, titleTerms } from './search-words.ts';
import type { QueryTerms, QueryWord } from './search-words.ts';
import { SortedKeys } from './sorted-keys.ts';
import { foldText, romanize } from './transliteration.ts';
import { Vocabulary } from './vocabulary.ts';

/** How good an answer is; the smaller the better. */
export const TIER = {
  wholeName: 0,
  wholeVariant: 1,
  wholeOtherName: 2,
  beginsWithWords: 3,
  begins: 4,
  otherBegins: 5,
  allWords: 6,
  allBeginnings: 7,
  looseBeginnings: 8,
  /** And more for further errors (`NearWord.cost`). */
  errors: 9,
  mostWords: 13,
} as const;
const WORST_TIER = 15;

/** The largest weight. */
export const MOST_WEIGHT = 1_023;

export interface Named {
  readonly id: string;
  readonly name: string;
  /** As good as the name itself: a movie's original title. */
  readonly variants: readonly string[];
  readonly otherNames: readonly string[];
  readonly year: number | null;
  readonly detail: string | null;
  /** 0 to `MOST_WEIGHT`: which of two equal answers is meant more often. */
  readonly weight: number;
  readonly isHidden: boolean;
}

export interface Match {
  readonly id: string;
  readonly tier: number;
  readonly weight: number;
}

export interface MatchQuery {
  readonly limit: number;
  readonly isHidden?: boolean;
  /** Fewer exact answers than this, and typing errors are forgiven. Absent: 1. */
  readonly enough?: number;
}

interface Alternatives {
  readonly whole: readonly number[];
  readonly begun: readonly number[];
}

const NOWHERE: readonly number[] = [];
const NO_ALTERNATIVES: Alternatives = { whole: [], begun: [] };
/** Up to so many are sorted as they come; more are first cut. */
const FEW = 64;

interface Entry {
  readonly named: Named;
  /** Everything it was indexed by, to tell whether it must be indexed anew. */
  readonly source: string;
}

/** What a key is to its entry, in the two low bits of the key's number. */
const KEY_OF = { name: 0, variant: 1, other: 2 } as const;

export class NameIndex {
  readonly #slots = new Map<string, number>();
  readonly #entries: (Entry | null)[] = [];
  readonly #free: number[] = [];
  readonly #vocabulary = new Vocabulary();
  /** Word → slots. */
  readonly #postings: number[][] = [];
  readonly #keys = new SortedKeys();
  #weights = new Uint16Array(1_024);
  #isHidden = new Uint8Array(1_024);
  // Of the present search, by slot. `#counted` holds `#round` + how many words were found, so nothing needs to be cleared.
  /** `#round` + the tier of the answer. */
  #offered = new Int32Array(1_024);
  #counted = new Int32Array(1_024);
  #isPartial = new Uint8Array(1_024);
  #costs = new Uint8Array(1_024);
  #round = 0;
  /** How many answers there are of each tier and weight. */
  readonly #buckets = new Int32Array((WORST_TIER + 1) << 10);

  get size(): number {
    return this.#slots.size;
  }

  get(id: string): Named | null {
    const slot = this.#slots.get(id);
    return slot === undefined ? null : (this.#entries[slot]?.named ?? null);
  }

  /** Adds, or replaces what is there under that id. */
  put(named: Named): void {
    const source = [named.name, ...named.variants, '\u0000', ...named.otherNames, named.year].join('\u0001');
    const known = this.#slots.get(named.id);
    if (known !== undefined && this.#entries[known]?.source === source) {
      this.#entries[known] = { named, source };
      this.#describe(known, named);
      return;
    }
    this.remove(named.id);
    const slot = this.#free.pop() ?? this.#entries.length;
    this.#slots.set(named.id, slot);
    this.#entries[slot] = { named, source };
    this.#grow();
    this.#describe(slot, named);
    const { keys, words } = termsOf(named);
    for (const [key, role] of keys) this.#keys.add(key, slot * 4 + role);
    for (const word of words) {
      const number = this.#vocabulary.add(word);
      (this.#postings[number] ??= []).push(slot);
    }
  }

  remove(id: string): void {
    const slot = this.#slots.get(id);
    const entry = slot === undefined ? null : this.#entries[slot];
    if (slot === undefined || !entry) return;
    this.#slots.delete(id);
    this.#entries[slot] = null;
    this.#free.push(slot);
    const { keys, words } = termsOf(entry.named);
    for (const [key, role] of keys) this.#keys.remove(key, slot * 4 + role);
    for (const word of words) {
      const postings = this.#postings[this.#vocabulary.find(word) ?? -1];
      const at = postings?.indexOf(slot) ?? -1;
      if (postings === undefined || at < 0) continue;
      postings[at] = postings.at(-1) ?? slot;
      postings.pop();
    }
  }

  search(text: string, query: MatchQuery): Match[] {
    const asked = queryTerms(text);
    const found = this.#search(asked, query);
    if (found.length > 0 || asked.words.length === 0) return found;
    const folded = foldText(text);
    const roman = romanize(folded);
    return roman === folded ? found : this.#search(queryTerms(roman), query);
  }

  #search(asked: QueryTerms, { limit, isHidden = false, enough = 1 }: MatchQuery): Match[] {
    if (asked.words.length === 0) return [];
    const hits: number[] = [];
    if (this.#round > 2 ** 30) {
      this.#round = 0;
      this.#offered.fill(0);
      this.#counted.fill(0);
    }
    this.#nextRound();
    const round = this.#round;
    const hidden = isHidden ? 1 : 0;
    const offered = this.#offered;
    const isHiddenAt = this.#isHidden;
    const offer = (slot: number, tier: number): void => {
      const now = offered[slot] ?? 0;
      if (now >= round) {
        if (round + tier < now) offered[slot] = round + tier;
      } else if (isHiddenAt[slot] === hidden) {
        offered[slot] = round + tier;
        hits.push(slot);
      }
    };
    for (const key of asked.keys) this.#matchKeys(key, offer);
    // What follows is worse, and there is no room for it.
    if (hits.length < limit) {
      this.#matchAll(
        asked.words.map((word) => this.#exact(word)),
        (slot, partial) => offer(slot, partial ? TIER.allBeginnings : TIER.allWords),
      );
    }
    if (hits.length < enough) this.#searchLoosely(asked.words, enough, hits, offer);
    return this.#best(hits, limit, round);
  }

  /** Each step only where the ones before have found too little. */
  #searchLoosely(
    words: readonly QueryWord[],
    enough: number,
    hits: readonly number[],
    offer: (slot: number, tier: number) => void,
  ): void {
    const openly = (list: readonly QueryWord[]): Alternatives[] =>
      list.map((word) => this.#exact({ ...word, isOpen: true }));
    for (const variant of [words, ...joinedPairs(words), ...this.#parted(words)]) {
      this.#matchAll(openly(variant), (slot) => offer(slot, TIER.looseBeginnings));
      if (hits.length >= enough) return;
    }
    this.#matchNear(words, (slot, cost) => offer(slot, Math.min(TIER.errors + cost - 2, TIER.mostWords - 1)));
    if (hits.length >= enough || words.length < 2) return;
    this.#matchMost(openly(words), offer);
  }

  /** Names that are, or begin with, the whole of what was typed. */
  #matchKeys(key: string, offer: (slot: number, tier: number) => void): void {
    const isOther = (number: number): boolean => (number & 3) === KEY_OF.other;
    this.#keys.forNames(key, {
      whole: (number) => offer(number >> 2, TIER.wholeName + (number & 3)),
      words: (number) => offer(number >> 2, isOther(number) ? TIER.otherBegins : TIER.beginsWithWords),
      others: (number) => offer(number >> 2, isOther(number) ? TIER.otherBegins : TIER.begins),
    });
  }

  /** Entries that have, for every word, one of its alternatives. */
  #matchAll(alternatives: readonly Alternatives[], visit: (slot: number, isPartial: boolean) => void): void {
    // The rarest first: the others are then only looked up in what it left.
    const ordered = alternatives
      .map((of) => ({ ...of, count: this.#count(of.whole) + this.#count(of.begun) }))
      .toSorted((a, b) => a.count - b.count);
    if (ordered[0]?.count === 0) return;
    this.#nextRound();
    const round = this.#round;
    const counted = this.#counted;
    const partial = this.#isPartial;
    for (let place = 0; place < ordered.length; place++) {
      const isLast = place === ordered.length - 1;
      const before = round + place;
      const { whole, begun } = ordered[place] ?? NO_ALTERNATIVES;
      for (let at = 0; at < whole.length + begun.length; at++) {
        const isBegun = at < whole.length ? 0 : 1;
        const postings = this.#postings[(isBegun === 0 ? whole[at] : begun[at - whole.length]) ?? -1] ?? NOWHERE;
        for (let index = 0; index < postings.length; index++) {
          const slot = postings[index] ?? 0;
          const count = counted[slot] ?? 0;
          if (place === 0 ? count >= round : count !== before) continue;
          counted[slot] = before + 1;
          const isPartial = place === 0 ? isBegun : (partial[slot] ?? 0) | isBegun;
          partial[slot] = isPartial;
          if (isLast) visit(slot, isPartial === 1);
        }
      }
    }
  }

  /** Entries that have every word, with as few typing errors as it takes. */
  #matchNear(words: readonly QueryWord[], visit: (slot: number, cost: number) => void): void {
    const near = words.map((word) => {
      const exact = this.#exact({ ...word, isOpen: true });
      const list = [...exact.whole, ...exact.begun].map((number) => ({ number, cost: 0 }));
      return [...list, ...this.#vocabulary.near(word.text, word.isOpen)].toSorted((a, b) => a.cost - b.cost);
    });
    if (near.some((list) => list.length === 0)) return;
    this.#nextRound();
    const round = this.#round;
    near.forEach((list, place) => {
      for (const { number, cost } of list) {
        for (const slot of this.#postings[number] ?? []) {
          const count = this.#counted[slot] ?? 0;
          if (place === 0 ? count >= round : count !== round + place) continue;
          this.#counted[slot] = round + place + 1;
          const sum = cost + (place === 0 ? 0 : (this.#costs[slot] ?? 0));
          this.#costs[slot] = sum;
          if (place === near.length - 1 && sum > 1) visit(slot, sum);
        }
      }
    });
  }

  /** Entries that lack one word of three, half of two: “harry potter and the sorcerer's stone”. */
  #matchMost(alternatives: readonly Alternatives[], offer: (slot: number, tier: number) => void): void {
    const least = Math.max(1, Math.ceil((alternatives.length * 2) / 3) - (alternatives.length === 2 ? 1 : 0));
    this.#nextRound();
    const round = this.#round;
    const met: number[] = [];
    alternatives.forEach(({ whole, begun }, place) => {
      // A word that is nearly everywhere says nothing by itself.
      const numbers = this.#count(whole) > 0 ? whole : begun;
      if (alternatives.length === 2 && this.#count(numbers) > Math.max(50, this.size / 20)) return;
      for (const number of numbers) {
        for (const slot of this.#postings[number] ?? []) {
          const isMet = (this.#counted[slot] ?? 0) >= round;
          // `#costs` holds the last word that was counted, so that one with two alternatives counts once.
          if (isMet && this.#costs[slot] === place) continue;
          if (!isMet) met.push(slot);
          this.#counted[slot] = isMet ? (this.#counted[slot] ?? 0) + 1 : round;
          this.#costs[slot] = place;
        }
      }
    });
    for (const slot of met) {
      const lacking = alternatives.length - ((this.#counted[slot] ?? 0) - round + 1);
      if (alternatives.length - lacking >= least) offer(slot, Math.min(TIER.mostWords + lacking - 1, WORST_TIER));
    }
  }

  #exact(word: QueryWord): Alternatives {
    const texts = word.number === null ? [word.text] : [word.text, word.number];
    if (/^\d{4}$/.test(word.text)) texts.push(yearWord(word.text));
    const whole = texts.flatMap((text) => this.#vocabulary.find(text) ?? []);
    const begun = word.isOpen ? this.#vocabulary.beginning(word.text).filter((number) => !whole.includes(number)) : [];
    return { whole, begun };
  }

  /** The same words with an unknown one taken apart where both halves are words: `darkknight`. */
  #parted(words: readonly QueryWord[]): QueryWord[][] {
    return words.flatMap((word, at) => {
      if (word.text.length < 6 || this.#vocabulary.find(word.text) !== undefined) return [];
      const found: QueryWord[][] = [];
      for (let cut = 2; cut <= word.text.length - 2; cut++) {
        const head = this.#vocabulary.find(word.text.slice(0, cut));
        const tail = this.#vocabulary.find(word.text.slice(cut));
        if (head === undefined || tail === undefined) continue;
        const halves = [word.text.slice(0, cut), word.text.slice(cut)];
        found.push([
          ...words.slice(0, at),
          ...halves.map((text) => ({ text, number: null, isOpen: false })),
          ...words.slice(at + 1),
        ]);
      }
      return found;
    });
  }

  #count(numbers: readonly number[]): number {
    let sum = 0;
    for (const number of numbers) sum += this.#postings[number]?.length ?? 0;
    return sum;
  }

  /** The first `limit` by tier, weight and name. Sorts only what can be among them. */
  #best(hits: readonly number[], limit: number, round: number): Match[] {
    const offered = this.#offered;
    const weights = this.#weights;
    const buckets = this.#buckets.fill(0);
    const bucketOf = (slot: number): number =>
      (((offered[slot] ?? 0) - round) << 10) + (MOST_WEIGHT - (weights[slot] ?? 0));
    for (const slot of hits) buckets[bucketOf(slot)]!++;
    let last = 0;
    for (let sum = 0; last < buckets.length; last++) {
      sum += buckets[last] ?? 0;
      if (sum >= limit) break;
    }
    const entries = this.#entries;
    const before = (a: number, b: number): number => {
      const byBucket = bucketOf(a) - bucketOf(b);
      if (byBucket !== 0) return byBucket;
      const nameA = entries[a]?.named.name ?? '';
      const nameB = entries[b]?.named.name ?? '';
      return nameA.length - nameB.length || (nameA < nameB ? -1 : nameA > nameB ? 1 : a - b);
    };
    let rows = hits.filter((slot) => bucketOf(slot) <= last);
    if (limit <= FEW && rows.length > limit * 4) {
      // Where nobody has voted all weigh the same: the few best of thousands.
      const best: number[] = [];
      for (const slot of rows) {
        const worst = best[limit - 1];
        if (worst !== undefined && before(slot, worst) >= 0) continue;
        let at = best.length;
        while (at > 0 && before(slot, best[at - 1] ?? 0) < 0) at -= 1;
        best.splice(at, 0, slot);
        if (best.length > limit) best.pop();
      }
      rows = best;
    } else rows.sort(before);
    return rows.slice(0, limit).map((slot) => ({
      id: this.#entries[slot]?.named.id ?? '',
      tier: (offered[slot] ?? 0) - round,
      weight: this.#weights[slot] ?? 0,
    }));
  }

  #describe(slot: number, { weight, isHidden }: Named): void {
    this.#weights[slot] = Math.max(0, Math.min(MOST_WEIGHT, Math.round(weight)));
    this.#isHidden[slot] = isHidden ? 1 : 0;
  }

  #grow(): void {
    const size = this.#entries.length;
    if (size <= this.#weights.length) return;
    const grown = <T extends Uint8Array | Uint16Array | Int32Array>(from: T, into: T): T => {
      into.set(from);
      return into;
    };
    const length = size * 2;
    this.#weights = grown(this.#weights, new Uint16Array(length));
    this.#isHidden = grown(this.#isHidden, new Uint8Array(length));
    this.#offered = new Int32Array(length);
    this.#counted = new Int32Array(length);
    this.#isPartial = new Uint8Array(length);
    this.#costs = new Uint8Array(length);
  }

  #nextRound(): void {
    this.#round += 16;
  }
}

/** Not a word that another begins: “2” is no beginning of every movie since 2000. */
const yearWord = (year: string): string => `#${year}`;

function termsOf({ name, variants, otherNames, year }: Named): {
  readonly keys: ReadonlyMap<string, number>;
  readonly words: ReadonlySet<string>;
} {
  const keys = new Map<string, number>();
  const words = new Set<string>();
  const take = (text: string, role: number): void => {
    const terms = titleTerms(text);
    terms.keys.forEach((key, place) => {
      const as = place === 0 ? role : Math.max(role, KEY_OF.variant);
      keys.set(key, Math.min(as, keys.get(key) ?? KEY_OF.other));
    });
    for (const word of terms.words) words.add(word);
  };
  take(name, KEY_OF.name);
  for (const variant of variants) take(variant, KEY_OF.variant);
  for (const other of otherNames) take(other, KEY_OF.other);
  if (year !== null) {
    // “Alien 1979” is a whole name too.
    for (const key of titleTerms(name).keys) keys.set(`${key} ${year}`, KEY_OF.variant);
    words.add(yearWord(String(year)));
  }
  return { keys, words };
}
