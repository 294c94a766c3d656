/**
 * `npm test`: every test, with the options of `vitest run`.
 *
 * Real servers, processes and browsers share two cores here, and the tests of a file build on what those before them did: a file that
 * failed is run once more as a whole, from nothing, and named at the end. Once is chance, and worth a look; twice is a defect. A run in
 * which much failed gets no second chance.
 */
import { relative } from 'node:path';
import { parseCLI, startVitest } from 'vitest/node';
import type { TestModule, Vitest } from 'vitest/node';

const MOST_TRIED_AGAIN = 4;

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
const first = await startVitest(filter, options);
const failed = failedIn(first);
if (mayTryAgain()) {
  await first.close();
  const names = failed.map(({ moduleId }) => `  ${relative(first.config.root, moduleId)}`).join('\n');
  console.error(`\nRun once more, from nothing:\n${names}\n`);
  process.exitCode = 0;
  const paths = failed.map(({ moduleId }) => moduleId);
  const second = await startVitest(paths, options);
  if (process.exitCode === 0) console.error(`Everything passed, but this only at the second try:\n${names}`);
  await second.exit();
} else {
  await first.exit();
}

function failedIn(vitest: Vitest): TestModule[] {
  return vitest.state.getTestModules().filter((module) => !module.ok());
}

function mayTryAgain(): boolean {
  return failed.length > 0 && failed.length <= MOST_TRIED_AGAIN && first.state.getUnhandledErrors().length === 0;
}
