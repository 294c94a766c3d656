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

/** ISO 639-1 to ISO 639-2/T, for containers that have room for three letters. */
const THREE_LETTERS =
  'aa aar ab abk ae ave af afr ak aka am amh an arg ar ara as asm av ava ay aym az aze ba bak be bel bg bul bi bis bm bam bn ben bo bod br bre bs bos ca cat ce che ch cha co cos cr cre cs ces cu chu cv chv cy cym da dan de deu dv div dz dzo ee ewe el ell en eng eo epo es spa et est eu eus fa fas ff ful fi fin fj fij fo fao fr fra fy fry ga gle gd gla gl glg gn grn gu guj gv glv ha hau he heb hi hin ho hmo hr hrv ht hat hu hun hy hye hz her ia ina id ind ie ile ig ibo ii iii ik ipk io ido is isl it ita iu iku ja jpn jv jav ka kat kg kon ki kik kj kua kk kaz kl kal km khm kn kan ko kor kr kau ks kas ku kur kv kom kw cor ky kir la lat lb ltz lg lug li lim ln lin lo lao lt lit lu lub lv lav mg mlg mh mah mi mri mk mkd ml mal mn mon mr mar ms msa mt mlt my mya na nau nb nob nd nde ne nep ng ndo nl nld nn nno no nor nr nbl nv nav ny nya oc oci oj oji om orm or ori os oss pa pan pi pli pl pol ps pus pt por qu que rm roh rn run ro ron ru rus rw kin sa san sc srd sd snd se sme sg sag si sin sk slk sl slv sm smo sn sna so som sq sqi sr srp ss ssw st sot su sun sv swe sw swa ta tam te tel tg tgk th tha ti tir tk tuk tl tgl tn tsn to ton tr tur ts tso tt tat tw twi ty tah ug uig uk ukr ur urd uz uzb ve ven vi vie vo vol wa wln wo wol xh xho yi yid yo yor za zha zh zho zu zul';
const THREE_BY_TWO: ReadonlyMap<string, string> = new Map(
  Array.from(THREE_LETTERS.matchAll(/(\w\w) (\w{3})/g), ([, two, three]) => [two!, three!]),
);

/** `pt-BR` → `por`, `haw` → `haw`; `und` for `null` and for what has no code of three letters. */
export function toThreeLetterCode(tag: string | null): string {
  const primary = (tag ?? '').split('-', 1)[0]!.toLowerCase();
  return THREE_BY_TWO.get(primary) ?? (/^[a-z]{3}$/.test(primary) ? primary : 'und');
}
