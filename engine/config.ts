/**
 * The configuration: defaults < file < environment < flags, read once, checked as a whole, then frozen.
 *
 * - [CONF1] A later source wins as a whole: a list in the environment replaces the list in the file.
 * - [CONF2] A name that does not exist, in any source, stops the start and names the nearest that does.
 * - [CONF3] A value that cannot be meant stops the start. All problems are told at once.
 * - [CONF4] Secrets come from the environment, from a file that it names (`…_FILE`), or from the configuration file;
 *   never from flags. They print as «redacted».
 * - [CONF5] An empty variable counts as not set, as compose files produce them.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { StartRefusal } from './base/start-refusal.ts';
import type { Place } from './setting-kind.ts';
import type { AnySetting, SettingKey, SettingValue } from './settings.ts';
import { SETTING_KEYS, fileKeyOf, flagOf, settingOf, variablesOf } from './settings.ts';
import { CONFIG_FILE_NAME } from './store/files/data-folder.ts';

export type Config = { readonly [K in SettingKey as K extends 'dataFolder' ? never : K]: SettingValue<K> } & {
  readonly dataFolder: string;
};

export interface ConfigSources {
  /** After the program's name. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where relative paths of flags and variables begin. */
  readonly folder: string;
  readonly isRoot: boolean;
}

export interface ReadConfig {
  readonly config: Config;
  /** Where each value came from, in words. */
  readonly origins: Readonly<Record<SettingKey, string>>;
}

interface Found {
  readonly origin: string;
  readonly texts: readonly string[];
  readonly place: Place;
}

type Values = Map<SettingKey, Found>;

/** Variables that begin like ours and speak to other programs: the scripting client's. */
const FOREIGN_VARIABLES = new Set(['MATINEE_URL', 'MATINEE_NAME', 'MATINEE_PASSWORD']);
const CONFIG_VARIABLE = 'MATINEE_CONFIG';
const MAX_FILE_BYTES = 2 ** 20;

/** What this process was given. npm changes the folder to its package's; `INIT_CWD` is where the person stood. */
export function configSources(flags: readonly string[]): ConfigSources {
  const folder = process.env['npm_lifecycle_event'] === undefined ? undefined : process.env['INIT_CWD'];
  return { flags, environment: process.env, folder: folder ?? process.cwd(), isRoot: process.getuid?.() === 0 };
}

/** What flags ask for instead of starting. */
export function parseFlags(flags: readonly string[]): {
  asks: 'start' | 'help';
  pairs: [string, string][];
  problems: string[];
} {
  const pairs: [string, string][] = [];
  const problems: string[] = [];
  const names = [...SETTING_KEYS.flatMap((key) => flagOf(settingOf(key)) ?? []), '--config', '--help'];
  if (flags.includes('--help') || flags.includes('-h')) return { asks: 'help', pairs, problems };
  for (let index = 0; index < flags.length; index += 1) {
    const [, name = '', attached] = /^(--[^=]*)(?:=([\s\S]*))?$/.exec(flags[index] ?? '') ?? [];
    if (!names.includes(name)) {
      problems.push(flagProblem(flags[index] ?? '', name, names));
      // Its value would otherwise be told as a second problem.
      if (name !== '' && attached === undefined && flags[index + 1]?.startsWith('-') === false) index += 1;
      continue;
    }
    const value = attached ?? flags[index + 1];
    if (value === undefined || (attached === undefined && value.startsWith('--'))) {
      problems.push(`${name} lacks its value.`);
      continue;
    }
    if (attached === undefined) index += 1;
    pairs.push([name, value]);
  }
  return { asks: 'start', pairs, problems };
}

function flagProblem(text: string, name: string, names: readonly string[]): string {
  const secret = SETTING_KEYS.map(settingOf).find((candidate) => candidate.isSecret && `--${candidate.name}` === name);
  if (secret) {
    return `${name} is no flag, because every user of the machine could read it. Set ${variablesOf(secret)[0] ?? ''}.`;
  }
  if (name === '') {
    return `“${text}” is not a flag. ${text.includes('/') ? `For a folder of movies write: npm start -- --library ${text}` : 'See --help.'}`;
  }
  return `There is no flag ${name}.${suggest(name, names)}`;
}

