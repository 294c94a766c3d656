/**
 * Where a movie’s intro, recap and credits are, and how sure that is: from the names of its chapters, from the dark and silent
 * pause before the credits, and from sound that it shares with others. Numbers in, numbers out.
 */
import type { Chapter } from '#protocol/schema/media.ts';
import type { Marker, MarkerKind } from '#protocol/schema/moments.ts';

/** Below it nobody is told. */
export const MIN_CONFIDENCE = 70;
/** Shorter is over before the hand is at the button; longer is the movie. */
const LENGTHS_MS: Readonly<Record<MarkerKind, { readonly min: number; readonly max: number }>> = {
  intro: { min: 15_000, max: 180_000 },
  recap: { min: 10_000, max: 120_000 },
  credits: { min: 5_000, max: 30 * 60_000 },
};
/** Of the movie, the part in which its beginning lies, and the one in which its end does. */
const BEGINNING_SHARE = 0.3;
const END_SHARE = 0.6;
const CHAPTER_CONFIDENCE = 95;

/**
 * What people who make chapters call them, folded (lower case, no accents, no punctuation): the whole name, or its beginning
 * followed by a number. English, German, French, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Norwegian, Finnish,
 * Polish, Czech, Hungarian, Turkish, Russian, Ukrainian, Greek, Japanese, Chinese, Korean.
 */
const NAMES: Readonly<Record<MarkerKind, readonly string[]>> = {
  intro: [
    ...['intro', 'introduction', 'opening', 'op', 'opening credits', 'opening titles', 'opening theme', 'main title'],
    ...[
      'main titles',
      'title sequence',
      'titles',
      'title card',
      'opening logos',
      'logos',
      'studio logos',
      'start credits',
    ],
    ...['vorspann', 'titelsequenz', 'generique', 'generique de debut', 'generique d ouverture', 'ouverture'],
    ...['creditos iniciales', 'titulos iniciales', 'apertura', 'titoli di testa', 'sigla', 'sigla iniziale'],
    ...[
      'abertura',
      'creditos iniciais',
      'begintitels',
      'begingeneriek',
      'fortexter',
      'vinjett',
      'fortekster',
      'forteksten',
    ],
    ...['alkutekstit', 'czolowka', 'napisy poczatkowe', 'uvodni titulky', 'uvod', 'focim', 'jenerik', 'acilis'],
    ...[
      'заставка',
      'начальные титры',
      'вступление',
      'початкові титри',
      'τιτλοι αρχης',
      'オープニング',
      'アバンタイトル',
    ],
    ...['片头', '片頭', '片头曲', '오프닝'],
  ],
  recap: [
    ...['recap', 'previously', 'previously on', 'last time', 'last time on', 'the story so far', 'story so far'],
    ...['ruckblick', 'was bisher geschah', 'zuvor', 'resume', 'precedemment', 'dans l episode precedent'],
    ...['resumen', 'anteriormente', 'previamente', 'riassunto', 'nelle puntate precedenti', 'resumo', 'recapitulacao'],
    ...['samenvatting', 'wat voorafging', 'tidigare', 'sammanfattning', 'tidligere', 'aiemmin', 'w poprzednim odcinku'],
    ...[
      'minule',
      'elozo reszek',
      'ozet',
      'ранее',
      'краткое содержание',
      'раніше',
      '前回のあらすじ',
      'あらすじ',
      '前情提要',
    ],
    ...['지난 이야기'],
  ],
  credits: [
    ...[
      'credits',
      'end credits',
      'closing credits',
      'end titles',
      'final credits',
      'credit roll',
      'credits roll',
      'outro',
    ],
    ...['ending', 'ed', 'closing', 'end', 'ending theme', 'ending credits', 'end credit', 'closing titles', 'the end'],
    ...['abspann', 'nachspann', 'generique de fin', 'generique fin', 'creditos', 'creditos finales', 'titulos finales'],
    ...[
      'titoli di coda',
      'sigla finale',
      'creditos finais',
      'encerramento',
      'aftiteling',
      'eindgeneriek',
      'eindtitels',
    ],
    ...['eftertexter', 'sluttexter', 'rulletekster', 'slutteksten', 'rulleteksten', 'lopputekstit', 'napisy koncowe'],
    ...['tylowka', 'zaverecne titulky', 'titulky', 'stablista', 'vege focim', 'kapanis', 'kapanis jenerigi'],
    ...[
      'титры',
      'финальные титры',
      'конечные титры',
      'фінальні титри',
      'τιτλοι τελους',
      'エンディング',
      'エンドロール',
    ],
    ...['スタッフロール', '片尾', '片尾曲', '片尾字幕', '엔딩', '엔딩 크레딧', '크레딧'],
  ],
};

