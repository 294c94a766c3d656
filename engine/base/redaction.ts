export const REDACTED = '«redacted»';

/** Names of fields whose value is never written down, whatever it is. */
const SECRET_NAME =
  /passw|passphrase|secret|token|cookie|authorization|api[-_]?key|credential|setup[-_]?code|private[-_]?key/i;

/** Secrets inside running text, each with what stays of it. */
const SECRET_TEXT: readonly (readonly [RegExp, string])[] = [
  // A signed media URL. Its token is at least 32 characters long, a mount point such as /media/usb is shorter.
  [/(\/(?:media|download)\/)[\w.~%-]{32,}/g, `$1${REDACTED}`],
  // scheme://user:password@host, as in DATABASE_URL.
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@]+@/gi, `$1${REDACTED}@`],
  [/([?&](?:[\w-]*(?:token|key|secret|signature|password|code))=)[^&\s#]+/gi, `$1${REDACTED}`],
  [/(\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}/gi, `$1${REDACTED}`],
];

const MAX_DEPTH = 6;
const MAX_ENTRIES = 64;
const MAX_TEXT_LENGTH = 8_192;

/** The text without the secrets that can be told by their form, cut at 8,192 characters. */
export function redactText(text: string): string {
  const short = text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}…` : text;
  return SECRET_TEXT.reduce((clean, [pattern, replacement]) => clean.replace(pattern, replacement), short);
}

/**
 * A copy fit to be written down: secrets replaced, errors spelled out with their causes, bytes as a length, and bounded in
 * depth (6), entries (64 of each object or array) and text, because a log line must not be a way to fill the disk.
 */
export function redact(value: unknown, depth: number = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return firstEntries(value).map((element) => redact(element, depth + 1));
  if (value instanceof Set) return redact([...value], depth);
  if (value instanceof Map) return redact(Object.fromEntries(value), depth);
  const own = Object.entries(value);
  const entries = value instanceof Error ? errorEntries(value, own) : own;
  return Object.fromEntries(
    firstEntries(entries).map(([name, field]) => [
      name,
      SECRET_NAME.test(name) && field !== undefined && field !== null ? REDACTED : redact(field, depth + 1),
    ]),
  );
}

/** An error's own fields, with those that `Object.entries` does not list in front. */
function errorEntries(error: Error, own: [string, unknown][]): [string, unknown][] {
  const entries: [string, unknown][] = [
    ['name', error.name],
    ['message', error.message],
    ['stack', error.stack],
    ...own,
  ];
  if (error.cause !== undefined) entries.push(['cause', error.cause]);
  if (error instanceof AggregateError) entries.push(['errors', error.errors]);
  return entries;
}

const firstEntries = <T>(entries: readonly T[]): readonly T[] => entries.slice(0, MAX_ENTRIES);
