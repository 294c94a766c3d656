import { REDACTED } from './redaction.ts';

/** A value that shows itself only when asked by name: printed, logged or turned into JSON it reads «redacted». */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  // The name is a registered symbol, so that this folder need not import `node:util`.
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }
}
