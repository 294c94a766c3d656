/** Movies written straight into the tables with everything that is told of them, as a scan and a catalogue would have, for tests and benches. */
import { createUuidFactory } from '#engine/base/ids.ts';
import { systemClock } from '#engine/base/clock.ts';
import { recordChanges } from '#engine/store/postgres/change-feed.ts';
import type { Sql } from '#engine/store/postgres/connect.ts';

export interface WrittenMovie {
  readonly title: string;
  readonly originalTitle?: string;
  readonly otherTitles?: readonly string[];
  readonly year?: number;
  readonly overview?: string;
  readonly votes?: number;
  readonly cast?: readonly string[];
  readonly directors?: readonly string[];
  readonly genres?: readonly string[];
  readonly isHidden?: boolean;
  /** A series that it is a part of. */
  readonly series?: string;
}

const newId = createUuidFactory(systemClock);

/** Writes one movie with its change; people, series and genres of a known name are those known. Returns its id. */
export async function writeMovie(sql: Sql, movie: WrittenMovie): Promise<string> {
  const id = newId();
  await sql.begin(async (tx) => {
    await tx`
      insert into movie (id, title, original_title, year, overview, vote_count, popularity, rating, match, hidden_at, is_playable, status)
      values (${id}, ${movie.title}, ${movie.originalTitle ?? null}, ${movie.year ?? null}, ${movie.overview ?? null},
        ${movie.votes ?? null}, ${movie.votes === undefined ? null : movie.votes / 100}, ${movie.votes === undefined ? null : 7},
        'matched', ${movie.isHidden === true ? new Date() : null}, true, 'Released')`;
    for (const title of movie.otherTitles ?? []) {
      await tx`insert into alternative_title (movie_id, title) values (${id}, ${title})`;
    }
    const credits = [
      ...(movie.cast ?? []).map((name) => ({ name, kind: 'cast', role: 'Somebody', department: null })),
      ...(movie.directors ?? []).map((name) => ({ name, kind: 'crew', role: 'Director', department: 'Directing' })),
    ];
    for (const [position, { name, kind, role, department }] of credits.entries()) {
      const [known] = await tx<{ id: string }[]>`select id from person where name = ${name}`;
      const personId = known?.id ?? newId();
      if (!known) {
        const knownFor = kind === 'cast' ? 'Acting' : 'Directing';
        await tx`insert into person (id, name, known_for, popularity) values (${personId}, ${name}, ${knownFor}, 10)`;
      }
      await tx`
        insert into credit (movie_id, person_id, kind, role, department, position)
        values (${id}, ${personId}, ${kind}, ${role}, ${department}, ${position})`;
    }
    for (const [position, name] of (movie.genres ?? []).entries()) {
      await tx`insert into term (kind, name) values ('genre', ${name}) on conflict do nothing`;
      await tx`
        insert into movie_term (movie_id, term_id, position)
        select ${id}, id, ${position} from term where kind = 'genre' and name_key = fold_text(${name})`;
    }
    const changes = [{ feed: 'library', audience: null, kind: 'movie', entityId: id }];
    if (movie.series !== undefined) {
      const [known] = await tx<{ id: string }[]>`select id from collection where name = ${movie.series}`;
      const collectionId = known?.id ?? newId();
      if (!known) await tx`insert into collection (id, kind, name) values (${collectionId}, 'series', ${movie.series})`;
      await tx`
        insert into collection_movie (collection_id, movie_id, position)
        select ${collectionId}, ${id}, count(*) from collection_movie where collection_id = ${collectionId}`;
      changes.push({ feed: 'library', audience: null, kind: 'collection', entityId: collectionId });
    }
    await recordChanges(tx, changes);
  });
  return id;
}

/** Changes columns of a movie as an edit would, and says so in the feed. */
export async function changeMovie(
  sql: Sql,
  movieId: string,
  changes: { readonly title?: string; readonly isHidden?: boolean; readonly isDeleted?: boolean },
): Promise<void> {
  await sql.begin(async (tx) => {
    if (changes.title !== undefined) await tx`update movie set title = ${changes.title} where id = ${movieId}`;
    if (changes.isHidden !== undefined) {
      await tx`update movie set hidden_at = ${changes.isHidden ? new Date() : null} where id = ${movieId}`;
    }
    if (changes.isDeleted !== undefined) {
      await tx`update movie set deleted_at = ${changes.isDeleted ? new Date() : null} where id = ${movieId}`;
    }
    await recordChanges(tx, [{ feed: 'library', audience: null, kind: 'movie', entityId: movieId }]);
  });
}
