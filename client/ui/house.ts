/** What every screen can reach, handed down by `main.tsx`. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import type { HealthItem } from '#protocol/schema/health.ts';
import type { Cinema } from '#client/store/cinema.ts';
import type { Navigation, Route } from '#client/store/navigation.ts';
import type { Notices } from '#client/store/notices.ts';
import type { Link } from '#client/store/ports.ts';
import type { Preferences } from '#client/store/preferences.ts';
import type { SessionStore } from '#client/store/session.ts';
import { failureText } from './failure-text.ts';

/** Before anyone is signed in. */
export interface Lobby {
  readonly session: SessionStore;
  readonly link: Link;
  readonly navigation: Navigation;
  readonly notices: Notices;
  readonly preferences: Preferences;
  /** Someone is about to go there: what the screen needs is fetched meanwhile. */
  readonly prepare: (route: Route) => void;
}

export const LobbyContext = createContext<Lobby | null>(null);
export const CinemaContext = createContext<Cinema | null>(null);

export function useLobby(): Lobby {
  const lobby = useContext(LobbyContext);
  if (lobby === null) throw new Error('This part is drawn outside of LobbyContext. Draw it below App.');
  return lobby;
}

export function useCinema(): Cinema {
  const cinema = useContext(CinemaContext);
  if (cinema === null) throw new Error('This part needs a signed-in person. Draw it below CinemaContext.');
  return cinema;
}

/** The first library whose folder can't be used now, for those who may mend it; else `null`. */
export function useAwayFolder(): HealthItem | null {
  const { library, health } = useCinema();
  const found = (library.libraries.value ?? []).flatMap(({ id }) => health?.about(id) ?? []);
  return found.find(({ severity }) => severity === 'error') ?? null;
}

/** Runs something the person asked for; what fails is said in a notice. Resolves to whether it worked. */
export function useAttempt(): (action: () => Promise<unknown>, done?: string) => Promise<boolean> {
  const { notices } = useLobby();
  return async (action, done) => {
    try {
      await action();
    } catch (error) {
      if (!isFailure(error)) throw error;
      notices.show(failureText(error), 'bad');
      return false;
    }
    if (done !== undefined) notices.show(done);
    return true;
  };
}
