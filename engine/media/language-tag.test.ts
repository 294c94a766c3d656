import { describe, expect, it } from 'vitest';
import { toLanguageTag, toThreeLetterCode } from './language-tag.ts';

describe('language tags', () => {
  it.each([
    ['eng', 'en'],
    ['fre', 'fr'],
    ['fra', 'fr'],
    ['ger', 'de'],
    ['ENG', 'en'],
    ['en', 'en'],
    ['pt-BR', 'pt-BR'],
    ['pt_br', 'pt-BR'],
    ['pob', 'pt-BR'],
    ['chi', 'zh'],
    ['zh-Hant', 'zh-Hant'],
    ['yue', 'yue'],
    ['fil', 'fil'],
    ['mul', 'mul'],
    ['zxx', 'zxx'],
    [' spa ', 'es'],
  ])('%s → %s', (code, tag) => expect(toLanguageTag(code)).toBe(tag));

  it.each(['und', 'UND', 'mis', '', 'x', 'english', '???', '\u0000eng', 'a'.repeat(40), null, undefined])(
    '%j names no language',
    (code) => expect(toLanguageTag(code)).toBeNull(),
  );
});

describe('codes of three letters', () => {
  it.each([
    ['de', 'deu'],
    ['pt-BR', 'por'],
    ['haw', 'haw'],
    ['zh-Hant', 'zho'],
    ['x', 'und'],
    [null, 'und'],
  ])('%j → %s', (tag, code) => expect(toThreeLetterCode(tag)).toBe(code));
});
