/** The calls of `movies` that put right what is known. Rules EDIT1 to EDIT8 and HIDE1 to HIDE3 of SPEC.md. */
import type { ParsedInputOf } from '#protocol/contract.ts';
import type { Handlers } from '#protocol/handler.ts';
import { MOVIE_FIELDS } from '#protocol/schema/movie.ts';
import type { MovieField } from '#protocol/schema/movie.ts';
import type { movies } from '#protocol/index.ts';
import type { BrowseIndex } from './browse-index.ts';
import type { EditStore, MovieChanges, MovieReader, PictureChoices } from './ports.ts';
import { sightOf } from './sight.ts';

type EditCalls = Pick<typeof movies, 'edit' | 'editMany' | 'undo' | 'hide' | 'pictures' | 'choosePicture' | 'tags'>;
type EditInput = ParsedInputOf<typeof movies.edit>;

export interface EditHandlerOptions {
  readonly edits: EditStore;
  readonly reader: Pick<MovieReader, 'movie'>;
  readonly pictures: Pick<PictureChoices, 'list'>;
  readonly index: BrowseIndex;
}

export function createEditHandlers({ edits, reader, pictures, index }: EditHandlerOptions): Handlers<EditCalls> {
  return {
    async edit({ movieId, ...changes }, { viewer, fail }) {
      const outcome = await edits.edit(viewer.id, [movieId], toChanges(changes));
      const movie = outcome.kind === 'done' ? await reader.movie(movieId, sightOf(viewer)) : null;
      if (outcome.kind !== 'done' || !movie) return fail('notFound', { what: 'movie', id: movieId });
      return { movie, editId: outcome.editId, changed: outcome.changed };
    },
    async editMany(input, { viewer, fail }) {
      const { movieIds, addToCollection, removeFromCollection } = input;
      const outcome = await edits.edit(viewer.id, [...new Set(movieIds)], toManyChanges(input));
      if (outcome.kind === 'done') return { editId: outcome.editId, changed: outcome.changed };
      const id = outcome.what === 'collection' ? (addToCollection ?? removeFromCollection) : movieIds[0];
      return fail('notFound', { what: outcome.what, id: id ?? '' });
    },
    async undo({ editId }, { fail }) {
      const outcome = await edits.undo(editId);
      if (outcome.kind === 'notFound') return fail('notFound', { what: 'edit', id: editId });
      if (outcome.kind === 'alreadyUndone') return fail('alreadyUndone', {}, 'This edit was taken back already.');
      return { changed: outcome.changed, kept: outcome.kept };
    },
    async hide({ movieId, isHidden }, { viewer, fail }) {
      const outcome = await edits.edit(viewer.id, [movieId], { isHidden });
      if (outcome.kind !== 'done') return fail('notFound', { what: 'movie', id: movieId });
      return { editId: outcome.editId, changed: outcome.changed };
    },
    async pictures({ movieId, role }, { fail }) {
      const found = await pictures.list(movieId, role);
      return found ? { pictures: found } : fail('notFound', { what: 'movie', id: movieId });
    },
    async choosePicture({ movieId, role, pictureId = null }, { viewer, fail }) {
      // Portraits are of people, whom nobody locks.
      const fields: readonly string[] = MOVIE_FIELDS;
      const locked = fields.includes(role) ? [role as MovieField] : [];
      const outcome = await edits.edit(viewer.id, [movieId], {
        picture: { role, pictureId },
        ...(pictureId === null ? { unlock: locked } : { lock: locked }),
      });
      if (outcome.kind !== 'done') {
        return fail('notFound', { what: outcome.what, id: outcome.what === 'picture' ? (pictureId ?? '') : movieId });
      }
      return { editId: outcome.editId, changed: outcome.changed };
    },
    tags: async () => ({ tags: await index.tags() }),
  };
}

/** What a person sets is locked, unless they say otherwise [EDIT2]. */
function toChanges(input: Omit<EditInput, 'movieId'>): MovieChanges {
  const { genres, keywords, studios, countries, tags, lock = [], unlock = [], ...values } = input;
  const set = { genres, keywords, studios, countries };
  const touched = [...Object.entries(values), ...Object.entries(set)].flatMap(([name, value]) =>
    value === undefined ? [] : [name as MovieField],
  );
  return {
    values: defined(values),
    terms: Object.fromEntries(
      Object.entries({ ...set, tags }).flatMap(([name, names]) =>
        names === undefined ? [] : [[name, { set: names }]],
      ),
    ),
    lock: [...new Set([...touched, ...lock])].filter((field) => !unlock.includes(field)),
    unlock,
  };
}

function toManyChanges(input: ParsedInputOf<typeof movies.editMany>): MovieChanges {
  const { addTags, removeTags, addGenres, removeGenres, certification, lock = [], unlock = [] } = input;
  const { isHidden, addToCollection, removeFromCollection } = input;
  const touched: MovieField[] = [];
  if (addGenres || removeGenres) touched.push('genres');
  if (certification !== undefined) touched.push('certification');
  return {
    values: certification === undefined ? {} : { certification },
    terms: {
      ...((addTags || removeTags) && { tags: { add: addTags ?? [], remove: removeTags ?? [] } }),
      ...((addGenres || removeGenres) && { genres: { add: addGenres ?? [], remove: removeGenres ?? [] } }),
    },
    lock: [...new Set([...touched, ...lock])].filter((field) => !unlock.includes(field)),
    unlock,
    ...(isHidden !== undefined && { isHidden }),
    ...(addToCollection !== undefined && { addToCollection }),
    ...(removeFromCollection !== undefined && { removeFromCollection }),
  };
}

/** Without what is absent. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
