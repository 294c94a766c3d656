-- What Radarr says of its movies, and the messages that came from it.

-- Where a movie of Radarr's lies here, and which one it is. A movie that Radarr no longer has stays: its file may still be here.
create table radarr_movie (
  -- What that Radarr calls itself: two of them number their movies independently.
  instance text not null,
  radarr_id integer not null,
  tmdb_id integer,
  imdb_id text,
  title text,
  year integer,
  -- Absolute paths here, after mapping; null where they cannot be mapped. Compared byte by byte.
  folder_path text collate "C",
  file_path text collate "C",
  -- Where the file is in our libraries; null where it lies in none.
  library_id uuid references library on delete set null,
  path text collate "C",
  radarr_file_id integer,
  quality text,
  size_bytes bigint,
  synced_at timestamptz not null,
  gone_at timestamptz,
  primary key (instance, radarr_id)
);
create index radarr_movie_by_file on radarr_movie (file_path);
create index radarr_movie_by_folder on radarr_movie (folder_path);
create index radarr_movie_by_place on radarr_movie (library_id, path);

-- Messages of Radarr's webhook in the order in which they came: kept before they are answered, dealt with after.
create table radarr_event (
  id uuid primary key,
  seq bigint generated always as identity unique,
  received_at timestamptz not null default now(),
  kind text not null,
  -- Instance and number of the movie: messages of one are dealt with in order. Empty for those about none.
  subject_key text not null,
  subject text,
  is_upgrade boolean not null default false,
  -- What the message says, as far as it is of use (EventFacts of engine/radarr); null once it was dealt with.
  facts jsonb,
  -- The same message twice while the first one waits is one.
  digest text not null,
  -- RADARR_OUTCOMES of protocol/schema/radarr.ts; null while it waits.
  outcome text,
  -- A path that could not be used.
  path text,
  handled_at timestamptz
);
create unique index radarr_event_waiting on radarr_event (digest) where outcome is null;
create index radarr_event_open on radarr_event (subject_key, seq) where outcome is null;
