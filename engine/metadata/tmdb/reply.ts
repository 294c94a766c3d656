/**
 * What TMDB answers, read with distrust: an entry of a list that makes no sense costs itself, a field that makes no sense
 * counts as absent, and only a reply without what it is about is refused as a whole. Every text is bounded and can be
 * stored; every path of a picture is a plain name.
 */
import * as v from 'valibot';

const MAX_ID = 2_147_483_647;
const Id = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(MAX_ID));

/** Text without what a database or a screen trips over; `null` where nothing is left. */
const text = (limit: number) =>
  v.pipe(
    v.unknown(),
    v.transform((value) => (typeof value === 'string' ? cleanText(value, limit) : null)),
  );

export function cleanText(value: string, limit: number): string | null {
  const tidy = value
    .slice(0, limit * 2)
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g, ' ')
    .toWellFormed()
    .trim();
  const short = tidy
    .slice(0, limit)
    .replace(/[\ud800-\udbff]$/, '')
    .trim();
  return short === '' ? null : short;
}

/** Entries that fit, at most `limit` of the first `limit * 4`; anything but a list is an empty one. */
function list<const S extends v.GenericSchema>(entry: S, limit: number) {
  return v.pipe(
    v.unknown(),
    v.transform((value): v.InferOutput<S>[] => {
      const fitting: v.InferOutput<S>[] = [];
      if (!Array.isArray(value)) return fitting;
      for (const candidate of value.slice(0, limit * 4)) {
        const parsed = v.safeParse(entry, candidate);
        if (parsed.success) fitting.push(parsed.output);
        if (fitting.length === limit) break;
      }
      return fitting;
    }),
  );
}

/** The list behind a key of a block; an empty one where the block is anything else. */
function block<const S extends v.GenericSchema>(key: string, entry: S, limit: number) {
  return v.pipe(
    v.unknown(),
    v.transform((value) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : [],
    ),
    list(entry, limit),
  );
}

const numberBetween = (least: number, most: number) =>
  v.pipe(
    v.unknown(),
    v.transform((value) => (typeof value === 'number' && value >= least && value <= most ? value : null)),
  );

const whole = (least: number, most: number) =>
  v.pipe(
    numberBetween(least, most),
    v.transform((value) => (value === null ? null : Math.round(value))),
  );

/** `YYYY-MM-DD` of a date or a time; `null` for '' and for days that are none. */
const date = v.pipe(
  v.unknown(),
  v.transform((value) => (typeof value === 'string' ? toDate(value) : null)),
);

function toDate(value: string): string | null {
  const day = /^(?:18[7-9]\d|19\d\d|2[01]\d\d)-\d{2}-\d{2}/.exec(value)?.[0];
  if (day === undefined) return null;
  const time = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== day ? null : day;
}

const pattern = (form: RegExp) =>
  v.pipe(
    v.unknown(),
    v.transform((value) => (typeof value === 'string' && form.test(value) ? value : null)),
  );

const picturePath = pattern(/^\/[\w-]{1,120}\.(?:jpe?g|png|webp)$/i);
const language = pattern(/^[a-z]{2,3}$/);
const country = pattern(/^[A-Z]{2}$/);
const imdbId = pattern(/^tt\d{6,10}$/);

const name = (limit: number) =>
  v.pipe(
    v.string(),
    v.transform((value) => cleanText(value, limit)),
    v.string(),
  );

const shortEntries = {
  id: Id,
  title: text(500),
  original_title: text(500),
  original_language: language,
  overview: text(10_000),
  release_date: date,
  poster_path: picturePath,
  popularity: numberBetween(0, 1e9),
  vote_count: whole(0, MAX_ID),
};

/** A movie as lists have it. */
const ShortReply = v.pipe(
  v.object(v.entriesFromObjects([v.object(shortEntries)])),
  v.check(({ title, original_title }) => title !== null || original_title !== null),
  v.transform((movie) => ({
    tmdbId: movie.id,
    title: movie.title ?? movie.original_title ?? '',
    originalTitle: movie.original_title,
    originalLanguage: movie.original_language,
    overview: movie.overview,
    releaseDate: movie.release_date,
    year: movie.release_date === null ? null : Number(movie.release_date.slice(0, 4)),
    posterPath: movie.poster_path,
    popularity: movie.popularity ?? 0,
    voteCount: movie.vote_count ?? 0,
  })),
);
export type ShortMovie = v.InferOutput<typeof ShortReply>;

const resultsOf = (key: string) =>
  v.pipe(
    v.looseObject({ [key]: v.array(v.unknown()) }),
    v.transform((reply): unknown => reply[key]),
    list(lenient(ShortReply), 100),
  );

/** Absent keys count as `undefined` and not as an error: which keys there are has changed over the years. */
function lenient<const S extends v.GenericSchema>(schema: S) {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, v.InferOutput<S>>(({ dataset: { value }, addIssue, NEVER }) => {
      const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
      const parsed = isObject ? v.safeParse(schema, { ...ABSENT, ...value }) : null;
      if (parsed?.success === true) return parsed.output;
      addIssue({ message: parsed?.issues[0].message ?? 'is no object' });
      return NEVER;
    }),
  );
}
const ABSENT: Readonly<Record<string, undefined>> = Object.fromEntries(
  [
    'title', 'original_title', 'original_language', 'overview', 'release_date', 'poster_path', 'popularity', 'vote_count', 'vote_average', 'backdrop_path',
    'belongs_to_collection', 'genres', 'imdb_id', 'production_companies', 'production_countries', 'runtime', 'status', 'tagline', 'credits', 'images',
    'release_dates', 'videos', 'similar', 'external_ids', 'keywords', 'alternative_titles', 'translations', 'character', 'order', 'profile_path', 'department',
    'known_for_department', 'iso_639_1', 'iso_3166_1', 'certification', 'width', 'height', 'type', 'official', 'site', 'data', 'name', 'parts', 'origin_country', 'biography', 'birthday', 'deathday', 'place_of_birth',
  ].map((key) => [key, undefined]),
); // prettier-ignore

