import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { teletextPacket } from '#test/support/teletext.ts';
import type { TeletextPage } from '#test/support/teletext.ts';
import { TeletextDecoder } from './teletext.ts';

const page = (rows: TeletextPage['rows'], more: Partial<TeletextPage> = {}): Buffer =>
  teletextPacket({ number: 0x888, ...(rows && { rows }), ...more });

/** What shows of pages that come a second apart. */
function shown(pages: readonly Buffer[], extradata: Uint8Array | null = null) {
  const decoder = new TeletextDecoder(extradata);
  const cues = pages.flatMap((one, at) => decoder.take(one, at * 1e6));
  const last = decoder.finish();
  return last === null ? cues : [...cues, last];
}

describe('teletext', () => {
  it('[PLAY50] a page shows from its header to the next one, and an empty one takes it away', () => {
    const pages = [page({ 20: 'Good evening,', 22: 'ladies and gentlemen' }), page({}), page({ 22: 'Hello' })];
    expect(shown(pages)).toEqual([
      { startUs: 0, endUs: 1e6, text: 'Good evening,\nladies and gentlemen' },
      // Nobody took it away.
      { startUs: 2e6, endUs: 12e6, text: 'Hello' },
    ]);
  });

  it.each([
    [0, 'A#B', 'A£B'],
    [1, '@ cot{ @', 'à cotâ à'],
    [4, 'Gr}~e', 'Grüße'],
    [5, 'Espa|a', 'España'],
  ])('[PLAY50] is in the letters that its header names (%i)', (national, sent, expected) => {
    expect(shown([page({ 22: sent }, { national })])).toMatchObject([{ text: expected }]);
  });

  it('[PLAY50] has the accents that a page adds to its letters', () => {
    const accents = [[22, 3, 'e', 2] as const, [22, 4, 'c', 15] as const];
    expect(shown([page({ 22: 'aec' }, { accents })])).toMatchObject([{ text: 'aéč' }]);
  });

  it('[PLAY50] is the page that the stream announces, else the first that says it is subtitles', () => {
    const news = teletextPacket({ number: 0x100, isSubtitle: false, rows: { 3: 'News' } });
    const german = teletextPacket({ number: 0x150, rows: { 3: 'Deutsch' } });
    const pages = [news, german, page({ 22: 'Hello' })];
    expect(shown(pages).map(({ text }) => text)).toEqual(['Deutsch']);
    // Kind 1 is a first page, kind 2 subtitles.
    const announced = Uint8Array.of((1 << 3) | 1, 0x00, (2 << 3) | 0, 0x88);
    expect(shown(pages, announced).map(({ text }) => text)).toEqual(['Hello']);
  });

  it('[PLAY50] one wrong bit in a header is put right, and a damaged letter is a gap', () => {
    const damaged = page({ 22: 'Hello' });
    // In the address of the header, and in the second letter of the row.
    damaged[1 + 4] = damaged[1 + 4]! ^ 0x10;
    damaged[1 + 46 + 4 + 2 + 3] = damaged[1 + 46 + 4 + 2 + 3]! ^ 0x10;
    expect(shown([damaged])).toMatchObject([{ text: 'H llo' }]);
  });

  it('[PLAY53] what was still shown when the reading went elsewhere is not lost', () => {
    const decoder = new TeletextDecoder(null);
    decoder.take(page({ 22: 'The end' }), 60e6);
    expect(decoder.take(page({ 22: 'The beginning' }), 0)).toEqual([{ startUs: 60e6, endUs: 70e6, text: 'The end' }]);
    expect(decoder.finish()).toMatchObject({ startUs: 0, text: 'The beginning' });
  });

  it('[PLAY56] takes anything, and never says what was not said', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 })),
        fc.option(fc.uint8Array({ maxLength: 9 })),
        (all, more) => {
          const decoder = new TeletextDecoder(more);
          for (const [at, one] of all.entries()) decoder.take(one, at * 1e6);
          decoder.finish();
        },
      ),
    );
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 255 }), (place, mask) => {
        const bytes = page({ 20: 'Good evening,', 22: 'ladies and gentlemen' });
        bytes[place % bytes.length]! ^= mask;
        for (const { text } of shown([bytes])) expect(text.split('\n').length).toBeLessThanOrEqual(23);
      }),
    );
  });
});
