import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { configurationTable, effectiveText, helpText } from './config-text.ts';
import type { ConfigSources } from './config.ts';
import { editDistance, parseFlags, readConfig } from './config.ts';
import { SETTING_KEYS, fileKeyOf, flagOf, settingOf, variablesOf } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee config '));
afterAll(() => rmSync(folder, { recursive: true }));

let fileCount = 0;
function writeFile(content: unknown): string {
  const path = join(folder, `file-${(fileCount += 1)}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function sources(flags: string[], environment: Record<string, string> = {}): ConfigSources {
  return { flags, environment: { HOME: '/home/ada', ...environment }, folder: '/start', isRoot: false };
}

const read = (flags: string[], environment?: Record<string, string>) => readConfig(sources(flags, environment));

function problems(flags: string[], environment?: Record<string, string>): string[] {
  try {
    read(flags, environment);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}

describe('where a value comes from', () => {
  it('flags win over the environment, that over the file, that over the default', () => {
    const file = writeFile({ port: 1, host: 'one.example', logLevel: 'warn' });
    const { config, origins } = read(['--config', file, '--port=3'], {
      MATINEE_PORT: '2',
      MATINEE_HOST: 'two.example',
    });
    expect(config).toMatchObject({ port: 3, host: 'two.example', logLevel: 'warn', maxTranscodes: expect.any(Number) });
    expect(origins).toMatchObject({
      port: '--port',
      host: 'MATINEE_HOST',
      logLevel: `“logLevel” in ${file}`,
      maxTranscodes: 'default',
    });
  });

  it('[CONF1] a list replaces the list of an earlier source', () => {
    const file = writeFile({ library: ['films', '/else'] });
    expect(read(['--config', file]).config.libraries).toEqual([join(folder, 'films'), '/else']);
    const both = read(['--config', file], { MATINEE_LIBRARY: '/a:b::/a' });
    expect(both.config.libraries).toEqual(['/a', '/start/b']);
    expect(read(['--library', 'x', '--library=~/y'], { MATINEE_LIBRARY: '/a' }).config.libraries).toEqual([
      '/start/x',
      '/home/ada/y',
    ]);
  });

  it('the file in the data folder is read without being named', () => {
    writeFileSync(join(folder, 'matinee.json'), JSON.stringify({ port: 77 }));
    expect(read(['--data', folder]).config.port).toBe(77);
    writeFileSync(join(folder, 'matinee.json'), JSON.stringify({ data: '/x' }));
    expect(problems(['--data', folder]).join()).toMatch(/“data” cannot be set in the data folder itself/);
    rmSync(join(folder, 'matinee.json'));
  });

  it('a named file may say where the data folder is, and must exist', () => {
    expect(read(['--config', writeFile({ data: 'inner' })]).config.dataFolder).toBe(join(folder, 'inner'));
    expect(problems(['--config', '/nowhere.json'])).toEqual(['/nowhere.json cannot be read: ENOENT.']);
  });

  it('[CONF5] an empty variable is not set', () => {
    const { config, origins } = read([], { MATINEE_PORT: '', DATABASE_URL: '', MATINEE_ADMIN_PASSWORD_FILE: '' });
    expect(config).toMatchObject({ port: 8420, databaseUrl: null, adminPassword: null });
    expect(origins.port).toBe('default');
  });

  it('names that others gave are read, ours first', () => {
    const { config } = read([], { TMDB_BASE_URL: 'http://a.example/3', MATINEE_TMDB_BASE_URL: 'http://b.example' });
    expect(config.tmdbBaseUrl).toBe('http://b.example/');
  });
});

describe('the data folder', () => {
  const dataFolder = (environment: Record<string, string>, isRoot = false) =>
    readConfig({ flags: [], environment, folder: '/start', isRoot }).config.dataFolder;

  it('follows XDG, a service manager, root, and the home folder', () => {
    expect(dataFolder({ HOME: '/home/ada' })).toBe('/home/ada/.local/share/matinee');
    expect(dataFolder({ HOME: '/home/ada', XDG_DATA_HOME: '/xdg' })).toBe('/xdg/matinee');
    expect(dataFolder({ HOME: '/home/ada', XDG_DATA_HOME: 'relative' })).toBe('/home/ada/.local/share/matinee');
    expect(dataFolder({ HOME: '/root' }, true)).toBe('/var/lib/matinee');
    expect(dataFolder({ STATE_DIRECTORY: '/var/lib/films:/other', HOME: '/nonexistent' })).toBe('/var/lib/films');
  });

  it('is asked for where there is no home folder', () => {
    expect(problems([], { HOME: '/nonexistent' })).toEqual([
      'This user has no home folder to keep the data in. Say where it may lie: --data DIR.',
    ]);
    expect(problems(['--library', '~/x', '--data', '/d'], { HOME: '/' })).toEqual([
      '--library: “~/x” begins with ~, but this user has no home folder.',
    ]);
  });
});

describe('what is refused', () => {
  it.each([
    ['--prot', 'There is no flag --prot. Did you mean --port?'],
    ['--libary=/x', 'There is no flag --libary. Did you mean --library?'],
    ['--frobnicate', 'There is no flag --frobnicate. See --help.'],
    ['movies/x', '“movies/x” is not a flag. For a folder of movies write: npm start -- --library movies/x'],
    ['--port', '--port lacks its value.'],
    [
      '--admin-password=sesame-street',
      '--admin-password is no flag, because every user of the machine could read it. Set MATINEE_ADMIN_PASSWORD.',
    ],
  ])('[CONF2] the flag %s', (flag, problem) => {
    expect(problems([flag])).toEqual([problem]);
  });

  it('[CONF2] variables that nobody reads, except those of the scripting client', () => {
    expect(problems([], { MATINEE_PROT: '1' })).toEqual([
      'There is no variable MATINEE_PROT. Did you mean MATINEE_PORT?',
    ]);
    expect(problems([], { MATINEE_URL: 'http://x', MATINEE_NAME: 'ada', MATINEE_PASSWORD: 'x' })).toEqual([]);
  });

  it('[CONF2] keys of the file', () => {
    const file = writeFile({ maxTranscode: 1 });
    expect(problems(['--config', file])).toEqual([
      `${file}: there is no setting “maxTranscode”. Did you mean maxTranscodes?`,
    ]);
  });

  it.each([
    [['--port', '65536'], '--port: “65536” is not a whole number from 0 to 65535.'],
    [['--port', '80.5'], '--port: “80.5” is not a whole number from 0 to 65535.'],
    [['--port', '1', '--port', '2'], '--port is given twice.'],
    [['--host', 'not an address'], '--host: “not an address” is not an address such as 0.0.0.0, ::1 or localhost.'],
    [['--log-level', 'loud'], '--log-level: “loud” is none of debug, info, warn, error, silent.'],
    [['--scratch-quota', '20 bananas'], '--scratch-quota: “20 bananas” is not a size such as 500MB, 20GB or 1.5TB.'],
    [['--poll-interval', '1s'], '--poll-interval: “1s” is not a time from 5s to 1d, such as 90s, 15m, 12h or 30d.'],
    [['--trusted-proxy', '10.0.0.0/33'], /is not an address or network such as/],
    [['--public-url', 'https://films.example/path'], /has a path/],
    [['--public-url', 'ftp://films.example'], /is not an http or https address/],
  ])('[CONF3] the value in %s', (flags, problem) => {
    expect(problems(flags)).toEqual([typeof problem === 'string' ? problem : expect.stringMatching(problem)]);
  });

  it('[CONF3] everything at once, so that one look is enough', () => {
    expect(
      problems(['--prot', '1', '--port', 'x'], { MATINEE_LOG_LEVEL: 'loud', MATINEE_ADMIN_NAME: 'ada' }),
    ).toHaveLength(4);
  });

  it('[CONF3] a file that is not what it should be, without repeating it', () => {
    const broken = writeFile('{"adminPassword": "sesame-street"');
    expect(problems(['--config', broken])).toEqual([`${broken} cannot be read: it is not JSON.`]);
    const list = writeFile([]);
    expect(problems(['--config', list])).toEqual([`${list} does not hold one JSON object.`]);
    const odd = writeFile({ port: { is: 1 }, library: [1, null] });
    expect(problems(['--config', odd])).toEqual([
      `${odd}: “port” is neither a text nor a number.`,
      `${odd}: “library” is neither a text nor a number nor a list of texts.`,
    ]);
  });
});

describe('secrets', () => {
  const password = 'sesame-street-42';

  it('[CONF4] come from a file that the environment names', () => {
    const path = writeFile(`${password}\n`);
    const { config } = read(['--admin-name', 'ada'], { MATINEE_ADMIN_PASSWORD_FILE: path });
    expect(config.adminPassword?.reveal()).toBe(password);
    const both = problems(['--admin-name', 'ada'], { MATINEE_ADMIN_PASSWORD_FILE: path, MATINEE_ADMIN_PASSWORD: 'y' });
    expect(both.join()).toMatch(/are both set. Keep one/);
    expect(problems([], { DATABASE_URL_FILE: '/nowhere' })).toEqual([
      'DATABASE_URL_FILE: /nowhere cannot be read (ENOENT).',
    ]);
  });

  it('[CONF4] print as «redacted», in every way of printing', () => {
    const result = read([], {
      MATINEE_ADMIN_NAME: 'ada',
      MATINEE_ADMIN_PASSWORD: password,
      DATABASE_URL: `postgres://u:${password}@h/d`,
    });
    const printed = [
      effectiveText(result),
      JSON.stringify(result),
      inspect(result, { depth: 9 }),
      String(result.config.adminPassword),
      String(result.config.databaseUrl),
    ];
    for (const text of printed) {
      expect(text).toContain('«redacted»');
      expect(text).not.toContain(password);
    }
  });

  it('[CONF4] are not repeated by complaints about them', () => {
    const messages = problems([], {
      MATINEE_ADMIN_NAME: 'ada',
      MATINEE_ADMIN_PASSWORD: 'short77',
      DATABASE_URL: `mysql://u:${password}@h/d`,
    });
    expect(messages).toHaveLength(2);
    expect(messages.join()).not.toMatch(/short77|sesame/);
  });

  it('the first admin needs a name and a password', () => {
    expect(problems(['--admin-name', 'ada'])).toEqual([
      'MATINEE_ADMIN_NAME and MATINEE_ADMIN_PASSWORD go together: set both or none.',
    ]);
  });
});

