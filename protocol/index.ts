/** The whole contract as one value. The only barrel in the project: engine and client both start here. */
import type { Call } from './contract.ts';
import { account, session, users } from './methods/accounts.ts';
import { collections } from './methods/collections.ts';
import { downloads } from './methods/downloads.ts';
import { feed } from './methods/feeds.ts';
import { hardware } from './methods/hardware.ts';
import { jobs } from './methods/jobs.ts';
import { libraries } from './methods/libraries.ts';
import { metadata } from './methods/metadata.ts';
import { moments } from './methods/moments.ts';
import { movies } from './methods/movies.ts';
import { people } from './methods/people.ts';
import { playback } from './methods/playback.ts';
import { preferences } from './methods/preferences.ts';
import { progress } from './methods/progress.ts';
import { radarr } from './methods/radarr.ts';
import { screens } from './methods/screens.ts';
import { search } from './methods/search.ts';
import { server, setup } from './methods/server.ts';
import { subtitles } from './methods/subtitles.ts';

export const contract = {
  server,
  setup,
  session,
  account,
  users,
  feed,
  libraries,
  movies,
  moments,
  people,
  collections,
  metadata,
  playback,
  downloads,
  hardware,
  preferences,
  progress,
  jobs,
  radarr,
  screens,
  search,
  subtitles,
} as const;

/** Every call, in order of id. */
export const calls: readonly Call[] = Object.values(contract)
  .flatMap((group) => Object.values<Call>(group))
  .toSorted((a, b) => a.id - b.id);

export { feeds } from './feeds.ts';
export {
  account,
  collections,
  downloads,
  feed,
  hardware,
  jobs,
  libraries,
  metadata,
  moments,
  movies,
  people,
  playback,
  preferences,
  progress,
  radarr,
  screens,
  search,
  server,
  session,
  setup,
  subtitles,
  users,
};
