import { describe, expect, it } from 'vitest';
import type { Chapter } from '#protocol/schema/media.ts';
import {
  creditsOfPauses,
  endSearchFromMs,
  introOfSharedSound,
  introSearchUntilMs,
  markersOfChapters,
  onePerKind,
} from './marker-finding.ts';

const FILM_MS = 7_200_000;
const chapter = (title: string | null, startMs: number, endMs: number): Chapter => ({ title, startMs, endMs });
const found = (title: string, startMs: number, endMs: number) =>
  markersOfChapters([chapter(title, startMs, endMs)], FILM_MS).map(({ kind }) => kind)[0] ?? null;

describe('what the names of chapters say', () => {
  it.each([
    'Intro',
    'INTRO',
    'Opening Credits',
    '01. Opening Credits',
    'Chapter 1: Main Title',
    'Vorspann',
    'Générique de début',
    'Titoli di testa',
    'Créditos iniciais',
    'Alkutekstit',
    'Úvodní titulky',
    'Заставка',
    'オープニング',
    '片头',
    '오프닝',
  ])('[PLAY64] %s is an intro', (title) => expect(found(title, 30_000, 120_000)).toBe('intro'));

  it.each([
    'End Credits',
    'Credits',
    'end credits (2)',
    'Abspann',
    'Générique de fin',
    'Créditos finales',
    'Titoli di coda',
    'Aftiteling',
    'Eftertexter',
    'Rulletekster',
    'Lopputekstit',
    'Napisy końcowe',
    'Závěrečné titulky',
    'Титры',
    'Конечные титры',
    'エンディング',
    '片尾曲',
    '엔딩 크레딧',
    'Τίτλοι τέλους',
  ])('[PLAY64] %s are credits', (title) => expect(found(title, 6_800_000, FILM_MS)).toBe('credits'));

  it.each([
    'Recap',
    'Previously on…',
    'Rückblick',
    'Was bisher geschah',
    'Précédemment',
    'Résumé',
    '前回のあらすじ',
    'Ранее',
  ])('[PLAY64] %s is a recap', (title) => expect(found(title, 0, 60_000)).toBe('recap'));

  it.each([
    'Introducing Mr. Bond',
    'The Opening of the Tomb',
    'Credit Where It Is Due',
    'Endgame',
    'Chapter 1',
    'Scene 12',
    '',
    '1',
    'No Recap Needed',
    'The Ending of the World',
    'Der Vorspannmann',
  ])('[PLAY64] “%s” says nothing', (title) => {
    expect(found(title, 30_000, 120_000)).toBeNull();
    expect(found(title, 6_900_000, FILM_MS)).toBeNull();
  });

  it('[PLAY64] says nothing in the wrong part of the movie, or where the length is unlikely', () => {
    expect(found('Intro', 4_000_000, 4_090_000)).toBeNull();
    expect(found('Intro', 0, 600_000)).toBeNull();
    expect(found('Intro', 0, 4_000)).toBeNull();
    expect(found('Recap', 0, 130_000)).toBeNull();
    expect(found('End Credits', 2_400_000, 2_500_000)).toBeNull();
    expect(markersOfChapters([chapter(null, 0, 60_000)], FILM_MS)).toEqual([]);
  });

  it('[PLAY64] takes credits at the beginning for an intro, and leaves what comes after the credits alone', () => {
    expect(found('Credits', 60_000, 150_000)).toBe('intro');
    const markers = markersOfChapters(
      [chapter('End Credits', 6_600_000, 6_900_000), chapter('Post-Credits Scene', 6_900_000, FILM_MS)],
      FILM_MS,
    );
    expect(markers).toEqual([
      { kind: 'credits', startMs: 6_600_000, endMs: 6_900_000, source: 'chapters', confidence: 95 },
    ]);
  });
});

describe('the pause before the credits', () => {
  const pause = (startMs: number, lengthMs: number, darkAfterShare: number) => ({
    startMs,
    endMs: startMs + lengthMs,
    darkAfterShare,
  });

  it('[PLAY65] is dark and silent, with words on black after it', () => {
    expect(creditsOfPauses([pause(7_000_000, 2_500, 0.9)], FILM_MS)).toMatchObject({
      kind: 'credits',
      startMs: 7_000_000,
      endMs: FILM_MS,
      source: 'detected',
    });
    expect(creditsOfPauses([pause(6_500_000, 4_000, 1)], FILM_MS)!.confidence).toBeGreaterThanOrEqual(70);
  });

  it('[PLAY65] is none where bright pictures follow, or nothing', () => {
    expect(creditsOfPauses([pause(7_000_000, 2_500, 0.2)], FILM_MS)).toBeNull();
    expect(creditsOfPauses([pause(7_000_000, 60_000, 0)], FILM_MS)).toBeNull();
    expect(creditsOfPauses([pause(FILM_MS - 6_000, 4_000, 1)], FILM_MS)).toBeNull();
    expect(creditsOfPauses([], FILM_MS)).toBeNull();
  });

  it('[PLAY65] is looked for in the last minutes only', () => {
    expect(FILM_MS - endSearchFromMs(FILM_MS)).toBe(864_000);
    expect(endSearchFromMs(60_000)).toBe(30_000);
    expect(1_200_000 - endSearchFromMs(1_200_000)).toBe(300_000);
  });
});

describe('sound that movies share', () => {
  it('[PLAY66] is an intro where two others say the same, or the only one', () => {
    const shared = [
      { startMs: 30_100, lengthMs: 40_000 },
      { startMs: 29_900, lengthMs: 40_400 },
      { startMs: 200_000, lengthMs: 20_000 },
    ];
    expect(introOfSharedSound(shared, 3)).toEqual({
      kind: 'intro',
      startMs: 30_000,
      endMs: 70_200,
      source: 'detected',
      confidence: 90,
    });
    expect(introOfSharedSound(shared.slice(0, 1), 1)).toMatchObject({ confidence: 75 });
    expect(introOfSharedSound(shared.slice(0, 1), 5)).toBeNull();
  });

  it('[PLAY66] is none where it is too short, or the movie itself', () => {
    expect(introOfSharedSound([{ startMs: 0, lengthMs: 9_000 }], 1)).toBeNull();
    expect(introOfSharedSound([{ startMs: 0, lengthMs: 600_000 }], 1)).toBeNull();
    expect(introOfSharedSound([], 2)).toBeNull();
    expect([FILM_MS, 1_500_000, 90_000].map(introSearchUntilMs)).toEqual([600_000, 375_000, 90_000]);
  });
});

it('[PLAY67] a person’s mark goes before those of machines, chapters before the rest where they are as sure', () => {
  const mark = (source: 'person' | 'chapters' | 'detected', startMs: number, confidence: number) =>
    ({ kind: 'intro', startMs, endMs: startMs + 30_000, source, confidence }) as const;
  const [person, chapters, detected] = [mark('person', 5, 100), mark('chapters', 6, 90), mark('detected', 7, 90)];
  expect(onePerKind([detected, chapters, person])).toEqual([person]);
  expect(onePerKind([detected, chapters])).toEqual([chapters]);
  expect(onePerKind([mark('detected', 1, 95), chapters])[0]!.source).toBe('detected');
});