describe('the configuration', () => {
  it('is frozen', () => {
    const { config } = read([]);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.libraries)).toBe(true);
  });

  it('has units that mean what they say', () => {
    const { config } = read([
      '--scratch-quota=1.5TB',
      '--picture-quota=1GiB',
      '--poll-interval=90s',
      '--deletion-grace=0d',
      '--session-lifetime=12 h',
    ]);
    expect(config).toMatchObject({
      scratchQuotaBytes: 1.5e12,
      pictureQuotaBytes: 2 ** 30,
      pollIntervalMs: 90_000,
      deletionGraceMs: 0,
      sessionLifetimeMs: 43_200_000,
    });
  });

  it('every default passes its own check', () => {
    const place = { folder: '/', home: '/home/ada' };
    for (const setting of SETTING_KEYS.map(settingOf)) {
      const value = setting.default;
      if (value === null || Array.isArray(value)) continue;
      expect(setting.kind.parse(setting.kind.show(value), place), setting.name).toEqual(value);
    }
  });

  it('has one name for each thing in each source', () => {
    const settings = SETTING_KEYS.map(settingOf);
    for (const names of [
      settings.flatMap((row) => flagOf(row) ?? []),
      settings.flatMap(variablesOf),
      settings.map(fileKeyOf),
    ]) {
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('the texts', () => {
  it('--help lists every flag and shows no secret as one', () => {
    expect(parseFlags(['--port', 'x', '--help']).asks).toBe('help');
    const text = helpText();
    for (const setting of SETTING_KEYS.map(settingOf)) {
      expect(text).toContain(flagOf(setting) ?? variablesOf(setting).at(-1));
    }
    expect(text).not.toContain('--admin-password ');
  });

  it('the table in the README is the table of settings', () => {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
    const [, found] = /<!-- settings -->\n([\s\S]*?)\n?<!-- \/settings -->/.exec(readme) ?? [];
    expect(found, `Put this between the marks “settings” of README.md:\n\n${configurationTable()}\n`).toBe(
      configurationTable(),
    );
  });
});

it.each([
  ['port', 'prot', 1],
  ['library', 'libary', 1],
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
])('the distance from %s to %s is %i', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
  expect(editDistance(b, a)).toBe(distance);
});
