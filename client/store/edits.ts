/** What this person puts right, and how it is taken back. Owns the latest edit of each movie since the page was opened. */
import { signal } from '@preact/signals';
import { isFailure } from '#protocol/errors.ts';
import { movies } from '#protocol/methods/movies.ts';
import type { InputOf, OutputOf } from '#protocol/contract.ts';
import type { Cinema } from './cinema.ts';
import type { Server } from './ports.ts';

export interface EditMade {
  /** `null` where nothing had to be changed. */
  readonly editId: string | null;
  readonly changed: number;
}

export type MovieChanges = Omit<InputOf<typeof movies.edit>, 'movieId'>;
export type ManyChanges = Omit<InputOf<typeof movies.editMany>, 'movieIds'>;
export type ChoosableRole = InputOf<typeof movies.pictures>['role'];
export type PictureChoice = OutputOf<typeof movies.pictures>['pictures'][number];

/** The edits of this person, the same for every screen. */
export function editsOf(cinema: Cinema): EditStore {
  return cinema.kept('edits', '', () => new EditStore(cinema.server));
}

export class EditStore {
  readonly #server: Server;
  readonly #latest = signal<ReadonlyMap<string, string>>(new Map());

  constructor(server: Server) {
    this.#server = server;
  }

  /** The edit of this movie that can be taken back, `null` where none was made here. Subscribes the caller. */
  latestOf(movieId: string): string | null {
    return this.#latest.value.get(movieId) ?? null;
  }

  async edit(movieId: string, changes: MovieChanges): Promise<EditMade> {
    return this.#keep([movieId], await this.#server.call(movies.edit, { movieId, ...changes }));
  }

  async editMany(movieIds: readonly string[], changes: ManyChanges): Promise<EditMade> {
    return this.#keep(movieIds, await this.#server.call(movies.editMany, { movieIds: [...movieIds], ...changes }));
  }

  async hide(movieId: string, isHidden: boolean): Promise<EditMade> {
    return this.#keep([movieId], await this.#server.call(movies.hide, { movieId, isHidden }));
  }

  /** `null`: whatever is best. */
  async choosePicture(movieId: string, role: ChoosableRole, pictureId: string | null): Promise<EditMade> {
    return this.#keep([movieId], await this.#server.call(movies.choosePicture, { movieId, role, pictureId }));
  }

  async pictures(movieId: string, role: ChoosableRole): Promise<readonly PictureChoice[]> {
    return (await this.#server.call(movies.pictures, { movieId, role })).pictures;
  }

  async tagNames(): Promise<readonly string[]> {
    return (await this.#server.call(movies.tags, {})).tags.map(({ name }) => name);
  }

  /** Fails with `alreadyUndone` or a common failure. `kept`: movies that were changed again since, and stay as they are. */
  async undo(editId: string): Promise<{ readonly changed: number; readonly kept: number }> {
    const forget = (): void => {
      this.#latest.value = new Map([...this.#latest.value].filter(([, id]) => id !== editId));
    };
    try {
      const undone = await this.#server.call(movies.undo, { editId });
      forget();
      return undone;
    } catch (error) {
      if (isFailure(error) && error.code === 'alreadyUndone') forget();
      throw error;
    }
  }

  dispose(): void {
    this.#latest.value = new Map();
  }

  #keep(movieIds: readonly string[], { editId, changed }: EditMade): EditMade {
    if (editId !== null) {
      this.#latest.value = new Map([...this.#latest.value, ...movieIds.map((id) => [id, editId] as const)]);
    }
    return { editId, changed };
  }
}
