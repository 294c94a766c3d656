/**
 * Loads uWebSockets.js, whose Linux binary was linked against glibc 2.38. Debian 12 has 2.36. Only three symbols of the
 * binary want the newer one, the C23 forms of strtol, strtoul and sscanf, and the old forms do the same for what it
 * parses. So where the plain load fails for that reason, a relinked copy is made in a cache folder and loaded.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type * as Uws from 'uWebSockets.js';

export type { Uws };

const require = createRequire(import.meta.url);
const NEWER_GLIBC = 'GLIBC_2.38';
const C23_PREFIX = '__isoc23_';

/** Of one relinked copy; loading it twice into a process would make two event loops. */
let loaded: typeof Uws | undefined;

/** Returns the library. `cacheFolder` takes the relinked copy where one is needed; it is made when missing. */
export function loadUws(cacheFolder: string): typeof Uws {
  // Read once, when the library is loaded. Its own limit of 4 KiB is soon reached: a browser sends the cookies of every
  // program that ever ran on this host name, whatever its port.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= '16384';
  loaded ??= loadPlain() ?? loadRelinked(cacheFolder);
  return loaded;
}

/** `undefined` where the system's C library is too old for it. */
function loadPlain(): typeof Uws | undefined {
  try {
    return require('uWebSockets.js') as typeof Uws;
  } catch (error) {
    if (String(error).includes(NEWER_GLIBC)) return undefined;
    throw error;
  }
}

function loadRelinked(cacheFolder: string): typeof Uws {
  const name = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  const binary = readFileSync(join(dirname(require.resolve('uWebSockets.js')), name));
  const digest = createHash('sha256').update(binary).digest('hex').slice(0, 16);
  try {
    return loadCopy(join(cacheFolder, `uws-${digest}.node`), binary);
  } catch (error) {
    // A data folder on a disk that is mounted noexec. The loader maps the file, so it may go at once.
    if (!/failed to map segment/.test(String(error))) throw error;
    const path = join(tmpdir(), `matinee-uws-${digest}-${process.pid}.node`);
    try {
      return loadCopy(path, binary);
    } finally {
      rmSync(path, { force: true });
    }
  }
}

function loadCopy(path: string, binary: Buffer): typeof Uws {
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const draft = `${path}.${process.pid}.draft`;
    rmSync(draft, { force: true });
    writeFileSync(draft, relinkForOldGlibc(binary), { mode: 0o500, flag: 'wx' });
    renameSync(draft, path);
  }
  const module = { exports: {} as typeof Uws };
  process.dlopen(module, path);
  return module.exports;
}

// ELF-64 as in the System V ABI and the Linux Standard Base, “Symbol Versioning”.
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const SHT_GNU_VERSYM = 0x6fffffff;
const SYMBOL_BYTES = 24;
const VER_FLG_WEAK = 2;
/** The oldest version that the architecture's glibc has: x86-64, then AArch64. */
const BASE_VERSIONS = ['GLIBC_2.2.5', 'GLIBC_2.17'];

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/**
 * Returns a copy of a shared object whose imports of `__isoc23_…` are the plain functions of the base version. Throws
 * where the file is not what this knows: a file half changed must never be loaded.
 */
export function relinkForOldGlibc(elf: Buffer): Buffer {
  const copy = Buffer.from(elf);
  const sections = readSections(copy);
  const symbols = sections.find(({ type }) => type === SHT_DYNSYM);
  const symbolVersions = sections.find(({ type }) => type === SHT_GNU_VERSYM);
  const neededVersions = sections.find(({ type }) => type === SHT_GNU_VERNEED);
  const strings = symbols && sections[symbols.link];
  if (!symbols || !symbolVersions || !neededVersions || !strings) throw new Error('the library has no symbol versions');
  const nameAt = (offset: number): string =>
    copy.toString('latin1', strings.offset + offset, copy.indexOf(0, strings.offset + offset));

  const baseVersion = weakenNewerVersion(copy, neededVersions, nameAt);
  let renamed = 0;
  for (let index = 0; index < symbols.size / SYMBOL_BYTES; index += 1) {
    const at = symbols.offset + index * SYMBOL_BYTES;
    const name = copy.readUInt32LE(at);
    if (!nameAt(name).startsWith(C23_PREFIX)) continue;
    // The plain name is the end of the same string.
    copy.writeUInt32LE(name + C23_PREFIX.length, at);
    copy.writeUInt16LE(baseVersion, symbolVersions.offset + index * 2);
    renamed += 1;
  }
  if (renamed === 0) throw new Error(`the library wants ${NEWER_GLIBC} for something other than C23 functions`);
  return copy;
}

function readSections(elf: Buffer): Section[] {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2 || elf[5] !== 1) {
    throw new Error('the library is not a little-endian ELF-64 file');
  }
  const start = Number(elf.readBigUInt64LE(0x28));
  const size = elf.readUInt16LE(0x3a);
  return Array.from({ length: elf.readUInt16LE(0x3c) }, (_, index) => {
    const at = start + index * size;
    return {
      type: elf.readUInt32LE(at + 4),
      offset: Number(elf.readBigUInt64LE(at + 24)),
      size: Number(elf.readBigUInt64LE(at + 32)),
      link: elf.readUInt32LE(at + 40),
    };
  });
}

/** Makes the loader accept a C library without the newer version, and returns the index of the base version. */
function weakenNewerVersion(elf: Buffer, section: Section, nameAt: (offset: number) => string): number {
  const indexes = new Map<string, number>();
  for (let need = section.offset, step = -1; step !== 0; need += step) {
    const isLibc = nameAt(elf.readUInt32LE(need + 4)) === 'libc.so.6';
    let entry = need + elf.readUInt32LE(need + 8);
    for (let left = elf.readUInt16LE(need + 2); left > 0; left -= 1) {
      const version = nameAt(elf.readUInt32LE(entry + 8));
      if (isLibc) indexes.set(version, elf.readUInt16LE(entry + 6));
      if (isLibc && version === NEWER_GLIBC) elf.writeUInt16LE(elf.readUInt16LE(entry + 4) | VER_FLG_WEAK, entry + 4);
      entry += elf.readUInt32LE(entry + 12);
    }
    step = elf.readUInt32LE(need + 12);
  }
  const base = BASE_VERSIONS.map((version) => indexes.get(version)).find((index) => index !== undefined);
  if (base === undefined) throw new Error('the library needs no version of glibc that this one has');
  return base;
}
