/** What may be the matter with a folder of the server, and how to mend it. Beside the screens that say so. */
import type { FOLDER_PROBLEMS, FolderCheck } from '#protocol/schema/library.ts';

export interface FolderText {
  /** What is the matter, with the exact place. */
  readonly what: string;
  /** What the system says of that place, `null` where it was not asked. */
  readonly facts: string | null;
  /** What to do. */
  readonly mend: string;
  /** The command that does it, ready to copy; `null` where there is none. */
  readonly command: string | null;
}

/** A path as one word of a POSIX shell. */
function shellWord(path: string): string {
  return /^[\w/.,:=@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

type FolderProblem = (typeof FOLDER_PROBLEMS)[number];

const FOLDER_TEXTS: Readonly<Record<FolderProblem, (check: FolderCheck) => Omit<FolderText, 'facts'>>> = {
  notFound: ({ path, at }) =>
    at === null
      ? {
          what: `${path} is not a whole path.`,
          mend: 'Begin with the first /, as in /home/me/Movies, or choose from the list.',
          command: null,
        }
      : {
          what: `${path} does not exist on the server.`,
          mend: 'Check the spelling. In a container only mounted folders can be seen: mount it and start the container again.',
          command: null,
        },
  notADirectory: ({ path, at }) => ({
    what: `${at?.path ?? path} is a file, not a folder.`,
    mend: 'Choose the folder that holds it.',
    command: null,
  }),
  notReadable: ({ path, at, runsAs }) => ({
    what: `The server runs as ${runsAs}, which may not list ${at?.path ?? path}.`,
    mend: `Give ${runsAs} permission to read the folder and what is in it, on the server:`,
    command: `sudo setfacl -R -m u:${shellWord(runsAs)}:rX ${shellWord(at?.path ?? path)}`,
  }),
  notReachable: ({ path, at, runsAs }) => ({
    what: `The server runs as ${runsAs}, which may not pass through ${at?.path ?? path}.`,
    mend: `Let ${runsAs} pass through that folder (its contents stay private), on the server:`,
    command: `sudo setfacl -m u:${shellWord(runsAs)}:x ${shellWord(at?.path ?? path)}`,
  }),
  insideDataFolder: ({ path }) => ({
    what: `${path} is where Matinee keeps its own files.`,
    mend: 'Choose the folder your movies are in, or move them out of there.',
    command: null,
  }),
  alreadyALibrary: ({ path }) => ({
    what: `${path} is a library already.`,
    mend: 'There is nothing to do: it is scanned and watched.',
    command: null,
  }),
  insideALibrary: ({ path }) => ({
    what: `${path} lies inside another library, or holds one.`,
    mend: 'Its movies would show twice. Remove the other library first, or choose a folder beside it.',
    command: null,
  }),
};

/** `null` when there is no problem. */
export function folderText(check: FolderCheck): FolderText | null {
  if (check.problem === null) return null;
  return { ...FOLDER_TEXTS[check.problem](check), facts: folderFacts(check) };
}

function folderFacts({ path, problem, at }: FolderCheck): string | null {
  if (at === null) return null;
  // What is missing has no owner; how far the way goes tells a typing mistake from a disk that is not mounted.
  if (problem === 'notFound' && at.path !== path) return `The way to it ends at ${at.path}.`;
  return `${at.path} belongs to ${at.owner}:${at.group}, mode ${at.mode}.`;
}
