import { CircleAlert, Info, TriangleAlert } from 'lucide-preact';
import { PROTOCOL_MAX } from '#protocol/version.ts';
import { useCinema, useLobby } from '../../house.ts';
import { Waiting } from '../../parts/state-page.tsx';
import { timeAgo } from '../../wording.ts';
import styles from './settings.module.css';

const ICONS = {
  info: <Info aria-label="Note" />,
  warning: <TriangleAlert aria-label="Warning" />,
  error: <CircleAlert aria-label="Error" />,
} as const;

export function ServerSettings() {
  const { health, server } = useCinema();
  const { session } = useLobby();
  const items = health?.items.value ?? null;
  if (items === null) return <Waiting />;
  return (
    <>
      <section class={styles.block} aria-labelledby="health-title">
        <div class={styles.head}>
          <h2 id="health-title">Health</h2>
        </div>
        {items.length === 0 ? (
          <p class={styles.note}>All is well. Anything that needs your hand will be listed here, with what to do.</p>
        ) : (
          <ul class={styles.rows}>
            {items.map((item) => (
              <li key={item.id} class={styles.row}>
                <div class={styles.health} data-severity={item.severity}>
                  {ICONS[item.severity]}
                  <div>
                    <span class={styles.name}>{item.title}</span>
                    <p>{item.action}</p>
                    <p class={styles.facts}>Since {timeAgo(item.since, server.now())}</p>
                  </div>
                </div>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section class={styles.block} aria-labelledby="about-title">
        <div class={styles.head}>
          <h2 id="about-title">About this server</h2>
        </div>
        <dl class={styles.list}>
          <div>
            <dt>Name</dt>
            <dd dir="auto">{session.serverName.value}</dd>
          </div>
          <div>
            <dt>Version</dt>
            <dd>{session.serverVersion.value}</dd>
          </div>
          <div>
            <dt>Protocol</dt>
            <dd>{PROTOCOL_MAX}</dd>
          </div>
          <div>
            <dt>For scripts</dt>
            <dd>
              <a href="/api/v1/docs" class={styles.link}>
                API documentation
              </a>
            </dd>
          </div>
        </dl>
      </section>
    </>
  );
}