/** Reads all sources. Throws `StartRefusal` with every problem, one a line. */
export function readConfig(sources: ConfigSources): ReadConfig {
  const home = findHome(sources);
  const place = { folder: sources.folder, home };
  const { pairs, problems } = parseFlags(sources.flags);
  const environment = new Map<SettingKey, Found>();
  const flags = new Map<SettingKey, Found>();
  const configPath = readEnvironment(sources.environment, place, environment, problems);
  const configFlag = readFlags(pairs, place, flags, problems);

  const named = configFlag ?? configPath;
  const file = new Map<SettingKey, Found>();
  let dataFolder = folderFrom(flags.get('dataFolder') ?? environment.get('dataFolder'));
  if (named !== null) {
    readFile(resolve(sources.folder, named), place, true, file, problems);
    dataFolder ??= folderFrom(file.get('dataFolder'));
  }
  dataFolder ??= defaultDataFolder(sources, home);
  if (named === null && dataFolder !== null) {
    const path = join(dataFolder, CONFIG_FILE_NAME);
    readFile(path, place, false, file, problems);
    if (file.delete('dataFolder')) {
      problems.push(`${path}: “data” cannot be set in the data folder itself. Use --data.`);
    }
  }
  return build([file, environment, flags], dataFolder, problems);
}

function build(layers: readonly Values[], dataFolder: string | null, problems: string[]): ReadConfig {
  const config: Record<string, unknown> = {};
  const origins = {} as Record<SettingKey, string>;
  for (const key of SETTING_KEYS) {
    const setting = settingOf(key);
    const found = layers.findLast((layer) => layer.has(key))?.get(key);
    config[key] = found === undefined ? Object.freeze(setting.default) : parse(setting, found, problems);
    origins[key] = found?.origin ?? 'default';
  }
  if (origins.dataFolder === 'default') config['dataFolder'] = dataFolder;
  if (config['dataFolder'] === null) {
    problems.push('This user has no home folder to keep the data in. Say where it may lie: --data DIR.');
  }
  if ((config['adminName'] === null) !== (config['adminPassword'] === null)) {
    problems.push('MATINEE_ADMIN_NAME and MATINEE_ADMIN_PASSWORD go together: set both or none.');
  }
  if (problems.length > 0) throw new StartRefusal(problems.join('\n'));
  return { config: Object.freeze(config) as unknown as Config, origins: Object.freeze(origins) };
}

function parse(setting: AnySetting, { origin, texts, place }: Found, problems: string[]): unknown {
  const values: unknown[] = [];
  for (const text of texts) {
    try {
      const value = setting.kind.parse(text, place);
      if (setting.separator === undefined) return value;
      values.push(...(value as unknown[]));
    } catch (error) {
      const shown = setting.isSecret === true ? '' : ` “${text}”`;
      problems.push(`${origin}:${shown} ${(error as Error).message}.`);
    }
  }
  return Object.freeze([...new Set(values)]);
}

function readFlags(pairs: readonly [string, string][], place: Place, into: Values, problems: string[]): string | null {
  let configPath: string | null = null;
  for (const [flag, text] of pairs) {
    if (flag === '--config') {
      configPath = text;
      continue;
    }
    const key = SETTING_KEYS.find((candidate) => flagOf(settingOf(candidate)) === flag);
    if (key === undefined) continue;
    const before = into.get(key);
    if (before !== undefined && settingOf(key).separator === undefined) problems.push(`${flag} is given twice.`);
    into.set(key, { origin: flag, texts: [...(before?.texts ?? []), text], place });
  }
  return configPath;
}

/** Returns the path of the configuration file, if a variable names one. */
function readEnvironment(
  environment: ConfigSources['environment'],
  place: Place,
  into: Values,
  problems: string[],
): string | null {
  const known = new Set([CONFIG_VARIABLE]);
  for (const key of SETTING_KEYS) {
    const setting = settingOf(key);
    for (const name of variablesOf(setting)) {
      known.add(name);
      const direct = environment[name] ?? '';
      const path = setting.isSecret === true ? (environment[`${name}_FILE`] ?? '') : '';
      if (setting.isSecret === true) known.add(`${name}_FILE`);
      if (direct !== '' && path !== '') problems.push(`${name} and ${name}_FILE are both set. Keep one.`);
      const text = direct !== '' ? direct : path !== '' ? readSecretFile(`${name}_FILE`, path, place, problems) : '';
      if (text === '' || into.has(key)) continue;
      const texts = setting.separator === undefined ? [text] : text.split(setting.separator).filter(Boolean);
      into.set(key, { origin: direct !== '' ? name : `${name}_FILE`, texts, place });
    }
  }
  for (const name of Object.keys(environment)) {
    if (!name.startsWith('MATINEE_') || known.has(name) || FOREIGN_VARIABLES.has(name)) continue;
    problems.push(`There is no variable ${name}.${suggest(name, [...known])}`);
  }
  return environment[CONFIG_VARIABLE] || null;
}

