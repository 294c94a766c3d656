/** The calls of `libraries`. Rules: SPEC.md. */
import type { Handlers } from '#protocol/handler.ts';
import type { libraries } from '#protocol/index.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import type { LibraryDomain } from './library.ts';
import type { FolderPort, LibraryStore } from './ports.ts';
import { retryFile } from './retry-file.ts';
import type { ScanPorts } from './scan.ts';

/** Paths of the server are told to those who manage its libraries, to nobody else [CAT1]. */
const seesPaths = (viewer: Viewer): boolean => viewer.permissions.includes('libraries:manage');

export function createLibraryHandlers(
  domain: Pick<LibraryDomain, 'list' | 'add' | 'remove' | 'scan'>,
  ports: ScanPorts & { readonly libraries: LibraryStore; readonly folders: FolderPort },
): Handlers<typeof libraries> {
  const check = async (path: string) => {
    const known = await ports.libraries.list();
    return ports.folders.check(
      path,
      known.map((row) => row.path),
    );
  };

  return {
    list: async (_input, { viewer }) => ({ libraries: await domain.list(seesPaths(viewer)) }),
    async browse({ path }, { fail }) {
      const shown = await ports.folders.browse(path ?? null);
      return shown ?? fail('notFound', { what: 'folder', id: path ?? '' }, 'There is no such folder on the server.');
    },
    check: ({ path }) => check(path),
    async add({ path, name }, { fail }) {
      const checked = await check(path);
      if (checked.problem !== null) {
        return fail('folderProblem', { problem: checked.problem, check: checked }, 'This folder cannot be a library.');
      }
      const library = await domain.add(checked.path, name);
      if (library) return { library };
      const again = { ...checked, problem: 'alreadyALibrary' as const };
      return fail('folderProblem', { problem: again.problem, check: again }, 'This folder is a library already.');
    },
    async remove({ libraryId }, { fail }) {
      return (await domain.remove(libraryId)) ? {} : fail('notFound', { what: 'library', id: libraryId });
    },
    async scan({ libraryId }, { fail }) {
      const jobIds = await domain.scan(libraryId);
      return jobIds ? { jobIds } : fail('notFound', { what: 'library', id: libraryId ?? '' });
    },
    issues: ({ libraryId, offset, limit }) => ports.libraries.issues({ libraryId: libraryId ?? null, offset, limit }),
    async retryFile({ fileId }, { signal, fail }) {
      const outcome = await retryFile(ports, fileId, signal);
      return outcome ?? fail('notFound', { what: 'file', id: fileId });
    },
  };
}
