import { pino } from 'pino';
import { redact, redactText } from './redaction.ts';

/** Levels by loudness: a log writes its own level and everything after it. `silent` writes nothing. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where a part of the engine writes what happened. Messages are constant sentences, what varies goes into the fields, so
 * that lines can be grouped. Secrets are taken out of both (redaction.ts), here and nowhere else.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** Something that needs a person. Put the thrown thing in the field `error`: it is written with stack and causes. */
  error(message: string, fields?: LogFields): void;
  /** A log that adds these fields to each of its lines. */
  child(context: LogFields): Log;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** `json`: one object a line. `text`: for people at a terminal. */
  readonly format?: 'json' | 'text';
  /** Takes each line with its line end. Standard output unless told. */
  readonly write?: (line: string) => void;
}

export function createLog(options: LogOptions): Log {
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  const destination = options.format === 'text' ? { write: (line: string) => write(lineToText(line)) } : { write };
  return new PinoLog(
    pino(
      {
        level: options.level,
        base: null,
        messageKey: 'message',
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (level) => ({ level }) },
      },
      destination,
    ),
  );
}

const nothing = (): void => undefined;

/** Writes nothing. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silentLog };

class PinoLog implements Log {
  readonly #pino: pino.Logger;

  constructor(logger: pino.Logger) {
    this.#pino = logger;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  child(context: LogFields): Log {
    return new PinoLog(this.#pino.child(redact(context) as LogFields));
  }

  #write(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: LogFields = {}): void {
    if (this.#pino.isLevelEnabled(level)) this.#pino[level](redact(fields), redactText(message));
  }
}

/** `12:03:04.567 warn  a file was quarantined  path="/films/a.mkv" deaths=2`, with an error's stack on lines of its own. */
function lineToText(line: string): string {
  const { time, level, message, error, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const stack = typeof error === 'object' && error !== null && 'stack' in error ? String(error.stack) : undefined;
  const rest = Object.entries(stack === undefined && error !== undefined ? { ...fields, error } : fields)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(' ');
  const head = `${String(time).slice(11, 23)} ${String(level).padEnd(5)} ${String(message)}`;
  return `${[rest ? `${head}  ${rest}` : head, stack].filter(Boolean).join('\n')}\n`;
}