function readSecretFile(variable: string, path: string, place: Place, problems: string[]): string {
  try {
    return readFileSync(resolve(place.folder, path), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    problems.push(`${variable}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`);
    return '';
  }
}

function readFile(path: string, { home }: Place, isNamed: boolean, into: Values, problems: string[]): void {
  let content: unknown;
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length > MAX_FILE_BYTES) throw new Error('it is larger than 1 MiB');
    content = JSON.parse(text);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // The parser's message quotes what it met, which may be a password.
    const reason = error instanceof SyntaxError ? 'it is not JSON' : (code ?? message);
    if (isNamed || (code !== 'ENOENT' && code !== 'ENOTDIR')) problems.push(`${path} cannot be read: ${reason}.`);
    return;
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    problems.push(`${path} does not hold one JSON object.`);
    return;
  }
  const place = { folder: dirname(path), home };
  const keysByName = new Map(SETTING_KEYS.map((key) => [fileKeyOf(settingOf(key)), key]));
  for (const [name, value] of Object.entries(content) as [string, unknown][]) {
    const key = keysByName.get(name);
    if (key === undefined) {
      problems.push(`${path}: there is no setting “${name}”.${suggest(name, [...keysByName.keys()])}`);
      continue;
    }
    const values: unknown[] = Array.isArray(value) && settingOf(key).separator !== undefined ? value : [value];
    const texts = values.filter((element) => typeof element === 'string' || typeof element === 'number').map(String);
    if (texts.length === values.length) into.set(key, { origin: `“${name}” in ${path}`, texts, place });
    else {
      problems.push(
        `${path}: “${name}” is neither a text nor a number${settingOf(key).separator ? ' nor a list of texts' : ''}.`,
      );
    }
  }
}

function folderFrom(found: Found | undefined): string | null {
  const text = found?.texts[0];
  if (found === undefined || text === undefined) return null;
  try {
    return settingOf('dataFolder').kind.parse(text, found.place) as string;
  } catch {
    // Told with the other problems, when all values are parsed.
    return null;
  }
}

function findHome({ environment }: ConfigSources): string | null {
  const home = environment['HOME'] || safeHomedir();
  // What system users have in /etc/passwd instead of a home.
  return isAbsolute(home) && home !== '/' && home !== '/nonexistent' ? home : null;
}

function safeHomedir(): string {
  try {
    return homedir();
  } catch {
    // A user number without a line in /etc/passwd, as containers give them.
    return '';
  }
}

/** By the XDG base directory specification; systemd's `StateDirectory=` comes first, and root has no desktop. */
function defaultDataFolder({ environment, isRoot }: ConfigSources, home: string | null): string | null {
  const [stateFolder = ''] = (environment['STATE_DIRECTORY'] ?? '').split(':');
  if (isAbsolute(stateFolder)) return stateFolder;
  const xdg = environment['XDG_DATA_HOME'] ?? '';
  if (isAbsolute(xdg)) return join(xdg, 'matinee');
  if (isRoot) return '/var/lib/matinee';
  return home === null ? null : join(home, '.local/share/matinee');
}

/** “ Did you mean …?” with the nearest name, or nothing when none is near. */
function suggest(name: string, names: readonly string[]): string {
  const [nearest] = names
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  if (nearest === undefined || nearest.distance > Math.max(2, nearest.candidate.length / 3)) return ' See --help.';
  return ` Did you mean ${nearest.candidate}?`;
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        rows[i - 1]![j]! + 1,
        row[j - 1]! + 1,
        rows[i - 1]![j - 1]! + (isSame ? 0 : 1),
        isSwap ? rows[i - 2]![j - 2]! + 1 : Infinity,
      );
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
