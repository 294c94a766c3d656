/** Language codes of media files as BCP 47 tags. */

/** Codes that say "no particular language known" (ISO 639-2); a person reads them best as nothing at all. */
const UNKNOWN: ReadonlySet<string> = new Set(['und', 'unk', 'mis', 'qaa', 'xxx', 'nar']);
/** Not ISO 639, but widespread in file tags. */
const WIDESPREAD: Readonly<Record<string, string>> = {
  pob: 'pt-BR',
  'pt-pob': 'pt-BR',
  chs: 'zh-Hans',
  cht: 'zh-Hant',
  zht: 'zh-Hant',
};

/**
 * `eng` → `en`, `fre` and `fra` → `fr`, `pt_BR` → `pt-BR`, `und` → `null`.
 *
 * Canonical by the rules of BCP 47 and CLDR, which replace ISO 639-2 codes, bibliographic ones included, by the
 * shortest code. `null` for what names no language or is no language tag.
 */
export function toLanguageTag(code: string | null | undefined): string | null {
  if (code === null || code === undefined) return null;
  const known = TAGS_BY_CODE.get(code);
  if (known !== undefined) return known;
  const tag = readTag(code);
  if (TAGS_BY_CODE.size < MAX_KNOWN_CODES) TAGS_BY_CODE.set(code, tag);
  return tag;
}

/** Files use a few dozen codes, and `Intl` takes some 30 µs for each: a scan would feel it. Bounded, for codes come from files. */
const TAGS_BY_CODE = new Map<string, string | null>();
const MAX_KNOWN_CODES = 1_000;

function readTag(code: string): string | null {
  const text = code.trim().replaceAll('_', '-');
  if (text.length < 2 || text.length > 35) return null;
  const lower = text.toLowerCase();
  if (UNKNOWN.has(lower)) return null;
  const widespread = WIDESPREAD[lower];
  if (widespread !== undefined) return widespread;
  try {
    const [tag] = Intl.getCanonicalLocales(text);
    if (tag === undefined || UNKNOWN.has(tag)) return null;
    // "english" is well-formed as a tag of eight letters, but no language.
    const primary = tag.split('-', 1)[0] ?? '';
    return primary.length <= 3 ? tag : null;
  } catch {
    return null;
  }
}
