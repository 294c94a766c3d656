import { describe, expect, it } from 'vitest';
import { decodeText } from './text-encoding.ts';

/** Bytes of text in a single-byte or East Asian encoding: the decoder's own table, turned around. */
function encode(text: string, encoding: string): Uint8Array {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const bytesOf = new Map<string, number[]>();
  const put = (bytes: number[]): void => {
    try {
      const letter = decoder.decode(Uint8Array.from(bytes));
      if (Array.from(letter).length === 1 && !bytesOf.has(letter)) bytesOf.set(letter, bytes);
    } catch {
      // not a letter of it
    }
  };
  for (let byte = 0; byte < 256; byte++) put([byte]);
  if (!/^(?:windows|iso-8859|koi8)/.test(encoding)) {
    for (let high = 0x81; high < 0xff; high++) for (let low = 0x40; low < 0xff; low++) put([high, low]);
  }
  return Uint8Array.from(
    Array.from(text).flatMap((letter) => bytesOf.get(letter) ?? fail(`${encoding} has no ${letter}`)),
  );
}
const fail = (message: string): never => {
  throw new Error(message);
};
const srt = (line: string): string =>
  Array.from({ length: 12 }, (_, at) => `${at + 1}\r\n00:00:${10 + at},000 --> 00:00:${11 + at},500\r\n${line}`).join(
    '\r\n\r\n',
  );

const TEXTS: readonly [language: string, encoding: string, line: string][] = [
  ['pl', 'windows-1250', 'Źle się dzieje w państwie duńskim, rzekł żołnierz i ścisnął pięść. Łódź odpływa o świcie.'],
  ['cs', 'windows-1250', 'Příliš žluťoučký kůň úpěl ďábelské ódy, řekl děd a šel spát.'],
  ['hu', 'windows-1250', 'Árvíztűrő tükörfúrógép, mondta az öreg őr, és bezárta a kaput.'],
  ['ru', 'windows-1251', 'Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.'],
  ['ru', 'koi8-r', 'Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.'],
  ['fr', 'windows-1252', 'Où est passée la forêt ? L’été dernier, ça sentait encore le pin… Peut-être à Noël.'],
  ['de', 'windows-1252', 'Füße, Öl und große Bäume: so fängt jedes Märchen an, sagte er höflich.'],
  ['el', 'windows-1253', 'Όλες οι ευτυχισμένες οικογένειες μοιάζουν η μία με την άλλη.'],
  ['tr', 'windows-1254', 'Bütün mutlu aileler birbirine benzer, dedi yaşlı adam ve kapıyı ağır ağır kapattı.'],
  ['he', 'windows-1255', 'כל המשפחות המאושרות דומות זו לזו, אמר הזקן וסגר את הדלת.'],
  ['ar', 'windows-1256', 'كل العائلات السعيدة تتشابه، قال الرجل العجوز وأغلق الباب.'],
  ['th', 'windows-874', 'ครอบครัวที่มีความสุขทุกครอบครัวล้วนเหมือนกัน'],
  ['ja', 'shift_jis', '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。'],
  ['ja', 'euc-jp', '吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。'],
  ['zh', 'gb18030', '幸福的家庭都是相似的，不幸的家庭各有各的不幸。他说完就走了。'],
  ['zh-TW', 'big5', '幸福的家庭都是相似的，不幸的家庭各有各的不幸。他說完就走了。'],
  ['ko', 'euc-kr', '행복한 가정은 모두 모습이 비슷하고, 불행한 가정은 모두 제각각의 불행을 안고 있다.'],
];

describe('text of unknown encoding', () => {
  it.each(TEXTS)('[PLAY51] %s in %s is read where the file’s name tells the language', (language, encoding, line) => {
    expect(decodeText(encode(srt(line), encoding), language).text).toBe(srt(line));
  });

  it.each(TEXTS.filter(([language]) => !/^(?:fr|de|tr|th|hu|zh-TW)$/.test(language)))(
    '[PLAY51] %s in %s is told by its letters alone',
    (_language, encoding, line) => {
      expect(decodeText(encode(srt(line), encoding), null).text).toBe(srt(line));
    },
  );

  it('[PLAY51] Russian in a file that calls itself English is Russian all the same', () => {
    const line = TEXTS[3]![2];
    expect(decodeText(encode(srt(line), 'windows-1251'), 'en').text).toBe(srt(line));
  });

  it.each<[string, (text: string) => Uint8Array]>([
    ['UTF-8', (text) => Buffer.from(text)],
    ['UTF-8 with a mark', (text) => Buffer.from(`\ufeff${text}`)],
    ['UTF-16 with a mark', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16, big end first, with a mark', (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
    ['UTF-16 without a mark', (text) => Buffer.from(text, 'utf16le')],
    ['UTF-16, big end first, without a mark', (text) => Buffer.from(text, 'utf16le').swap16()],
  ])('[PLAY51] %s is itself, whatever language the name tells', (_name, toBytes) => {
    const text = srt('Příliš žluťoučký kůň – 猫である');
    for (const language of [null, 'cs', 'zh']) expect(decodeText(toBytes(text), language).text).toBe(text);
  });

  it('[PLAY51] never fails, whatever the bytes', () => {
    let seed = 5;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
    for (let round = 0; round < 200; round++) {
      const bytes = Uint8Array.from({ length: random(400) }, () => random(256));
      expect(typeof decodeText(bytes, [null, 'ja', 'ru', 'x'][round % 4]!).text).toBe('string');
    }
  });
});
