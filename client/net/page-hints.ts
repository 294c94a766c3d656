/** What a page knows of its line that a socket does not: it is seen again, the network changed. */
import type { Connection } from './connection.ts';

/** The part of `window` and `document` that is listened to. */
export interface PageEvents {
  addEventListener(name: string, listener: () => void): void;
  removeEventListener(name: string, listener: () => void): void;
}

/** `online` and `offline` are hints both: a server on this very machine is there without a network. */
const WINDOW_EVENTS = ['online', 'offline', 'pageshow', 'focus'] as const;

/** Looks at the connection whenever the page has reason to. Ends with the disposal of what it returns. */
export function watchPage(
  connection: Pick<Connection, 'check'>,
  page: { readonly window: PageEvents; readonly document: PageEvents },
): Disposable {
  const check = (): void => connection.check();
  for (const name of WINDOW_EVENTS) page.window.addEventListener(name, check);
  page.document.addEventListener('visibilitychange', check);
  return {
    [Symbol.dispose]: () => {
      for (const name of WINDOW_EVENTS) page.window.removeEventListener(name, check);
      page.document.removeEventListener('visibilitychange', check);
    },
  };
}
