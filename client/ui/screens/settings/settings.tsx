import {
  Activity,
  BookOpen,
  CirclePlay,
  Cpu,
  FolderOpen,
  HeartPulse,
  RadioTower,
  UserRound,
  UsersRound,
} from 'lucide-preact';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { SettingsSection } from '#client/store/navigation.ts';
import type { Permission } from '#protocol/permission.ts';
import { useCinema, useLobby } from '../../house.ts';
import { Link } from '../../parts/link.tsx';
import { StatePage } from '../../parts/state-page.tsx';
import { AccountSettings } from './account.tsx';
import { ActivitySettings } from './activity.tsx';
import { HardwareSettings } from './hardware/hardware.tsx';
import { LibrarySettings } from './libraries.tsx';
import { MetadataSettings } from './metadata.tsx';
import { PeopleSettings } from './people.tsx';
import { PlaybackSettings } from './playback.tsx';
import { RadarrSettings } from './radarr/radarr.tsx';
import { ServerSettings } from './server.tsx';
import styles from './settings.module.css';

interface Section {
  readonly name: SettingsSection;
  readonly label: string;
  readonly icon: ComponentChildren;
  readonly permission: Permission;
  readonly draw: () => ComponentChildren;
}

const SECTIONS: readonly Section[] = [
  {
    name: 'libraries',
    label: 'Libraries',
    icon: <FolderOpen aria-hidden="true" />,
    permission: 'libraries:manage',
    draw: () => <LibrarySettings />,
  },
  {
    name: 'metadata',
    label: 'Metadata',
    icon: <BookOpen aria-hidden="true" />,
    permission: 'server:manage',
    draw: () => <MetadataSettings />,
  },
  {
    name: 'radarr',
    label: 'Radarr',
    icon: <RadioTower aria-hidden="true" />,
    permission: 'server:manage',
    draw: () => <RadarrSettings />,
  },
  {
    name: 'activity',
    label: 'Activity',
    icon: <Activity aria-hidden="true" />,
    permission: 'jobs:read',
    draw: () => <ActivitySettings />,
  },
  {
    name: 'people',
    label: 'People',
    icon: <UsersRound aria-hidden="true" />,
    permission: 'users:manage',
    draw: () => <PeopleSettings />,
  },
  {
    name: 'playback',
    label: 'Playback',
    icon: <CirclePlay aria-hidden="true" />,
    permission: 'self',
    draw: () => <PlaybackSettings />,
  },
  {
    name: 'account',
    label: 'Your account',
    icon: <UserRound aria-hidden="true" />,
    permission: 'self',
    draw: () => <AccountSettings />,
  },
  {
    name: 'hardware',
    label: 'Hardware',
    icon: <Cpu aria-hidden="true" />,
    permission: 'server:manage',
    draw: () => <HardwareSettings />,
  },
  {
    name: 'server',
    label: 'Server',
    icon: <HeartPulse aria-hidden="true" />,
    permission: 'server:manage',
    draw: () => <ServerSettings />,
  },
];

export function SettingsScreen({ section }: { readonly section: SettingsSection | null }) {
  const { session } = useLobby();
  const { viewer } = useCinema();
  const open = SECTIONS.filter(({ permission }) => permission === 'self' || session.may(permission));
  const current = section === null ? open[0] : open.find(({ name }) => name === section);
  const sections = useRef<HTMLElement>(null);
  useEffect(() => {
    // On phones they lie in a row that is wider than the screen.
    sections.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [current?.name]);
  useEffect(() => {
    if (current !== undefined) document.title = `${current.label} · Settings · Matinee`;
  }, [current?.label]);
  return (
    <div class={styles.settings}>
      <nav class={styles.sections} aria-label="Settings" data-spatial ref={sections}>
        <h1>Settings</h1>
        <ul>
          {open.map(({ name, label, icon }) => (
            <li key={name}>
              <Link
                to={{ screen: 'settings', section: name }}
                aria-current={name === current?.name ? 'page' : undefined}
              >
                {icon}
                {label}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div class={styles.section} key={current?.name}>
        {current === undefined ? (
          <StatePage title="Not for this account" level="h2">
            <p>These settings belong to the people who run the server. You are signed in as {viewer.name}.</p>
          </StatePage>
        ) : (
          current.draw()
        )}
      </div>
    </div>
  );
}
