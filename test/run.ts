/**
 * `npm test`: every test, with the options of `vitest run`.
 *
 * Real servers, processes and browsers share two cores here, and the tests of a file build on what those before them did: a file that
 * failed, or threw what no test caught, is run once more as a whole, from nothing, and named at the end. Once is chance, and worth a look;
 * twice is a defect. A run in which much failed, or something that belongs to no file, gets no second chance.
 */
import { relative } from 'node:path';
import { parseCLI, startVitest } from 'vitest/node';
import type { Vitest } from 'vitest/node';

const MOST_TRIED_AGAIN = 4;

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
const first = await startVitest(filter, options);
const failed = failedIn(first);
if (failed !== null && failed.length > 0 && failed.length <= MOST_TRIED_AGAIN) {
  await first.close();
  const names = failed.map((path) => `  ${relative(first.config.root, path)}`).join('\n');
  console.error(`\nRun once more, from nothing:\n${names}\n`);
  process.exitCode = 0;
  const second = await startVitest(failed, options);
  if (process.exitCode === 0) console.error(`Everything passed, but this only at the second try:\n${names}`);
  await second.exit();
} else {
  await first.exit();
}

/** The paths of the files that failed. Null: something failed that belongs to no file. */
function failedIn({ state }: Vitest): string[] | null {
  const paths = new Set<string>();
  for (const module of state.getTestModules()) if (!module.ok()) paths.add(module.moduleId);
  for (const error of state.getUnhandledErrors()) {
    const path = fileOf(error);
    if (path === null) return null;
    paths.add(path);
  }
  return [...paths];
}

/** In which file's run an error came up that no test caught, as Vitest notes it. */
function fileOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('VITEST_TEST_PATH' in error)) return null;
  return typeof error.VITEST_TEST_PATH === 'string' ? error.VITEST_TEST_PATH : null;
}
