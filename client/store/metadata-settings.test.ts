import { expect, it } from 'vitest';
import { languageOf } from './metadata-settings.ts';

it.each([
  ['de', { language: 'de-DE', country: 'DE' }],
  ['de-AT', { language: 'de-AT', country: 'AT' }],
  ['pt-BR', { language: 'pt-BR', country: 'BR' }],
  ['zh-Hant-TW', { language: 'zh-TW', country: 'TW' }],
  ['en-GB-oxendict', { language: 'en-GB', country: 'GB' }],
  ['es-419', null],
  ['haw-US', null],
  ['not a tag', null],
  ['', null],
])('the movies’ language for a browser in “%s”', (tag, language) => {
  expect(languageOf(tag)).toEqual(language);
});
