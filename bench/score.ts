/**
 * How well Matinee does on material that others made: `npm run score -- KIND PATH [--json]`.
 *
 * With `--json`, stdout carries one JSON object a line: `{score, key, right, wrong, missing, accuracy}`. Without, a table.
 * Every difference goes to stderr, with what we say and what the reference says.
 */
import { resolve } from 'node:path';
import { scoreDecisions } from './score/decisions.ts';
import { scoreHostile } from './score/hostile.ts';
import { scoreNaming } from './score/naming.ts';
import { scoreMatching } from './score/matching.ts';
import { scoreProbe } from './score/probe.ts';
import { scoreSegments } from './score/segments.ts';
import { printTable } from './score/score-row.ts';
import type { ScoreRow } from './score/score-row.ts';

/** Each kind reads what lies at the path and returns its rows. What a person should know besides goes to stderr. */
const KINDS: Readonly<Record<string, (path: string) => Promise<ScoreRow[]>>> = {
  probe: scoreProbe,
  hostile: scoreHostile,
  matching: scoreMatching,
  naming: scoreNaming,
  decisions: scoreDecisions,
  segments: scoreSegments,
};

const args = process.argv.slice(2);
const isJson = args.includes('--json');
const [kind, path] = args.filter((argument) => argument !== '--json');
const score = kind === undefined ? undefined : KINDS[kind];
if (score === undefined || path === undefined) {
  console.error(`Usage: npm run score -- KIND PATH [--json]\n  KIND is one of: ${Object.keys(KINDS).join(', ')}`);
  process.exit(2);
}
const rows = await score(resolve(path));
if (isJson) for (const row of rows) console.log(JSON.stringify(row));
else printTable(rows);
