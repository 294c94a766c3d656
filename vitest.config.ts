import { defineConfig } from 'vitest/config';

/**
 * The suffix of a test file says what it needs, and each need is one project, so `--project unit` runs
 * everything that needs nothing but Node, and a path alone finds its project by itself.
 */
const needs = {
  pg: 'Postgres',
  redis: 'a Redis server',
  av: 'node-av and media files',
  e2e: 'a browser',
};

const suffixed = Object.keys(needs).map((suffix) => `**/*.${suffix}.test.{ts,tsx}`);
const never = ['**/node_modules/**', 'client/dist/**'];
const everything = ['protocol', 'engine', 'client', 'bench', 'test'].map((folder) => `${folder}/**/*.test.{ts,tsx}`);

interface Conditions {
  readonly globalSetup?: string[];
}

function project(name: string, include: string[], exclude: string[], timeoutMs: number, conditions: Conditions = {}) {
  return {
    extends: true as const,
    test: {
      ...{ name, include, ...conditions },
      exclude: [...never, ...exclude],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      // How long to wait for something that must come, on a machine that has other things to do.
      expect: { poll: { timeout: timeoutMs / 3, interval: 20 } },
    },
  };
}

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    // uWebSockets.js aborts the process when a worker thread that runs it is terminated, so never `threads`.
    pool: 'forks',
    maxWorkers: 2,
    // A test that leaves a spy or a fake clock behind must not decide the next one.
    restoreMocks: true,
    unstubEnvs: true,
    projects: [
      project('unit', everything, [...suffixed, 'test/integration/**', 'test/e2e/**'], 90_000),
      project('pg', ['**/*.pg.test.ts'], ['test/e2e/**'], 120_000),
      project('redis', ['**/*.redis.test.ts'], ['test/e2e/**'], 120_000),
      project('av', ['**/*.av.test.ts'], ['test/e2e/**'], 120_000),
      project('integration', ['test/integration/**/*.test.ts'], suffixed, 240_000),
      project('e2e', ['**/*.e2e.test.ts', 'test/e2e/**/*.test.ts'], [], 240_000, {
        globalSetup: ['test/support/built-client.ts'],
      }),
    ],
  },
});
