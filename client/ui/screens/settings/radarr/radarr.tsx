import { useEffect, useMemo } from 'preact/hooks';
import { RadarrLink } from '#client/store/radarr.ts';
import { useAttempt, useCinema } from '../../../house.ts';
import { Waiting } from '../../../parts/state-page.tsx';
import { ConnectionForm, ConnectionState } from './connection.tsx';
import { Folders } from './folders.tsx';
import { LatestMessages, Webhook } from './messages.tsx';

/** How Radarr and this server work together, in the order in which one sets it up. */
export function RadarrSettings() {
  const cinema = useCinema();
  const attempt = useAttempt();
  const link = useMemo(() => new RadarrLink(cinema.server), [cinema]);
  useEffect(() => () => link.dispose(), [link]);
  const status = link.status.value;
  const isSetUp = status !== null && status.url !== null && status.hasApiKey;
  useEffect(() => {
    if (isSetUp && link.check.peek() === null && !link.isChecking.peek()) void attempt(() => link.look());
  }, [link, isSetUp]);
  if (status === null) return <Waiting />;
  return (
    <>
      <ConnectionForm link={link} status={status} />
      <ConnectionState link={link} status={status} />
      {isSetUp && <Folders link={link} status={status} />}
      <Webhook link={link} status={status} />
      <LatestMessages link={link} status={status} />
    </>
  );
}
