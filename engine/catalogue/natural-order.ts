/** Digits of a number in a title: more are no number that anybody counts in. */
const LONGEST = 9;

const NUMBER = new RegExp(String.raw`(?<!\d)\d{1,${LONGEST}}(?!\d)`, 'g');

/** A key whose plain order is the one that people count in: `rocky 2` before `rocky 10`. */
export function naturalKey(title: string): string {
  return title.replace(NUMBER, (digits) => digits.padStart(LONGEST, '0'));
}