export const SearchReply = resultsOf('results');
export const FindReply = resultsOf('movie_results');

const Named = v.object({ id: Id, name: name(300) });

const Person = {
  id: Id,
  name: name(300),
  profile_path: picturePath,
  known_for_department: text(100),
  popularity: numberBetween(0, 1e9),
};
const CastReply = lenient(v.object({ ...Person, character: text(500), order: whole(0, 100_000) }));
const CrewReply = lenient(v.object({ ...Person, job: name(200), department: text(100) }));

const ImageReply = lenient(
  v.object({
    file_path: v.pipe(picturePath, v.string()),
    iso_639_1: language,
    width: whole(1, 30_000),
    height: whole(1, 30_000),
    vote_average: numberBetween(0, 10),
  }),
);

const ReleaseReply = v.object({
  iso_3166_1: v.pipe(country, v.string()),
  release_dates: list(
    lenient(
      v.object({
        release_date: v.pipe(date, v.string()),
        type: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(6)),
        certification: text(50),
      }),
    ),
    40,
  ),
});

const VideoReply = lenient(
  v.object({
    key: v.pipe(v.string(), v.regex(/^[\w-]{4,40}$/)),
    site: v.picklist(['YouTube', 'Vimeo']),
    type: text(50),
    official: v.pipe(
      v.unknown(),
      v.transform((value) => value === true),
    ),
    iso_639_1: language,
  }),
);

const TranslationReply = lenient(
  v.object({
    iso_639_1: v.pipe(language, v.string()),
    iso_3166_1: country,
    data: v.pipe(
      v.record(v.string(), v.unknown()),
      v.transform((value) => ({ ...ABSENT, ...value })),
      v.object({ title: text(500), overview: text(10_000), tagline: text(1_000) }),
    ),
  }),
);

const CollectionShort = v.nullable(v.object({ id: Id, name: name(500) }));

const orNull = <const S extends v.GenericSchema>(schema: S) =>
  v.pipe(
    v.unknown(),
    v.transform((value): v.InferOutput<S> | null => {
      const parsed = v.safeParse(schema, value);
      return parsed.success ? parsed.output : null;
    }),
  );

/** A movie with all that was asked for beside it. */
export const DetailsReply = lenient(
  v.pipe(
    v.object({
      ...shortEntries,
      imdb_id: imdbId,
      runtime: whole(1, 6_000),
      status: text(50),
      tagline: text(1_000),
      vote_average: numberBetween(0, 10),
      genres: list(Named, 50),
      production_companies: list(Named, 100),
      production_countries: list(v.object({ iso_3166_1: v.pipe(country, v.string()), name: name(200) }), 100),
      belongs_to_collection: orNull(CollectionShort),
      backdrop_path: picturePath,
      credits: v.pipe(
        v.unknown(),
        v.transform((value) => ({
          cast: v.parse(block('cast', CastReply, 300), value),
          crew: v.parse(block('crew', CrewReply, 500), value),
        })),
      ),
      images: v.pipe(
        v.unknown(),
        v.transform((value) => ({
          posters: v.parse(block('posters', ImageReply, 40), value),
          backdrops: v.parse(block('backdrops', ImageReply, 40), value),
          logos: v.parse(block('logos', ImageReply, 20), value),
        })),
      ),
      release_dates: block('results', ReleaseReply, 250),
      videos: block('results', VideoReply, 100),
      similar: block('results', lenient(ShortReply), 40),
      external_ids: orNull(
        v.pipe(
          v.record(v.string(), v.unknown()),
          v.transform(({ imdb_id }) => v.parse(imdbId, imdb_id)),
        ),
      ),
      keywords: block('keywords', Named, 200),
      alternative_titles: block('titles', lenient(v.object({ title: name(500), iso_3166_1: country })), 200),
      translations: block('translations', TranslationReply, 200),
    }),
    v.check(({ title, original_title }) => title !== null || original_title !== null),
  ),
);
export type DetailsReply = v.InferOutput<typeof DetailsReply>;

export const CollectionReply = lenient(
  v.object({
    id: Id,
    name: name(500),
    overview: text(10_000),
    poster_path: picturePath,
    backdrop_path: picturePath,
    parts: list(lenient(ShortReply), 300),
  }),
);
export type CollectionReply = v.InferOutput<typeof CollectionReply>;

/** Somebody who made movies. */
export const PersonReply = lenient(
  v.object({
    id: Id,
    name: name(300),
    biography: text(20_000),
    birthday: date,
    deathday: date,
    place_of_birth: text(300),
    known_for_department: text(100),
    translations: block(
      'translations',
      lenient(
        v.object({
          iso_639_1: v.pipe(language, v.string()),
          data: v.pipe(
            v.record(v.string(), v.unknown()),
            v.transform(({ biography }) => v.parse(text(20_000), biography)),
          ),
        }),
      ),
      200,
    ),
  }),
);
export type PersonReply = v.InferOutput<typeof PersonReply>;

/** Only asked to see whether a key is right. */
export const ConfigurationReply = v.looseObject({ images: v.record(v.string(), v.unknown()) });
