/** What the person who runs the server is told of TMDB. */
import type { HealthPort } from './ports.ts';
import type { TmdbState } from './tmdb/tmdb-client.ts';

const HEALTH_ID = 'tmdb';

export function showHealth(health: HealthPort, state: TmdbState['kind']): void {
  switch (state) {
    case 'ready':
      return health.clear(HEALTH_ID);
    case 'noKey':
      return health.set({
        id: HEALTH_ID,
        severity: 'info',
        title: 'Movies are called as their files are: there is no key for TMDB yet.',
        action: 'Get one free of charge at themoviedb.org and enter it in the settings. Everything else works without.',
      });
    case 'badKey':
      return health.set({
        id: HEALTH_ID,
        severity: 'warning',
        title: 'TMDB refuses the API key: no movie is recognised any more.',
        action: 'Enter another one in the settings.',
      });
    case 'away':
      return health.set({
        id: HEALTH_ID,
        severity: 'warning',
        title: 'TMDB does not answer: new movies wait to be recognised.',
        action:
          'Nothing needs to be done: it is asked again by itself. If this stays, look at the network or the proxy.',
      });
  }
}
