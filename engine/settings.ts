/**
 * Every setting, once. Flags, environment variables, the keys of the configuration file, `--help`, the table in the
 * README and what is redacted all come from here.
 */
import { availableParallelism } from 'node:os';
import type { LogLevel } from './base/log.ts';
import { LOG_LEVELS } from './base/log.ts';
import type { Secret } from './base/secret.ts';
import type { Kind } from './setting-kind.ts';
import * as kinds from './setting-kind.ts';

export interface Setting<T> {
  readonly kind: Kind<T>;
  /** Kebab-case. The flag is `--name`, the variable `MATINEE_NAME`, the key in the file `name` in camel case. */
  readonly name: string;
  readonly help: string;
  readonly default: T;
  /** How the default reads in the documentation. */
  readonly defaultText: string;
  /** Variables under names that others gave; ours comes first. */
  readonly otherVariables?: readonly string[];
  /** No flag, since every user of the machine sees those; `…_FILE` names a file to read it from; shown «redacted». */
  readonly isSecret?: boolean;
  /** Given as often as wanted; separated by `:` in the environment, an array in the file. */
  readonly separator?: ':' | ',';
}

const setting = <T>(definition: Setting<T>): Setting<T> => definition;

const cores = availableParallelism();

/** The key is the name inside the program, with its unit. */
export const SETTINGS = {
  libraries: setting({
    name: 'library',
    kind: kinds.many(kinds.folderKind),
    help: 'A folder of movies. Repeat it for more.',
    default: [],
    defaultText: 'none: asked for in the browser',
    separator: ':',
  }),
  dataFolder: setting<string | null>({
    name: 'data',
    kind: kinds.optional(kinds.folderKind),
    help: 'Where the server keeps everything: database, pictures, keys.',
    default: null,
    defaultText: '~/.local/share/matinee; /var/lib/matinee for root',
  }),
  port: setting({
    name: 'port',
    kind: kinds.integer(0, 65_535),
    help: 'The port to listen on; 0 takes any that is free.',
    default: 8420,
    defaultText: '8420',
  }),
  host: setting({
    name: 'host',
    kind: kinds.hostKind,
    help: 'The address to listen on. 127.0.0.1 lets nobody but this machine in, which is right behind a proxy.',
    // Televisions and phones are what a movie server is for, and nothing is served without signing in. All of IPv4 and
    // not of IPv6, where a home's addresses are often reachable from the whole internet.
    default: '0.0.0.0',
    defaultText: '0.0.0.0: every IPv4 address',
  }),
  adminName: setting<string | null>({
    name: 'admin-name',
    kind: kinds.optional(kinds.userName),
    help: 'Name of the first admin, made at the first start. Without it the first visitor signs up with the setup code.',
    default: null,
    defaultText: 'none',
  }),
  adminPassword: setting<Secret | null>({
    name: 'admin-password',
    kind: kinds.optional(kinds.password),
    help: 'Password of the first admin.',
    default: null,
    defaultText: 'none',
    isSecret: true,
  }),
  databaseUrl: setting<Secret | null>({
    name: 'database-url',
    kind: kinds.optional(kinds.databaseUrl),
    help: 'A Postgres server of your own, 15 or newer: postgres://user:password@host:5432/database.',
    default: null,
    defaultText: 'none: the built-in Postgres',
    otherVariables: ['DATABASE_URL'],
    isSecret: true,
  }),
  logLevel: setting<LogLevel>({
    name: 'log-level',
    kind: kinds.choice(LOG_LEVELS),
    help: 'How much is written to the log.',
    default: 'info',
    defaultText: 'info',
  }),
  logFormat: setting<'auto' | 'text' | 'json'>({
    name: 'log-format',
    kind: kinds.choice(['auto', 'text', 'json']),
    help: 'Lines for people or for machines; auto writes text to a terminal.',
    default: 'auto',
    defaultText: 'auto',
  }),
  publicUrl: setting<string | null>({
    name: 'public-url',
    kind: kinds.optional(kinds.originKind),
    help: 'The address that people use when a proxy stands in front: https://films.example.',
    default: null,
    defaultText: 'none: what the browser asked for',
  }),
  allowedOrigins: setting({
    name: 'allowed-origin',
    kind: kinds.many(kinds.originKind),
    help: 'Another web page address that may talk to this server. Repeat it for more.',
    default: [],
    defaultText: 'none',
    separator: ',',
  }),
  trustedProxies: setting({
    name: 'trusted-proxy',
    kind: kinds.many(kinds.network),
    help: 'A proxy whose X-Forwarded-For and X-Forwarded-Proto are believed. Repeat it for more.',
    default: [],
    defaultText: 'none',
    separator: ',',
  }),
  scratchQuotaBytes: setting({
    name: 'scratch-quota',
    kind: kinds.size,
    help: 'Most disk space for running transcodes.',
    default: 20e9,
    defaultText: '20GB',
  }),
  uploadQuotaBytes: setting({
    name: 'upload-quota',
    kind: kinds.size,
    help: 'Most disk space for subtitles that people hand in, all together.',
    default: 5e9,
    defaultText: '5GB',
  }),
  uploadPersonQuotaBytes: setting({
    name: 'upload-person-quota',
    kind: kinds.size,
    help: 'Most of it for one person.',
    default: 1e9,
    defaultText: '1GB',
  }),
  pictureQuotaBytes: setting({
    name: 'picture-quota',
    kind: kinds.size,
    help: 'Most disk space for cached pictures.',
    default: 2e9,
    defaultText: '2GB',
  }),
  previews: setting<'off' | 'opened' | 'ahead'>({
    name: 'previews',
    kind: kinds.choice(['off', 'opened', 'ahead']),
    help: 'Pictures to seek by: of what somebody opens, or also, while nobody watches, of what is likely to be opened next.',
    default: 'ahead',
    defaultText: 'ahead',
  }),
  previewQuotaBytes: setting({
    name: 'preview-quota',
    kind: kinds.size,
    help: 'Most disk space for pictures to seek by; a movie takes some 3 MB.',
    default: 5e9,
    defaultText: '5GB',
  }),
  marks: setting<'off' | 'chapters' | 'all'>({
    name: 'marks',
    kind: kinds.choice(['off', 'chapters', 'all']),
    help: 'Where intros and credits are looked for: in the names of chapters, or also, while nobody watches, in picture and sound.',
    default: 'all',
    defaultText: 'all',
  }),
  downloadQuotaBytes: setting({
    name: 'download-quota',
    kind: kinds.size,
    help: 'Most disk space for copies that people take along, besides as much again while one is made; 0 prepares none.',
    default: 50e9,
    defaultText: '50GB',
  }),
  personDownloadQuotaBytes: setting({
    name: 'download-quota-per-person',
    kind: kinds.size,
    help: 'Most of it for one person.',
    default: 20e9,
    defaultText: '20GB',
  }),
  downloadsKeptMs: setting({
    name: 'downloads-kept',
    kind: kinds.duration(1e3, 366 * 86_400e3),
    help: 'How long such a copy stays after it was made, or fetched last.',
    default: 7 * 86_400e3,
    defaultText: '7d',
  }),
  maxTranscodes: setting({
    name: 'max-transcodes',
    kind: kinds.integer(0, 64),
    help: 'Transcodes at once; 0 transcodes nothing.',
    // Each makes some minutes ahead of its viewer and then rests, so a core for each is plenty.
    default: Math.max(2, cores),
    defaultText: 'as many as processor cores, 2 at least',
  }),
  maxTranscodeHeightPx: setting<number | null>({
    name: 'max-transcode-height',
    kind: kinds.optional(kinds.integer(144, 4_320)),
    help: 'Largest picture that is encoded, by the height of one 16:9; larger ones are made smaller, or sent as they are.',
    // Measured: what the processor makes in time with room to spare.
    default: null,
    defaultText: '720 below six processor cores, else 1080',
  }),
  transcodeMemoryBytes: setting({
    name: 'transcode-memory',
    kind: kinds.size,
    help: 'Most memory of one process that makes segments; one that takes more is ended and begun again.',
    default: 2e9,
    defaultText: '2GB',
  }),
  maxStreamBps: setting<number | null>({
    name: 'max-stream-bitrate',
    kind: kinds.optional(kinds.bitrate),
    help: 'Most bits a second sent to one viewer; a movie that needs more is made smaller for them.',
    default: null,
    defaultText: 'none',
  }),
  maxStreamHeightPx: setting<number | null>({
    name: 'max-stream-height',
    kind: kinds.optional(kinds.integer(144, 8_640)),
    help: 'Largest picture sent, by the height of one 16:9, such as 1080; a larger one is made smaller.',
    default: null,
    defaultText: 'none',
  }),
  hardware: setting({
    name: 'hardware',
    kind: kinds.hardwareKind,
    help: 'What decodes and encodes pictures besides the processor: auto takes what works, off nothing, vaapi, qsv, nvenc, videotoolbox or vulkan that alone; vaapi:/dev/dri/renderD129 names the device.',
    default: 'auto',
    defaultText: 'auto',
  }),
  watchMode: setting<'auto' | 'events' | 'poll' | 'off'>({
    name: 'watch',
    kind: kinds.choice(['auto', 'events', 'poll', 'off']),
    help: 'How changes in the libraries are noticed; auto polls network folders.',
    default: 'auto',
    defaultText: 'auto',
  }),
  pollIntervalMs: setting({
    name: 'poll-interval',
    kind: kinds.duration(5e3, 86_400e3),
    help: 'How often a polled library is looked at.',
    default: 60e3,
    defaultText: '1m',
  }),
  sessionLifetimeMs: setting({
    name: 'session-lifetime',
    kind: kinds.duration(60e3, 366 * 86_400e3),
    help: 'How long a device stays signed in after its last visit.',
    default: 60 * 86_400e3,
    defaultText: '60d',
  }),
  deletionGraceMs: setting({
    name: 'deletion-grace',
    kind: kinds.duration(0, 3_660 * 86_400e3),
    help: 'How long a movie whose file is gone keeps its place, with what people did.',
    default: 30 * 86_400e3,
    defaultText: '30d',
  }),
  redisUrl: setting<Secret | null>({
    name: 'redis-url',
    kind: kinds.optional(kinds.redisUrl),
    help: 'A Redis server for the queue of background work: redis://user:password@host:6379/0.',
    default: null,
    defaultText: 'none: the queue is in Postgres',
    otherVariables: ['REDIS_URL'],
    isSecret: true,
  }),
  typesenseUrl: setting<Secret | null>({
    name: 'typesense-url',
    kind: kinds.optional(kinds.typesenseUrl),
    help: 'A Typesense server that searches the movies: http://host:8108. It needs its key as well.',
    default: null,
    defaultText: 'none: the built-in search',
    otherVariables: ['TYPESENSE_URL'],
    isSecret: true,
  }),
  typesenseApiKey: setting<Secret | null>({
    name: 'typesense-api-key',
    kind: kinds.optional(kinds.anySecret),
    help: 'The key of that server: one that may do everything with collections, documents and aliases.',
    default: null,
    defaultText: 'none',
    otherVariables: ['TYPESENSE_API_KEY'],
    isSecret: true,
  }),
  tmdbApiKey: setting<Secret | null>({
    name: 'tmdb-api-key',
    kind: kinds.optional(kinds.anySecret),
    help: 'Your key or token for TMDB, by which movies are recognised. Without it, the one from the settings page.',
    default: null,
    defaultText: 'none: asked for in the browser',
    otherVariables: ['TMDB_API_KEY'],
    isSecret: true,
  }),
  tmdbBaseUrl: setting({
    name: 'tmdb-base-url',
    kind: kinds.httpUrl,
    help: 'Where TMDB is asked, with the version of its interface.',
    default: 'https://api.themoviedb.org/3',
    defaultText: 'https://api.themoviedb.org/3',
    otherVariables: ['TMDB_BASE_URL'],
  }),
  proxyUrl: setting<Secret | null>({
    name: 'proxy',
    kind: kinds.optional(kinds.proxyUrl),
    help: 'A proxy through which TMDB is asked: http://user:password@proxy.example:3128.',
    default: null,
    defaultText: 'none',
    otherVariables: ['HTTPS_PROXY', 'https_proxy'],
    isSecret: true,
  }),
  tmdbImageUrl: setting({
    name: 'tmdb-image-url',
    kind: kinds.httpUrl,
    help: 'Where posters of TMDB come from. Only the server asks there, never a browser.',
    default: 'https://image.tmdb.org/t/p',
    defaultText: 'https://image.tmdb.org/t/p',
  }),
} as const;

export type SettingKey = keyof typeof SETTINGS;

export type SettingValue<K extends SettingKey> = (typeof SETTINGS)[K] extends Setting<infer T> ? T : never;

/** One row of `SETTINGS` without the type of its value, for code that treats all alike. */
export type AnySetting = Omit<Setting<unknown>, 'kind'> & { readonly kind: Kind<unknown> };

export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];

/** The row of a key, for code that treats all alike. */
export function settingOf(key: SettingKey): AnySetting {
  return SETTINGS[key];
}

/** `--admin-name`; `null` for a secret. */
export function flagOf({ name, isSecret }: AnySetting): string | null {
  return isSecret === true ? null : `--${name}`;
}

/** `MATINEE_ADMIN_NAME`, then the names that others gave. */
export function variablesOf({ name, otherVariables }: AnySetting): string[] {
  return [`MATINEE_${name.toUpperCase().replaceAll('-', '_')}`, ...(otherVariables ?? [])];
}

/** `adminName`. */
export function fileKeyOf({ name }: AnySetting): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