/** Names that say nothing by themselves: they count only where such a thing belongs, and for less. */
const VAGUE = new Set([
  'opening',
  'op',
  'titles',
  'ending',
  'ed',
  'closing',
  'end',
  'uvod',
  'ouverture',
  'credits',
  'the end',
]);
const VAGUE_CONFIDENCE = 80;

const KINDS_BY_NAME = new Map<string, MarkerKind>(
  (['credits', 'recap', 'intro'] as const).flatMap((kind) => NAMES[kind].map((name) => [name, kind] as const)),
);

function foldName(title: string): string {
  return title
    .normalize('NFKD')
    .replace(/\p{M}(?<![\u3099\u309a])/gu, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\u3099\u309a]+/gu, ' ')
    .trim();
}

/** Whose name a chapter has: `Intro`, `01. Opening Credits`, `End Credits (2)`. */
function kindOfName(title: string): { readonly kind: MarkerKind; readonly isVague: boolean } | null {
  const name = foldName(title)
    .replace(/^(?:chapter |kapitel |chapitre |capitulo |capitolo )?\d{1,3} (?=\p{L})/u, '')
    .replace(/ \d{1,3}$/, '');
  const kind = KINDS_BY_NAME.get(name);
  return kind === undefined ? null : { kind, isVague: VAGUE.has(name) };
}

/** What the names of the chapters say. A chapter in the wrong part of the movie, or of an unlikely length, says nothing. */
export function markersOfChapters(chapters: readonly Chapter[], durationMs: number): Marker[] {
  const found = chapters.flatMap((chapter, i): Marker[] => {
    const named = chapter.title === null ? null : kindOfName(chapter.title);
    if (named === null) return [];
    // “Credits” at the beginning are those that one watches.
    const isBeginning = chapter.startMs < durationMs * BEGINNING_SHARE;
    const kind = named.kind === 'credits' && isBeginning ? 'intro' : named.kind;
    const endMs = chapter.endMs ?? chapters[i + 1]?.startMs ?? durationMs;
    const confidence = named.isVague ? VAGUE_CONFIDENCE : CHAPTER_CONFIDENCE;
    return [{ kind, startMs: chapter.startMs, endMs, source: 'chapters', confidence }];
  });
  return onePerKind(found.filter((marker) => isLikely(marker, durationMs)));
}

/** A pause near the end in which it is dark and silent. */
export interface DarkPause {
  readonly startMs: number;
  readonly endMs: number;
  /** Of the keyframes after it, how many are mostly dark: white words on black. */
  readonly darkAfterShare: number;
}

/** Films have up to this much of credits; this near to the end a pause may be what comes before them. */
const CREDITS_AT_MOST_MS = 15 * 60_000;
const CREDITS_NEAR_MS = 300_000;
const CREDITS_AT_MOST_SHARE = 0.12;
/** After a pause this short before its end, the movie is over. */
const MIN_AFTER_PAUSE_MS = 10_000;

/** Where to begin to look for the pause before the credits. */
export function endSearchFromMs(durationMs: number): number {
  const lengthMs = Math.max(CREDITS_NEAR_MS, Math.min(CREDITS_AT_MOST_MS, durationMs * CREDITS_AT_MOST_SHARE));
  return Math.max(durationMs / 2, durationMs - lengthMs);
}

