-- What is known of movies beside their files: metadata, people, series, tags, what people corrected, and how it can be undone.

-- An id in the catalogue of TMDB; two movies of ours are never the same one there.
alter table movie
  add column tmdb_id integer unique,
  add column imdb_id text,
  add column match_score real,
  add column match_reasons text[] not null default '{}',
  -- When it was last looked for, and when its metadata was last fetched.
  add column matched_at timestamptz,
  add column refreshed_at timestamptz,
  -- The name that its files say; `title` and `year` are what is shown.
  add column file_title text,
  add column file_year integer,
  -- MOVIE_FIELDS that only people change.
  add column locked_fields text[] not null default '{}',
  add column hidden_at timestamptz,
  add column original_title text,
  add column original_language text,
  add column tagline text,
  add column overview text,
  add column release_date date,
  add column runtime_minutes integer,
  -- In the country of the server's preference.
  add column certification text,
  -- 0 to 10, and by how many.
  add column rating real,
  add column vote_count integer,
  add column popularity real,
  add column status text,
  add column trailer_url text,
  -- A sort title that a person set; the generated one is made from the title.
  add column custom_sort_title text,
  -- BCP 47, of the tracks of its files. Written with the files.
  add column audio_languages text[] not null default '{}',
  add column video_codec text;

alter table movie drop constraint movie_match_check;
update movie set match = 'waiting', file_title = title, file_year = year;
alter table movie
  alter column match set default 'waiting',
  add constraint movie_match_check check (match in ('waiting', 'unmatched', 'doubtful', 'matched', 'confirmed'));

-- Made again, for a person may set it now.
drop index movie_by_title, movie_by_year, movie_by_year_up, movie_by_resolution;
alter table movie drop column sort_title;
alter table movie add column sort_title text not null generated always as (
  fold_text(coalesce(custom_sort_title,
    regexp_replace(title, '^(the|a|an|der|die|das|le|la|les|il|lo|el|los|las)\s+(?=\S)', '', 'i')))
) stored;
create index movie_by_title on movie (sort_title, id) where deleted_at is null;
create index movie_waiting on movie (added_at desc, id desc) where match = 'waiting' and deleted_at is null;
create index movie_to_review on movie (match, sort_title, id) where match in ('unmatched', 'doubtful') and deleted_at is null;

-- Genres, keywords, studios, countries (named by TMDB or a person) and tags (by people).
create table term (
  id integer generated always as identity primary key,
  kind text not null check (kind in ('genre', 'keyword', 'studio', 'country', 'tag')),
  name text not null check (length(name) between 1 and 500),
  -- One term for "Sci-Fi" and "sci-fi".
  name_key text not null generated always as (fold_text(name)) stored,
  -- Its number (genre, keyword, studio) or code (country) at TMDB.
  tmdb_key text,
  unique (kind, name_key)
);
create table movie_term (
  movie_id uuid not null references movie on delete cascade,
  term_id integer not null references term,
  -- In the order in which they were given.
  position integer not null default 0,
  primary key (movie_id, term_id)
);
create index movie_term_by_term on movie_term (term_id, movie_id);

create table person (
  id uuid primary key,
  name text not null,
  name_text text not null generated always as (fold_text(name)) stored,
  tmdb_id integer unique,
  known_for text,
  biography text,
  born_on date,
  died_on date,
  birthplace text,
  popularity real,
  refreshed_at timestamptz
);
create index person_search on person using gin (name_text gin_trgm_ops);

create table credit (
  movie_id uuid not null references movie on delete cascade,
  person_id uuid not null references person,
  kind text not null check (kind in ('cast', 'crew')),
  -- The character for cast, the job for crew: one may have several.
  role text not null default '',
  department text,
  position integer not null,
  primary key (movie_id, kind, person_id, role)
);
create index credit_by_person on credit (person_id, movie_id);

create table movie_rating (
  movie_id uuid not null references movie on delete cascade,
  -- `tmdb`, `imdb`, `metacritic` …
  source text not null,
  -- 0 to 10.
  value real not null,
  votes integer,
  primary key (movie_id, source)
);

