import type { Viewer } from '#protocol/schema/account.ts';
import type { Sight } from './ports.ts';

/** Paths of the server are told to those who manage its libraries, hidden movies shown to those who edit [CAT1] [HIDE2]. */
export const sightOf = ({ permissions }: Viewer): Sight => ({
  withPaths: permissions.includes('libraries:manage'),
  withHidden: permissions.includes('movies:edit'),
});
