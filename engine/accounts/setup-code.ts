/**
 * The one-time code that proves, before anyone has an account, that whoever sets the server up can read its output [ACC3].
 * Owns: the code, in memory only.
 */
import { randomInt, timingSafeEqual } from 'node:crypto';

/** Crockford's base 32: no I, L, O or U, so that a code read aloud or from a terminal is typed right. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 8 characters: 40 bits, and ten tries each. */
const LENGTH = 8;
const ATTEMPTS = 10;

export class SetupCode {
  readonly #onNewCode: (code: string) => void;
  #code = newCode();
  #attemptsLeft = ATTEMPTS;

  /** `onNewCode` prints a code that replaces a guessed-at one [ACC4]. */
  constructor(onNewCode: (code: string) => void) {
    this.#onNewCode = onNewCode;
  }

  /** As it is shown: `7QK4-M2ZD`. */
  get text(): string {
    return `${this.#code.slice(0, 4)}-${this.#code.slice(4)}`;
  }

  /** Whether this is the code; a wrong one costs an attempt. */
  matches(typed: string): { isRight: true } | { isRight: false; attemptsLeft: number } {
    if (timingSafeEqual(Buffer.from(normalize(typed)), Buffer.from(this.#code))) return { isRight: true };
    this.#attemptsLeft--;
    if (this.#attemptsLeft > 0) return { isRight: false, attemptsLeft: this.#attemptsLeft };
    this.#code = newCode();
    this.#attemptsLeft = ATTEMPTS;
    this.#onNewCode(this.text);
    return { isRight: false, attemptsLeft: 0 };
  }
}

const newCode = (): string => Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');

/** Forgives what people type: small letters, spaces, dashes, O for 0, I and L for 1. Always LENGTH bytes, for the comparison. */
function normalize(typed: string): string {
  const letters = typed
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '')
    .replaceAll('O', '0')
    .replace(/[IL]/g, '1');
  return letters.length === LENGTH ? letters : '?'.repeat(LENGTH);
}
