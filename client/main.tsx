/** The composition root of the client: line → stores → screens. The only file that builds everything. */
import './ui/tokens.css';
import './ui/face.css';
import './ui/base.css';
import { render } from 'preact';
import { Connection } from './net/connection.ts';
import { createHttpCalls } from './net/http-calls.ts';
import { watchPage } from './net/page-hints.ts';
import { liveUrl, webSocketOpener } from './net/socket.ts';
import { deviceMemory } from './store/memory.ts';
import { Navigation } from './store/navigation.ts';
import { Notices } from './store/notices.ts';
import { Preferences } from './store/preferences.ts';
import { CloseWatch, openServerLine } from './store/server-line.ts';
import { SessionStore } from './store/session.ts';
import { App } from './ui/app.tsx';
import { changeScreens } from './ui/transition.ts';

const serverUrl = location.origin;
const closes = new CloseWatch();
const connection = new Connection({
  openSocket: closes.watch(webSocketOpener(liveUrl(serverUrl))),
  client: { name: 'web', version: __MATINEE_VERSION__ },
});
watchPage(connection, { window, document });
const { server, link } = openServerLine({
  connection,
  http: createHttpCalls({ serverUrl, fetch: (url, init) => fetch(url, init) }),
  keepaliveHttp: createHttpCalls({ serverUrl, fetch: (url, init) => fetch(url, { ...init, keepalive: true }) }),
  closes,
});

const navigation = new Navigation();
navigation.animateWith((change, from, to) =>
  changeScreens(change, from.screen === 'movie' ? from.movieId : null, to.screen === 'play'),
);
const session = new SessionStore(server, link);

render(
  <App
    lobby={{ session, link, navigation, notices: new Notices(), preferences: new Preferences(deviceMemory) }}
    house={{ server, link, memory: deviceMemory }}
  />,
  document.getElementById('app')!,
);
void session.start();
