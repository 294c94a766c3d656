import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const TRIED_AGAIN = 'Run once more';
const PASSED_THEN = 'only at the second try';

const CONFIG = `export default { test: { include: ['*.test.js'] } };`;
const GOOD = `import { it } from 'vitest'; it('passes', () => {});`;
const BAD = `import { it } from 'vitest'; it('fails', () => { throw new Error('always'); });`;
/** Its second test passes only where the first has run before it, in an earlier life of the file. */
const STATEFUL = `import { existsSync, writeFileSync } from 'node:fs'; import { it } from 'vitest';
it('leaves something', () => { globalThis.wasThere = existsSync('met'); writeFileSync('met', ''); });
it('needs it', () => { if (!globalThis.wasThere) throw new Error('the first time'); });`;
/** Throws where no test hears it, in its first life only. */
const STARTLED = `import { existsSync, writeFileSync } from 'node:fs'; import { it } from 'vitest';
it('passes', () => { if (existsSync('met')) return; writeFileSync('met', ''); void Promise.reject(new Error('the first time')); });`;
const REJECTS = `import { it } from 'vitest'; it('passes', () => void Promise.reject(new Error('nobody hears it')));`;

/** Runs a suite of these files, as `npm test` does; exit code and output. */
async function runSuite(files: Readonly<Record<string, string>>): Promise<{ code: number; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'matinee-suite-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'vitest.config.js'), CONFIG);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const { VITEST: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(ROOT, 'test/run.ts')], { cwd: folder, env });
  const [[code], ...output] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, output: output.join('') };
}

describe('npm test', () => {
  it('passes where everything passes, at once', async () => {
    const { code, output } = await runSuite({ 'a.test.js': GOOD, 'b.test.js': GOOD });
    expect(code, output).toBe(0);
    expect(output).not.toContain(TRIED_AGAIN);
  });

  it.each([
    ['failed', STATEFUL],
    ['threw what no test caught', STARTLED],
  ])('runs a file that %s once more as a whole, and names it', async (_, first) => {
    const { code, output } = await runSuite({ 'a.test.js': first, 'b.test.js': GOOD });
    expect(code, output).toBe(0);
    expect(output).toContain(PASSED_THEN);
    expect(output.split(PASSED_THEN)[1]).toContain('a.test.js');
  });

  it.each([
    ['a file that fails twice', { 'a.test.js': BAD, 'b.test.js': STATEFUL }, true],
    ['many files', Object.fromEntries(Array.from('abcde', (name) => [`${name}.test.js`, BAD])), false],
    ['an error that no test caught, twice', { 'a.test.js': REJECTS }, true],
    ['nothing to run', {}, false],
  ])('fails for %s', async (_, files, isTriedAgain) => {
    const { code, output } = await runSuite(files);
    expect(code, output).toBe(1);
    expect(output.includes(TRIED_AGAIN)).toBe(isTriedAgain);
    expect(output).not.toContain(PASSED_THEN);
  });
});
