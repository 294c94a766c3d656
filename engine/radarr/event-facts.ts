/** What is kept of a message of Radarr's webhook: which movie, which of its files are there now, and where something came or went. */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { joinRadarrPath } from './path-map.ts';
import type { EventFacts } from './ports.ts';
import type { WebhookMessage } from './replies.ts';

/** Something came, went or changed on disk. */
const OF_FILES: ReadonlySet<string> = new Set(['Download', 'Rename', 'MovieFileDelete', 'MovieDelete']);
/** Told, and nothing to do. */
const NOTED: ReadonlySet<string> = new Set([
  'Grab',
  'Health',
  'HealthRestored',
  'ApplicationUpdate',
  'ManualInteractionRequired',
]);

/** `test` and `noted` touch nothing; `movie`: what Radarr knows of it is looked up; `files`: that, and its places are looked at. */
export function kindOfWork(eventType: string): 'test' | 'noted' | 'movie' | 'files' | 'unknown' {
  if (eventType === 'Test') return 'test';
  if (eventType === 'MovieAdded') return 'movie';
  if (OF_FILES.has(eventType)) return 'files';
  return NOTED.has(eventType) ? 'noted' : 'unknown';
}

interface NamedFile {
  readonly path: string | null;
  readonly relativePath: string | null;
}

/** Where a file is: in its movie's folder. The path itself was that of the download in version 3. */
function pathOf({ path, relativePath }: NamedFile, folder: string | null): string | null {
  return (folder !== null && relativePath !== null ? joinRadarrPath(folder, relativePath) : null) ?? path;
}

export function factsOf(message: WebhookMessage): EventFacts {
  const { eventType, movie, movieFile, renamedMovieFiles, deletedFiles } = message;
  const folderPath = movie?.folderPath ?? null;
  const renamed = renamedMovieFiles.at(-1) ?? null;
  const current = eventType === 'Download' ? movieFile : eventType === 'Rename' ? renamed : null;
  const deleted = Array.isArray(deletedFiles) ? deletedFiles : [];
  const paths = OF_FILES.has(eventType)
    ? [
        folderPath,
        ...[movieFile, ...renamedMovieFiles, ...deleted].map((file) => file && pathOf(file, folderPath)),
        ...renamedMovieFiles.map(({ previousPath, previousRelativePath }) =>
          pathOf({ path: previousPath, relativePath: previousRelativePath }, folderPath),
        ),
      ]
    : [];
  return {
    kind: eventType,
    instance: message.instanceName,
    radarrId: movie?.id ?? null,
    tmdbId: movie?.tmdbId ?? null,
    imdbId: movie?.imdbId ?? null,
    title: movie?.title ?? null,
    year: movie?.year ?? null,
    folderPath,
    filePath: current && pathOf(current, folderPath),
    radarrFileId: current?.id ?? null,
    quality: current?.quality ?? null,
    sizeBytes: current?.size ?? null,
    paths: [...new Set(paths.filter((path) => path !== null))],
  };
}

const orNull = <S extends v.GenericSchema>(schema: S) => v.nullable(schema);

/** Facts as an earlier version of ours may have written them. */
export const StoredFacts = v.object({
  kind: v.string(),
  instance: orNull(v.string()),
  radarrId: orNull(v.number()),
  tmdbId: orNull(v.number()),
  imdbId: orNull(v.string()),
  title: orNull(v.string()),
  year: orNull(v.number()),
  folderPath: orNull(v.string()),
  filePath: orNull(v.string()),
  radarrFileId: orNull(v.number()),
  quality: orNull(v.string()),
  sizeBytes: orNull(v.number()),
  paths: v.array(v.string()),
}) satisfies v.GenericSchema<unknown, EventFacts>;

/** Messages of one movie are dealt with one after the other; those about none are one such line as well. */
export const subjectKeyOf = ({ instance, radarrId }: EventFacts): string =>
  radarrId === null ? '' : `${instance ?? ''}/${radarrId}`;

/** Two messages that say the same have the same digest. */
export const digestOf = (facts: EventFacts, message: WebhookMessage): string =>
  createHash('sha256')
    .update(JSON.stringify([facts, message.isUpgrade, message.message]))
    .digest('base64url');