/**
 * Credits begin after a pause of 2 s and more that is dark and silent. What comes after it counts for more than the pause: a
 * movie that goes on in bright pictures has no credits there.
 */
export function creditsOfPauses(pauses: readonly DarkPause[], durationMs: number): Marker | null {
  const rated = pauses.flatMap((pause): Marker[] => {
    const leftMs = durationMs - pause.endMs;
    if (leftMs < MIN_AFTER_PAUSE_MS) return [];
    const lengthPoints = Math.min(15, ((pause.endMs - pause.startMs - 2_000) / 1_000) * 4);
    const nearPoints = leftMs <= CREDITS_NEAR_MS ? 10 : 0;
    const confidence = Math.round(40 + lengthPoints + nearPoints + pause.darkAfterShare * 30);
    // The dark itself is no loss to whoever skips.
    return [{ kind: 'credits', startMs: Math.round(pause.startMs), endMs: durationMs, source: 'detected', confidence }];
  });
  const likely = rated.filter(({ confidence }) => confidence >= MIN_CONFIDENCE);
  return onePerKind(likely)[0] ?? null;
}

/** How far into the movie its sound is compared with that of others. */
export function introSearchUntilMs(durationMs: number): number {
  return Math.min(durationMs, 10 * 60_000, Math.max(5 * 60_000, durationMs * 0.25));
}

/** A stretch that this movie’s beginning shares with one other. */
export interface SharedStretch {
  readonly startMs: number;
  readonly lengthMs: number;
}

/** Two that agree are told of: one may be a song that both play. */
const CONFIDENCE_BY_AGREEING = [0, 75, 90] as const;
const AGREE_WITHIN_MS = 4_000;

/** The intro, from what a movie shares with each of the others of its series. */
export function introOfSharedSound(shared: readonly SharedStretch[], others: number): Marker | null {
  const likely = shared.filter(({ lengthMs }) => lengthMs >= LENGTHS_MS.intro.min && lengthMs <= LENGTHS_MS.intro.max);
  const groups = likely.map((one) =>
    likely.filter(
      (other) =>
        Math.abs(other.startMs - one.startMs) <= AGREE_WITHIN_MS &&
        Math.abs(other.startMs + other.lengthMs - one.startMs - one.lengthMs) <= AGREE_WITHIN_MS,
    ),
  );
  const best = groups.toSorted((a, b) => b.length - a.length)[0];
  if (best === undefined) return null;
  // One of many others that agrees is a coincidence.
  if (best.length === 1 && others > 2) return null;
  const confidence = CONFIDENCE_BY_AGREEING[Math.min(best.length, CONFIDENCE_BY_AGREEING.length - 1)]!;
  const startMs = Math.round(median(best.map((one) => one.startMs)));
  const endMs = Math.round(median(best.map((one) => one.startMs + one.lengthMs)));
  return { kind: 'intro', startMs, endMs, source: 'detected', confidence };
}

/** Whether a stretch can be what it is said to be. A person’s may be anything. */
export function isLikely({ kind, startMs, endMs }: Marker, durationMs: number): boolean {
  const lengthMs = endMs - startMs;
  const { min, max } = LENGTHS_MS[kind];
  if (lengthMs < min || lengthMs > max) return false;
  return kind === 'credits' ? startMs >= durationMs * END_SHARE : startMs <= durationMs * BEGINNING_SHARE;
}

const SOURCE_RANK = { person: 0, chapters: 1, detected: 2 } as const;

/** One of each kind: a person’s before those of machines, then the surest, then the first; in the order of the movie. */
export function onePerKind(markers: readonly Marker[]): Marker[] {
  const ranked = markers.toSorted(
    (a, b) =>
      Number(b.source === 'person') - Number(a.source === 'person') ||
      b.confidence - a.confidence ||
      SOURCE_RANK[a.source] - SOURCE_RANK[b.source] ||
      a.startMs - b.startMs,
  );
  return ranked
    .filter(({ kind }, i) => ranked.findIndex((other) => other.kind === kind) === i)
    .toSorted((a, b) => a.startMs - b.startMs);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
