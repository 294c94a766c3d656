-- Copies of movies that people take along.

-- A file that was prepared, once for everybody who asked for the same. It lies in the data folder, named by the id. The row is there
-- before anything of the file is, and gone before the file is.
create table prepared_copy (
  id uuid primary key,
  file_id uuid not null references movie_file on delete cascade,
  -- The version of the movie's file that it is made of.
  source_bytes bigint not null,
  source_mtime_us bigint not null,
  -- Of everything that decides what is in it.
  digest text not null,
  state text not null check (state in ('queued', 'preparing', 'ready')),
  -- A guess until it is ready.
  size_bytes bigint not null,
  ordered_at timestamptz not null default now(),
  ready_at timestamptz,
  -- When somebody last fetched it.
  used_at timestamptz,
  unique (file_id, source_bytes, source_mtime_us, digest)
);

-- What one person asked for. Without a copy it has ended.
create table download (
  id uuid primary key,
  user_id uuid not null references app_user on delete cascade,
  file_id uuid not null references movie_file on delete cascade,
  -- Of the press of the button that it came from.
  request_key uuid,
  quality text not null,
  audio_tracks integer[] not null,
  subtitles text[] not null,
  -- As the person saves it.
  name text not null,
  size_bytes bigint not null,
  copy_id uuid references prepared_copy on delete set null,
  ended text check (ended in ('failed', 'cancelled', 'expired')),
  failure text,
  created_at timestamptz not null default now(),
  unique (user_id, request_key)
);
create index download_by_user on download (user_id, created_at desc);
create index download_by_file on download (file_id);
create unique index download_by_copy on download (copy_id, user_id) where copy_id is not null;
