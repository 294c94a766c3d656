/**
 * The one who browses and presses play in the `hostile` bench, in a process of its own, so that what the bench does to the server does not
 * delay the clock it is measured by.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { movies, playback } from '#protocol/index.ts';
import { Person } from '#test/support/person.ts';
import { answerWith } from '../program.ts';

/** A person clicks; what is measured is the answer to one call, and not how many fit into a second. */
const PAUSE_MS = 10;
const WINDOW = 50;

export interface Calls {
  readonly listMs: readonly number[];
  readonly openMs: readonly number[];
  /** A file of the client: what the server does without its database. */
  readonly fileMs: readonly number[];
}

let person: Person | null = null;

async function call({ url, movieId, forMs }: { url: string; movieId: string; forMs: number }): Promise<Calls> {
  person ??= await Person.signIn(url);
  const listMs: number[] = [];
  const openMs: number[] = [];
  const fileMs: number[] = [];
  for (const endMs = performance.now() + forMs; performance.now() < endMs;) {
    let beganMs = performance.now();
    await person.call(movies.list, { offset: 0, limit: WINDOW });
    listMs.push(performance.now() - beganMs);
    await wait(PAUSE_MS);
    beganMs = performance.now();
    await person.call(playback.open, { movieId });
    openMs.push(performance.now() - beganMs);
    await wait(PAUSE_MS);
    beganMs = performance.now();
    await (await fetch(new URL('/', url))).text();
    fileMs.push(performance.now() - beganMs);
    await wait(PAUSE_MS);
  }
  return { listMs, openMs, fileMs };
}

const answers = { call };
export type CallerProgram = typeof answers;
answerWith(answers);
