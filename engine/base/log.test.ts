import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog, silentLog } from './log.ts';
import type { LogOptions } from './log.ts';
import { REDACTED, redact, redactText } from './redaction.ts';

function recording(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({ level: 'debug', write: (line) => lines.push(line), ...options });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('createLog', () => {
  it('writes one JSON object a line with the context of its parents', () => {
    const { log, parsed } = recording();
    log.child({ actor: 'library' }).child({ libraryId: 7 }).warn('a folder cannot be read', { path: '/films' });
    expect(parsed()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        actor: 'library',
        libraryId: 7,
        message: 'a folder cannot be read',
        path: '/films',
      },
    ]);
  });

  it('writes its level and what is louder', () => {
    const { log, parsed } = recording({ level: 'warn' });
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level);
    expect(parsed().map(({ message }) => message)).toEqual(['warn', 'error']);
    expect(() => silentLog.error('nobody hears this')).not.toThrow();
  });

  it('spells out an error with its causes and codes', () => {
    const { log, parsed } = recording();
    const cause = Object.assign(new Error('no such file'), { code: 'ENOENT' });
    log.error('the probe failed', { error: new Error('cannot open', { cause }) });
    expect(parsed()[0]).toMatchObject({
      error: {
        message: 'cannot open',
        stack: expect.stringContaining('log.test.ts'),
        cause: { message: 'no such file', code: 'ENOENT' },
      },
    });
  });

  it('takes secrets out of message, fields and context', () => {
    const { log, lines } = recording();
    const token = 'k3J'.repeat(20);
    log.child({ sessionToken: token }).info(`served /media/${token}/init.mp4`, {
      url: `/x?token=${token}`,
      error: new Error(`bad ${token}?key=${token}`),
    });
    log.info('connected', { databaseUrl: `postgres://matinee:${token}@db/matinee`, headers: { Cookie: `s=${token}` } });
    expect(lines.join('').match(new RegExp(token, 'g'))).toHaveLength(2); // the bare one, in message and stack, has no form to know it by
    expect(lines[1]).toContain(`postgres://matinee:${REDACTED}@db/matinee`);
  });

  it('is readable at a terminal as text', () => {
    const { log, lines } = recording({ format: 'text' });
    log.info('listening', { port: 8420 });
    log.error('failed', { error: new Error('boom') });
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}listening {2}port=8420\n$/);
    expect(lines[1]).toMatch(/^\S+ error failed\nError: boom\n {4}at /);
  });
});

describe('redact', () => {
  it.each([
    ['GET /media/abcdefghijklmnopqrstuvwxyz0123456789-_.~/3.m4s', `GET /media/${REDACTED}/3.m4s`],
    ['/media/usb/Heat (1995).mkv', '/media/usb/Heat (1995).mkv'],
    ['https://u:p@host/x', `https://u:${REDACTED}@host/x`],
    ['https://host:8420/x', 'https://host:8420/x'],
    ['/webhook?apikey=abc&id=1', `/webhook?apikey=${REDACTED}&id=1`],
    ['Authorization: Bearer abc.def-123', `Authorization: Bearer ${REDACTED}`],
  ])('%s', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it('hides a secret field whatever it holds, and keeps the fact that it is absent', () => {
    expect(redact({ password: 'x', apiKey: { a: 1 }, setup_code: 123, token: null })).toEqual({
      password: REDACTED,
      apiKey: REDACTED,
      setup_code: REDACTED,
      token: null,
    });
  });

  it('survives anything, cycles included, and gives something JSON can hold', () => {
    const cycle: Record<string, unknown> = { name: 'cycle' };
    cycle['self'] = cycle;
    expect(() => JSON.stringify(redact(cycle))).not.toThrow();
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true }),
        (value) => {
          expect(() => JSON.stringify(redact(value))).not.toThrow();
        },
      ),
    );
  });

  it('bounds what one line can hold', () => {
    const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`f${index}`, 'x'.repeat(100_000)]));
    expect(JSON.stringify(redact({ wide, bytes: new Uint8Array(1_000_000) })).length).toBeLessThan(64 * 8_300);
  });
});
