import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sidecarNameOf } from './sidecar-name.ts';

describe('subtitle files', () => {
  it.each<[string, object | null]>([
    ['Heat (1995).srt', { format: 'srt', language: null, isForced: false, isDefault: false, title: null }],
    ['Heat (1995).en.srt', { language: 'en' }],
    ['Heat (1995).eng.srt', { language: 'en' }],
    ['Heat (1995).English.srt', { language: 'en' }],
    ['Heat (1995).pt-BR.srt', { language: 'pt-BR' }],
    ['Heat (1995).zh_Hans.ass', { format: 'ass', language: 'zh-Hans' }],
    ['Heat (1995).en.forced.srt', { language: 'en', isForced: true }],
    ['Heat (1995).forced.en.srt', { language: 'en', isForced: true }],
    ['Heat (1995).en.default.srt', { language: 'en', isDefault: true }],
    ['Heat (1995).en.sdh.srt', { language: 'en', isHearingImpaired: true }],
    ['Heat (1995).en.cc.vtt', { language: 'en', isHearingImpaired: true }],
    ['Heat (1995).en.hi.srt', { language: 'hi' }],
    ['Heat (1995).de.Kommentar.srt', { language: 'de', title: 'Kommentar' }],
    ['HEAT (1995).fr.srt', { language: 'fr' }],
    ['Heat (1995)-fr.srt', { language: 'fr' }],
    ['Heat (1995) 2.fr.srt', { language: 'fr', title: '2' }],
    ['Heat (1995)b.fr.srt', null],
    ['Cold (1995).fr.srt', null],
    ['Heat (1995).mkv', null],
    ['.srt', null],
  ])('%s', (name, expected) => {
    const found = sidecarNameOf(name, 'Heat (1995)');
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatchObject(expected);
  });

  it('of any name give an answer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.option(fc.string({ unit: 'binary' })), (name, video) => {
        const found = sidecarNameOf(`${name}.srt`, video);
        if (found !== null) expect(found.format).toBe('srt');
      }),
    );
  });
});
