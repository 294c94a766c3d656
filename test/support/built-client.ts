/**
 * Builds the client once before all tests that show it in a browser. Each for itself would empty the folder that the engine of
 * another test is serving: a screen that is loaded when it is opened would be missing there for a moment.
 */
import { join } from 'node:path';
import { build } from 'vite';

const client = join(import.meta.dirname, '../../client');

export async function setup(): Promise<void> {
  await build({ root: client, configFile: join(client, 'vite.config.ts'), logLevel: 'error' });
}
