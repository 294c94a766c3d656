/**
 * The fonts that styled subtitles are drawn with where they become a part of the picture: those that the movie's file brings, then what
 * this machine has, then ours, so that a machine without any fonts draws, too.
 *
 * libass finds fonts through fontconfig, which is told by a file of its own. That names our fonts after the system's, and a folder to keep
 * in mind what it found: looking through a thousand fonts takes seconds the first time.
 */
import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

const STYLES = ['400-normal', '700-normal', '400-italic', '700-italic'] as const;
const UPRIGHT = ['400-normal', '700-normal'] as const;
/** Noto Sans in pieces, by letters. FreeType as FFmpeg brings it opens WOFF, and not WOFF2 (tried). */
const OURS: readonly (readonly [name: string, letters: readonly string[], styles: readonly string[]])[] = [
  [
    'noto-sans',
    ['latin', 'latin-ext', 'vietnamese', 'cyrillic', 'cyrillic-ext', 'greek', 'greek-ext', 'devanagari'],
    STYLES,
  ],
  ['noto-sans-arabic', ['arabic'], UPRIGHT],
  ['noto-sans-devanagari', ['devanagari'], UPRIGHT],
  ['noto-sans-hebrew', ['hebrew'], UPRIGHT],
  ['noto-sans-thai', ['thai'], UPRIGHT],
];
/** Where systems keep fonts; those that are not there are passed over. */
const SYSTEM_FOLDERS = ['/usr/share/fonts', '/usr/local/share/fonts', '/Library/Fonts', '/System/Library/Fonts'];
/** What scripts name most, and what is made to take its place. */
const ALIKE: readonly (readonly [named: string, drawn: string])[] = [
  ['Arial', 'Liberation Sans'],
  ['Helvetica', 'Liberation Sans'],
  ['Times New Roman', 'Liberation Serif'],
  ['Courier New', 'Liberation Mono'],
];

/** What whoever runs the server has set up. */
const THEIRS = process.env['FONTCONFIG_FILE'];

/** Tells fontconfig, for this process, of all fonts there are. `folder`: where what it finds is kept; made where it is missing. */
export function announceFonts(folder: string): void {
  const config = join(folder, 'fonts.conf');
  if (process.env['FONTCONFIG_FILE'] === config && existsSync(config)) return;
  writeFonts(folder, config);
  process.env['FONTCONFIG_FILE'] = config;
}

/** The fonts of a movie's file, by themselves: libass loads everything that lies in the folder that it is given. */
export function gatherFonts(from: string, into: string): void {
  mkdirSync(into, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(from)) {
    if (/^f\d{1,4}$/.test(name)) linkOnce(join(from, name), join(into, name));
  }
}

function writeFonts(folder: string, config: string): void {
  const own = join(folder, 'own');
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const { resolve } = createRequire(import.meta.url);
  for (const [name, letters, styles] of OURS) {
    const files = join(dirname(resolve(`@fontsource/${name}/package.json`)), 'files');
    for (const piece of letters) {
      for (const style of styles) {
        const path = join(files, `${name}-${piece}-${style}.woff`);
        linkOnce(path, join(own, basename(path)));
      }
    }
  }
  const part = `${config}.${process.pid}.part`;
  writeFileSync(part, fontConfig(folder, own), { mode: 0o600 });
  renameSync(part, config);
}

/** Leaves one alone that is right: a folder that changes is looked through anew. Several processes may do so at once. */
function linkOnce(path: string, link: string): void {
  try {
    if (readlinkSync(link) === path) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const part = `${link}.${process.pid}.part`;
  symlinkSync(path, part);
  renameSync(part, link);
}

function fontConfig(folder: string, own: string): string {
  return [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    '<fontconfig>',
    ...(THEIRS === undefined ? [] : [`<include ignore_missing="yes">${asXml(THEIRS)}</include>`]),
    ...SYSTEM_FOLDERS.map((path) => `<dir>${path}</dir>`),
    '<dir prefix="xdg">fonts</dir>',
    `<dir>${asXml(own)}</dir>`,
    `<cachedir>${asXml(join(folder, 'found'))}</cachedir>`,
    ...ALIKE.map(
      ([named, drawn]) =>
        `<alias binding="same"><family>${named}</family><accept><family>${drawn}</family></accept></alias>`,
    ),
    // Behind whatever was asked for: what stands in for fonts that nobody has.
    '<match target="pattern"><edit name="family" mode="append_last" binding="weak"><string>Noto Sans</string></edit></match>',
    '</fontconfig>',
    '',
  ].join('\n');
}

function asXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
