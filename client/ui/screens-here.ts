/** The store of a person's screens, made when the first part of the page asks for it, and one for all of them. */
import { deviceName } from '#client/player/device-name.ts';
import type { Cinema } from '#client/store/cinema.ts';
import { ScreenStore } from '#client/store/screens.ts';
import type { Lobby } from './house.ts';

export function screensOf(
  cinema: Cinema,
  { navigation, preferences }: Pick<Lobby, 'navigation' | 'preferences'>,
): ScreenStore {
  return cinema.kept('screens', '', () => {
    const store = new ScreenStore({
      ...{ server: cinema.server, link: cinema.link, preferences },
      name: deviceName(navigator.userAgent),
      openMovie: (movieId, fileId) =>
        navigation.go(
          { screen: 'play', movieId, fileId, isFromStart: false },
          { replace: navigation.route.peek().screen === 'play' },
        ),
    });
    addEventListener('pagehide', () => store.hideOnLeave());
    return store;
  });
}
