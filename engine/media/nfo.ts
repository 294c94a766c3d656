/**
 * Kodi's NFO files: what a person or another program wrote about a movie beside its file. Read from bytes, pure, and safe
 * with anything: no DTD, no entities but XML's own, nothing is fetched, and size, depth and number of elements are bounded.
 *
 * Kodi allows three forms: XML, XML with an address behind it, and an address alone ("parsing NFO"). A file that is
 * none of them says nothing. What somebody watched (`watched`, `playcount`) is read by nobody: it does not say who.
 */
import { SaxesParser } from 'saxes';

export interface NfoPerson {
  readonly name: string;
  /** Character of an actor; `null` where the file does not say. */
  readonly role: string | null;
}

/** What an NFO says; `null` and empty lists where it says nothing. */
export interface NfoFacts {
  readonly tmdbId: number | null;
  readonly imdbId: string | null;
  readonly title: string | null;
  readonly originalTitle: string | null;
  readonly sortTitle: string | null;
  readonly year: number | null;
  /** `YYYY-MM-DD`. */
  readonly releaseDate: string | null;
  readonly overview: string | null;
  readonly tagline: string | null;
  readonly runtimeMinutes: number | null;
  readonly certification: string | null;
  readonly rating: { readonly value: number; readonly votes: number | null } | null;
  readonly genres: readonly string[];
  /** Kodi's tags: what others call keywords. */
  readonly keywords: readonly string[];
  readonly studios: readonly string[];
  readonly countries: readonly string[];
  readonly directors: readonly NfoPerson[];
  readonly writers: readonly NfoPerson[];
  readonly actors: readonly NfoPerson[];
  readonly collection: { readonly name: string; readonly tmdbId: number | null } | null;
}

/** A file over this is none that a person reads. */
export const MAX_NFO_BYTES = 1_000_000;
const MAX_DEPTH = 16;
const MAX_ELEMENTS = 20_000;
const MAX_TEXT = 20_000;
const MAX_LIST = 200;

interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
  readonly children: Node[];
}

/** What the bytes of an NFO say of a movie, or `null` where they say nothing that can be read. */
export function parseNfo(bytes: Uint8Array): NfoFacts | null {
  if (bytes.byteLength > MAX_NFO_BYTES) return null;
  const text = decode(bytes);
  const movie = readXml(text);
  const ids = idsInAddress(text);
  if (movie === null) return ids.tmdbId === null && ids.imdbId === null ? null : { ...NOTHING, ...ids };
  const facts = factsOf(movie);
  return { ...facts, tmdbId: facts.tmdbId ?? ids.tmdbId, imdbId: facts.imdbId ?? ids.imdbId };
}

const NOTHING: NfoFacts = {
  tmdbId: null,
  imdbId: null,
  title: null,
  originalTitle: null,
  sortTitle: null,
  year: null,
  releaseDate: null,
  overview: null,
  tagline: null,
  runtimeMinutes: null,
  certification: null,
  rating: null,
  genres: [],
  keywords: [],
  studios: [],
  countries: [],
  directors: [],
  writers: [],
  actors: [],
  collection: null,
};

