/** Our words for languages, editions and flags in those of the parsers that a score compares us with. */
import type { MovieName } from '#engine/media/file-name.ts';

const LANGUAGES: Readonly<Record<string, string>> = {
  gmq: 'Nordic',
  'pt-BR': 'PortugueseBR',
  'es-419': 'SpanishLatino',
  'nl-BE': 'Flemish',
  no: 'Norwegian',
  yue: 'Cantonese',
  cmn: 'Mandarin',
  tl: 'Tagalog',
  fa: 'Persian',
  bn: 'Bengali',
};
const NAMES = new Intl.DisplayNames('en', { type: 'language' });

export const languageNames = (tags: readonly string[]): string[] =>
  tags.map((tag) => LANGUAGES[tag] ?? NAMES.of(tag) ?? tag);

const EDITIONS: Readonly<Partial<Record<MovieName['release']['editions'][number], string>>> = {
  directorsCut: "Director's Cut",
  definitive: "Director's Definitive Cut",
  alternative: 'Alternative Cut',
  imax: 'IMAX',
};

export const editionNames = (editions: MovieName['release']['editions']): string[] =>
  editions.map((edition) => EDITIONS[edition] ?? edition[0]!.toUpperCase() + edition.slice(1));

/** As @ctrl/video-filename-parser sorts them: wider than the words themselves. */
export function flagsOf({ editions, flags, hdr, packing3d }: MovieName['release']): ReadonlySet<string> {
  const has = (...some: readonly string[]): boolean =>
    some.some((edition) => (editions as readonly string[]).includes(edition));
  const found: Readonly<Record<string, boolean>> = {
    internal: flags.includes('internal'),
    limited: flags.includes('limited'),
    remastered: has('remastered', 'restored', 'anniversary'),
    extended: has('extended', 'uncut', 'ultimate', 'rogue', 'collector'),
    theatrical: has('theatrical'),
    directors: has('directorsCut'),
    unrated: has('unrated', 'uncensored'),
    imax: has('imax'),
    fanEdit: has('fan'),
    hdr: hdr.some((mark) => mark !== 'sdr' && mark !== 'dolbyVision'),
    threeD: packing3d !== null,
    hsbs: packing3d === 'hsbs',
    sbs: packing3d === 'sbs',
    hou: packing3d === 'htab',
    uhd: flags.includes('uhd'),
    oar: flags.includes('oar'),
    dolbyVision: hdr.includes('dolbyVision'),
    hardcodedSubs: flags.includes('burnedIn'),
    deletedScenes: flags.includes('deletedScenes'),
    bonusContent: flags.includes('bonus'),
    bw: flags.includes('bw'),
  };
  return new Set(Object.keys(found).filter((flag) => found[flag]));
}