-- All that TMDB says of release dates; the country of preference is chosen from it, also when the preference changes.
create table release_date (
  movie_id uuid not null references movie on delete cascade,
  country text not null,
  -- TMDB: 1 premiere, 2 limited, 3 theatrical, 4 digital, 5 physical, 6 television.
  kind smallint not null,
  date date not null,
  certification text,
  primary key (movie_id, country, kind, date)
);

-- Movies that TMDB calls alike, here or not.
create table similar_movie (
  movie_id uuid not null references movie on delete cascade,
  tmdb_id integer not null,
  position integer not null,
  primary key (movie_id, tmdb_id)
);
create index similar_movie_by_tmdb on similar_movie (tmdb_id);

-- Titles that a movie is known by beside its own: for matching and for search.
create table alternative_title (
  movie_id uuid not null references movie on delete cascade,
  title text not null,
  country text,
  primary key (movie_id, title)
);

create table collection (
  id uuid primary key,
  kind text not null check (kind in ('series', 'manual', 'smart')),
  name text not null check (length(name) between 1 and 500),
  name_text text not null generated always as (fold_text(name)) stored,
  overview text,
  tmdb_id integer unique,
  -- SmartQuery (protocol/schema/collection.ts), only where kind is smart.
  query jsonb check ((query is not null) = (kind = 'smart')),
  -- The movie whose poster stands for it, where a person chose one.
  poster_movie_id uuid references movie on delete set null,
  created_by uuid references app_user on delete set null,
  created_at timestamptz not null default now(),
  refreshed_at timestamptz
);
create index collection_search on collection using gin (name_text gin_trgm_ops);
create table collection_movie (
  collection_id uuid not null references collection on delete cascade,
  movie_id uuid not null references movie on delete cascade,
  position integer not null,
  primary key (collection_id, movie_id)
);
create index collection_movie_by_movie on collection_movie (movie_id);
-- All parts of a series as TMDB lists them, here or not.
create table collection_part (
  collection_id uuid not null references collection on delete cascade,
  tmdb_id integer not null,
  title text not null,
  release_date date,
  poster_path text,
  position integer not null,
  primary key (collection_id, tmdb_id)
);

-- What a doubtful or unmatched movie may be, the likeliest first: for the review screen.
create table match_candidate (
  movie_id uuid not null references movie on delete cascade,
  position integer not null,
  tmdb_id integer not null,
  title text not null,
  original_title text,
  year integer,
  overview text,
  poster_path text,
  score real not null,
  reasons text[] not null,
  primary key (movie_id, position)
);

-- Edits of people, with what was there before each: one edit may change many movies, and is taken back as a whole.
create table edit (
  id uuid primary key,
  user_id uuid references app_user on delete set null,
  made_at timestamptz not null default now(),
  undone_at timestamptz
);
create table edit_change (
  edit_id uuid not null references edit on delete cascade,
  movie_id uuid not null references movie on delete cascade,
  -- What was changed (`title`, `tags` …), from what, to what: JSON as the calls carry it.
  field text not null,
  before jsonb,
  after jsonb,
  primary key (edit_id, movie_id, field)
);
create index edit_by_time on edit (made_at);

-- What a name says of a file.
alter table movie_file
  add column edition text,
  -- EXTRA_KINDS; null for the movie itself.
  add column extra_kind text,
  add column extra_title text,
  -- Everything else that was read from its name (ParsedName of engine/media), for searching and for people.
  add column name_facts jsonb,
  add column radarr_file_id integer;

-- Subtitles in files of their own.
create table sidecar (
  id uuid primary key,
  file_id uuid not null references movie_file on delete cascade,
  -- Relative to the library's folder.
  path text collate "C" not null,
  format text not null,
  language text,
  is_forced boolean not null default false,
  is_default boolean not null default false,
  is_hearing_impaired boolean not null default false,
  size_bytes bigint not null,
  mtime_us bigint not null,
  unique (file_id, path)
);
