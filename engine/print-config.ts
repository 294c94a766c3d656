/** `npm run config`: the effective configuration, with where each value came from and secrets «redacted». */
import { StartRefusal } from './base/start-refusal.ts';
import { effectiveText } from './config-text.ts';
import { configSources, readConfig } from './config.ts';

try {
  process.stdout.write(effectiveText(readConfig(configSources(process.argv.slice(2)))));
} catch (error) {
  if (!(error instanceof StartRefusal)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
