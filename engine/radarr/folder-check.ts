/** Whether what Radarr calls its folders can be read here, and which mapping would make it so. Rule CHECK1 of SPEC.md. */
import type { RadarrCheck, RadarrRootFolder } from '#protocol/schema/radarr.ts';
import { isAtOrBelow, mapPath, proposeMapping } from './path-map.ts';
import type { Places } from './placement.ts';
import type { FolderPort, RadarrStore } from './ports.ts';
import type { RadarrClient } from './radarr-client.ts';
import type { RootFolder } from './replies.ts';

export interface CheckPorts {
  readonly store: Pick<RadarrStore, 'foldersNamed'>;
  readonly folders: FolderPort;
}

/** Movies whose folders are compared with ours. */
const SAMPLE = 500;
const MAX_FOLDERS = 5_000;

export async function checkRadarr(
  ports: CheckPorts,
  client: RadarrClient,
  places: Places,
  signal: AbortSignal,
): Promise<RadarrCheck> {
  // First alone: what is not Radarr is not asked more.
  const status = await client.status(signal);
  const [profiles, roots, collections] = await Promise.all([
    client.qualityProfiles(signal),
    client.rootFolders(signal),
    client.collections(signal),
  ]);
  const looked = await Promise.all(roots.map((root) => look(ports, root, places)));
  const isUseful = (folder: RadarrRootFolder): boolean => folder.check?.problem === null && folder.libraries.length > 0;
  const rootFolders = looked.every(isUseful)
    ? looked
    : await withProposals(ports, client, looked, (folder) => !isUseful(folder), signal);
  return {
    instanceName: status.instanceName ?? 'Radarr',
    version: status.version,
    profiles: profiles.map(({ id, name, upgradeAllowed }) => ({ id, name, isUpgradeAllowed: upgradeAllowed })),
    rootFolders,
    collectionCount: collections.length,
  };
}

async function look(
  { folders }: CheckPorts,
  root: RootFolder,
  { mappings, libraries }: Places,
): Promise<RadarrRootFolder> {
  const mapped = mapPath(root.path, mappings);
  const ours = mapped.kind === 'mapped' ? mapped.path : null;
  return {
    path: root.path,
    isAccessible: root.accessible,
    ours,
    check: ours === null ? null : await folders.check(ours, []),
    libraries:
      ours === null
        ? []
        : libraries.filter(({ path }) => isAtOrBelow(ours, path) || isAtOrBelow(path, ours)).map(({ name }) => name),
    proposal: null,
  };
}

async function withProposals(
  { store, folders }: CheckPorts,
  client: RadarrClient,
  looked: readonly RadarrRootFolder[],
  isWanting: (folder: RadarrRootFolder) => boolean,
  signal: AbortSignal,
): Promise<RadarrRootFolder[]> {
  const sample: string[] = [];
  await client.movies(({ path, movieFile }) => {
    if (path !== null && movieFile !== null) sample.push(path);
    return sample.length < SAMPLE;
  }, signal);
  const names = [...new Set(sample.map((path) => path.split(/[\\/]/).findLast((name) => name !== '') ?? ''))];
  const ours = await store.foldersNamed(names, MAX_FOLDERS);
  return Promise.all(
    looked.map(async (folder) => {
      const proposal = isWanting(folder) ? proposeMapping(folder.path, sample, ours) : null;
      // What it leads to must be there: a proposal that fails as well helps nobody.
      const isGood = proposal !== null && (await folders.check(proposal.to, [])).problem === null;
      return isGood ? { ...folder, proposal } : folder;
    }),
  );
}
