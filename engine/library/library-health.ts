/** What is wrong with a library, for the person who runs the server: each with what to do about it, exactly. */
import type { HealthItem } from '#protocol/schema/health.ts';
import type { LibraryRow, WatchNews } from './ports.ts';

type Finding = Omit<HealthItem, 'since'>;
type Named = Pick<LibraryRow, 'id' | 'name' | 'path'>;

export const unavailableId = ({ id }: Pick<Named, 'id'>): string => `libraryUnavailable/${id}`;
export const watchId = ({ id }: Pick<Named, 'id'>): string => `watchLimit/${id}`;

/** Why nothing of a library was marked as gone [SCAN9]. `code` as in `LibraryUnavailable`. */
export function unavailableFinding(library: Named, code: string): Finding {
  const { title, action } = unavailableText(library, code);
  return { id: unavailableId(library), severity: 'error', title, action: `${action} Nothing was forgotten meanwhile.` };
}

function unavailableText({ name, path }: Named, code: string): { title: string; action: string } {
  switch (code) {
    case 'ENOENT':
      return {
        title: `The folder of the library “${name}” is not there: ${path}.`,
        action:
          'Connect or mount its disk or share. If the folder moved for good, remove the library and add the new folder.',
      };
    case 'emptied':
      return {
        title: `None of the movies of the library “${name}” is in ${path} any more.`,
        action:
          'Most likely its disk or share is not mounted: mount it. If you emptied the folder yourself, remove the library, or put a movie into it and scan again.',
      };
    case 'ENOTDIR':
      return { title: `${path}, the folder of the library “${name}”, is a file now.`, action: 'Put the folder back.' };
    case 'EACCES':
    case 'EPERM':
      return {
        title: `The folder of the library “${name}” may not be read: ${path}.`,
        action: `Give the user that Matinee runs as permission to read and enter it: sudo chmod o+rx '${path}', or add that user to the folder's group.`,
      };
    case 'ETIMEDOUT':
      return {
        title: `The disk or share of the library “${name}” does not answer: ${path}.`,
        action: 'Check the network share or the disk. It is looked at again every few seconds.',
      };
    default:
      return {
        title: `The folder of the library “${name}” cannot be read (${code}): ${path}.`,
        action: 'Check the disk or share that it lies on; the system log (dmesg) tells more.',
      };
  }
}

/** Why a library is polled although events were asked for [WATCH6]. */
export function watchFinding(library: Named, news: Exclude<WatchNews, { kind: 'changed' }>): Finding {
  const common = { id: watchId(library), severity: 'warning' } as const;
  if (news.kind === 'failed') {
    return {
      ...common,
      title: `Watching the library “${library.name}” failed; it is looked at at intervals instead.`,
      action: 'The log tells why. Restart Matinee to try again.',
    };
  }
  const { limit, allowed, folders } = news;
  const wanted =
    limit === 'watches'
      ? nextPowerOfTwo(Math.max(524_288, 2 * ((allowed ?? 0) + folders)))
      : nextPowerOfTwo(Math.max(512, 2 * (allowed ?? 0)));
  const name = `fs.inotify.max_user_${limit}`;
  return {
    ...common,
    title: `The system watches no more ${limit === 'watches' ? 'folders' : 'programs'} (${name}${allowed === null ? '' : ` is ${allowed}`}); the library “${library.name}” with its ${folders} folders is looked at at intervals instead.`,
    action: `Run: echo '${name}=${wanted}' | sudo tee /etc/sysctl.d/60-matinee-${limit}.conf && sudo sysctl --system. Then restart Matinee. In a container, run it on the host.`,
  };
}

const nextPowerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(value));