/** Numbers of catalogues in an address such as `https://www.themoviedb.org/movie/603-the-matrix` or `https://www.imdb.com/title/tt0133093/`. */
export function idsInAddress(text: string): { tmdbId: number | null; imdbId: string | null } {
  const tmdb = /themoviedb\.org\/(?:[a-z]{2}(?:-[A-Z]{2})?\/)?movie\/(\d{1,9})(?!\d)/.exec(text)?.[1];
  const imdb = /imdb\.com\/(?:[a-z]{2}\/)?title\/(tt\d{6,10})(?!\d)/.exec(text)?.[1];
  return { tmdbId: toId(tmdb), imdbId: imdb ?? null };
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 200));
  const named = /^\s*<\?xml[^>]*encoding\s*=\s*["']([\w-]{1,30})["']/i.exec(head)?.[1]?.toLowerCase() ?? 'utf-8';
  // A file that says UTF-16 without its mark is read as what its bytes are.
  const encoding = /^(?:iso-8859-\d{1,2}|windows-125\d|latin1|us-ascii)$/.test(named) ? named : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

/** The element `movie`, whole; `null` where the text has none that is well formed up to its end. */
function readXml(text: string): Node | null {
  const start = text.search(/<movie[\s>]/);
  // Anything but a declaration, comments and space before it is not what Kodi writes; a DOCTYPE is refused unread.
  if (start < 0 || /<!DOCTYPE|<!ENTITY/i.test(text)) return null;
  const end = text.lastIndexOf('</movie>');
  if (end < start) return null;
  const parser = new SaxesParser({ fragment: false, xmlns: false });
  const stack: Node[] = [];
  let root: Node | null = null;
  let elements = 0;
  let isBroken = false;
  const add = (piece: string): void => {
    const node = stack.at(-1);
    if (node && node.text.length < MAX_TEXT) node.text += piece.slice(0, MAX_TEXT - node.text.length);
  };
  parser.on('error', () => {
    isBroken = true;
  });
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('opentag', ({ name, attributes }) => {
    if (++elements > MAX_ELEMENTS || stack.length >= MAX_DEPTH) isBroken = true;
    if (isBroken) return;
    const node: Node = { name: name.toLowerCase(), attributes: { ...attributes }, text: '', children: [] };
    stack.at(-1)?.children.push(node);
    stack.push(node);
  });
  parser.on('closetag', () => {
    const closed = stack.pop();
    if (stack.length === 0 && closed) root = closed;
  });
  const xml = text.slice(start, end + '</movie>'.length);
  try {
    // In pieces, so that a damaged file is given up where it is damaged.
    for (let at = 0; at < xml.length && !isBroken; at += 4_096) parser.write(xml.slice(at, at + 4_096));
    if (!isBroken) parser.close();
  } catch {
    return null;
  }
  return isBroken ? null : root;
}

function factsOf(movie: Node): NfoFacts {
  const all = (name: string): Node[] => movie.children.filter((child) => child.name === name).slice(0, MAX_LIST);
  const first = (name: string, limit = 500): string | null => {
    for (const node of all(name)) {
      const text = clean(node.text, limit);
      if (text !== null) return text;
    }
    return null;
  };
  const names = (name: string): string[] => [
    ...new Set(all(name).flatMap((node) => node.text.split(/\s\/\s/).flatMap((part) => clean(part, 200) ?? []))),
  ];
  const people = (name: string): NfoPerson[] =>
    all(name).flatMap((node) => {
      const text = clean(node.text, 200);
      return text === null ? [] : [{ name: text, role: null }];
    });
  const ids = all('uniqueid');
  const idOf = (type: string): string | undefined =>
    ids.find((node) => node.attributes['type']?.toLowerCase() === type)?.text.trim();
  const imdb = [idOf('imdb'), first('imdbid'), first('imdb_id'), first('id')].find((id) =>
    /^tt\d{6,10}$/.test(id ?? ''),
  );
  const releaseDate = toDate(first('premiered') ?? first('releasedate'));
  return {
    tmdbId: toId(idOf('tmdb') ?? first('tmdbid') ?? undefined),
    imdbId: imdb ?? null,
    title: first('title'),
    originalTitle: first('originaltitle'),
    sortTitle: first('sorttitle'),
    year: toYear(first('year')) ?? toYear(releaseDate?.slice(0, 4) ?? null),
    releaseDate,
    overview: first('plot', 10_000) ?? first('outline', 10_000),
    tagline: first('tagline'),
    runtimeMinutes: toRuntime(first('runtime')),
    certification: toCertification(first('mpaa') ?? first('certification')),
    rating: ratingOf(movie),
    genres: names('genre'),
    keywords: names('tag'),
    studios: names('studio'),
    countries: names('country'),
    directors: people('director'),
    writers: people('credits'),
    actors: all('actor').flatMap((node) => {
      const part = (name: string): string | null =>
        clean(node.children.find((child) => child.name === name)?.text ?? '', 200);
      const name = part('name');
      return name === null ? [] : [{ name, role: part('role') }];
    }),
    collection: collectionOf(all('set')[0]),
  };
}

function collectionOf(set: Node | undefined): NfoFacts['collection'] {
  if (!set) return null;
  const name = clean(set.children.find((child) => child.name === 'name')?.text ?? set.text, 300);
  return name === null ? null : { name, tmdbId: toId(set.attributes['tmdbcolid']) };
}

/** The default one of `ratings`, else the first, else the element `rating` of old files. Kodi's own scale is 10. */
function ratingOf(movie: Node): NfoFacts['rating'] {
  const listed = movie.children.find((child) => child.name === 'ratings')?.children ?? [];
  const rating = listed.find((node) => node.attributes['default'] === 'true') ?? listed[0];
  const old = movie.children.find((child) => child.name === 'rating');
  const textIn = (node: Node | undefined, name: string): string =>
    node?.children.find((child) => child.name === name)?.text ?? '';
  const scale = Number(rating?.attributes['max'] ?? 10) || 10;
  const value = rating ? (Number.parseFloat(textIn(rating, 'value')) / scale) * 10 : Number.parseFloat(old?.text ?? '');
  if (!(value > 0 && value <= 10)) return null;
  const votes = rating ? textIn(rating, 'votes') : (movie.children.find((child) => child.name === 'votes')?.text ?? '');
  const count = Number(votes.replace(/[,.\s]/g, ''));
  return { value: Math.round(value * 10) / 10, votes: Number.isSafeInteger(count) && count > 0 ? count : null };
}

/** Without control characters and halves of letters, in one piece; `null` where nothing is left. */
function clean(text: string, limit: number): string | null {
  const tidy = text
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/g, ' ')
    .toWellFormed()
    .trim();
  const short = tidy
    .slice(0, limit)
    .replace(/[\ud800-\udbff]$/, '')
    .trim();
  return short === '' ? null : short;
}

function toId(text: string | undefined): number | null {
  const id = /^\d{1,10}$/.test(text?.trim() ?? '') ? Number(text) : 0;
  return id >= 1 && id <= 2_147_483_647 ? id : null;
}

function toYear(text: string | null): number | null {
  const year = /^\d{4}$/.test(text ?? '') ? Number(text) : 0;
  return year >= 1870 && year <= 2200 ? year : null;
}

function toDate(text: string | null): string | null {
  const date = /^(\d{4})-(\d{2})-(\d{2})/.exec(text ?? '')?.[0];
  if (date === undefined || toYear(date.slice(0, 4)) === null) return null;
  const time = Date.parse(`${date}T00:00:00Z`);
  // 31 February is no day, though it can be counted.
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== date ? null : date;
}

function toRuntime(text: string | null): number | null {
  const minutes = Number.parseInt(text ?? '', 10);
  return minutes > 0 && minutes < 6_000 ? minutes : null;
}

/** `Rated PG-13 for violence` and `DE:FSK 12 / DE:12` as the certificate alone. */
function toCertification(text: string | null): string | null {
  const short = text
    ?.replace(/^Rated\s+/i, '')
    .split(/\s+for\s+|\s+\/\s+/i)[0]
    ?.trim();
  return short === undefined || short === '' ? null : short.slice(0, 50);
}
