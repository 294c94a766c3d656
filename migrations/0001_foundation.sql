-- People, libraries, movies, files, progress, jobs and the change feed.
-- Ids are UUID version 7 made by the application, so an older Postgres than 18 works too.

create extension if not exists pg_trgm;
create extension if not exists unaccent;

-- unaccent() is only "stable", because its dictionary could be replaced. We name the dictionary, so a wrapper may be immutable.
create function fold_text(value text) returns text
  language sql immutable strict parallel safe
  return lower(unaccent('unaccent'::regdictionary, value));

-- For finding a movie by its name: spaces and punctuation do not count, so that "Spider-Man" and "Spider.Man" are one.
create function name_key(value text) returns text
  language sql immutable strict parallel safe
  return coalesce(nullif(translate(fold_text(value), E' \t!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~·', ''), ''), fold_text(value));

-- Facts about this database itself: the epoch of its change feed, and later settings that belong to no file.
create table server_fact (
  name text primary key,
  value text not null
);
insert into server_fact (name, value) values ('changeEpoch', gen_random_uuid()::text);

create table app_user (
  id uuid primary key,
  name text not null check (length(name) between 1 and 64),
  -- Names are compared without case: "Ada" and "ada" are one person.
  name_key text not null generated always as (lower(name)) stored unique,
  role text not null check (role in ('admin', 'user')),
  -- PHC string: $argon2id$v=19$m=…,t=…,p=…$salt$hash
  password_hash text not null,
  created_at timestamptz not null default now()
);

create table session (
  id uuid primary key,
  user_id uuid not null references app_user on delete cascade,
  -- SHA-256 of the token: a copy of the database opens no session.
  token_hash bytea not null unique,
  device text not null,
  created_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index session_by_user on session (user_id, last_seen_at desc);

create table library (
  id uuid primary key,
  name text not null,
  path text not null unique,
  -- What stood at that path when it was last scanned: an empty mount point is something else than an emptied folder.
  root_identity text,
  created_at timestamptz not null default now(),
  last_scan_at timestamptz
);

create table movie (
  id uuid primary key,
  title text not null,
  year integer check (year between 1870 and 2200),
  match text not null default 'unmatched' check (match in ('unmatched', 'matched')),
  -- "The Matrix" sorts under M. Articles of the languages most seen in file names; the display title keeps them.
  sort_title text not null generated always as (
    regexp_replace(fold_text(title), '^(the|a|an|der|die|das|le|la|les|il|lo|el|los|las)\s+(?=\S)', '')
  ) stored,
  search_text text not null generated always as (fold_text(title) || coalesce(' ' || year::text, '')) stored,
  name_key text not null generated always as (name_key(title)) stored,
  -- Facts of the best file, kept here so that a window of the grid is one index scan. Written with the files, in the same transaction.
  best_file_id uuid,
  duration_ms bigint,
  resolution integer,
  hdr text,
  is_playable boolean not null default false,
  -- Libraries that hold a file of it.
  library_ids uuid[] not null default '{}',
  -- The picture is cached under this version; null until there is one.
  picture_version text,
  picture_width integer,
  picture_height integer,
  -- The file that a picture was made from, or could not be made from: another best file is tried again.
  picture_file_id uuid,
  added_at timestamptz not null default now(),
  -- Set while no file of it is left. After the grace period the row goes, unless someone has progress in it.
  deleted_at timestamptz
);
-- With the libraries included, a window of one library is found without touching the rows of the others.
create index movie_by_title on movie (sort_title, id) include (library_ids) where deleted_at is null;
create index movie_by_year on movie (year desc nulls last, sort_title, id) include (library_ids) where deleted_at is null;
create index movie_by_year_up on movie (year, sort_title, id) include (library_ids) where deleted_at is null;
create index movie_by_added on movie (added_at desc, id desc) include (library_ids) where deleted_at is null;
create index movie_by_duration on movie (duration_ms desc nulls last, id) where deleted_at is null;
create index movie_by_resolution on movie (resolution desc nulls last, sort_title, id) where deleted_at is null;
create index movie_search on movie using gin (search_text gin_trgm_ops);
create index movie_by_name on movie (name_key, year);
create index movie_pictureless on movie (added_at desc, id desc)
  where deleted_at is null and is_playable and picture_version is null and picture_file_id is distinct from best_file_id;
create index movie_deleted on movie (deleted_at) where deleted_at is not null;

create table movie_file (
  id uuid primary key,
  movie_id uuid not null references movie,
  library_id uuid not null references library on delete cascade,
  -- Relative to the library's folder, with "/" between names. Compared byte by byte, so that a folder is a range of the index.
  path text collate "C" not null,
  folder text collate "C" not null generated always as (
    case when strpos(path, '/') = 0 then '' else regexp_replace(path, '/[^/]*$', '') end
  ) stored,
  size_bytes bigint not null,
  mtime_us bigint not null,
  -- As text, for it may exceed 2^63. Without the device, whose number changes from one mount to the next.
  inode text not null,
  -- Number of this file in a movie that is cut into several.
  part integer,
  -- xxh3 of size, head, middle and tail; the whole file's hash is made only when two files must be told apart.
  content_hash text,
  whole_hash text,
  state text not null check (state in ('playable', 'unplayable', 'missing')),
  failure text,
  -- MediaInfo (protocol/schema/media.ts) as the probe gave it.
  media jsonb,
  -- Keyframe times of the first video track: microseconds from the start of the file, as deltas in LEB128. Null: not known yet.
  keyframes bytea,
  container text generated always as (media ->> 'container') stored,
  duration_ms bigint generated always as ((media ->> 'durationMs')::bigint) stored,
  video_codec text generated always as (media #>> '{video,0,codec}') stored,
  -- Short side of the picture as people name it: 2160, 1080, 720 …
  resolution integer,
  width integer generated always as ((media #>> '{video,0,width}')::integer) stored,
  height integer generated always as ((media #>> '{video,0,height}')::integer) stored,
  hdr text generated always as (media #>> '{video,0,hdr}') stored,
  bitrate_bps bigint generated always as ((media ->> 'bitrateBps')::bigint) stored,
  added_at timestamptz not null default now(),
  probed_at timestamptz,
  -- Set when a scan no longer finds the file. The row stays for the grace period, so that a moved file is found again by its hash.
  missing_since timestamptz,
  unique (library_id, path)
);
create index movie_file_by_movie on movie_file (movie_id);
create index movie_file_by_folder on movie_file (library_id, folder);
create index movie_file_by_state on movie_file (library_id, state);
create index movie_file_unplayable on movie_file (library_id, path) where state = 'unplayable';
create index movie_file_by_hash on movie_file (content_hash) where content_hash is not null;
create index movie_file_missing on movie_file (missing_since) where missing_since is not null;

-- Folders and files that a scan could not read or use, beside the unplayable files above.
create table library_issue (
  library_id uuid not null references library on delete cascade,
  path text collate "C" not null,
  reason text not null,
  seen_at timestamptz not null default now(),
  primary key (library_id, path)
);

create table progress (
  user_id uuid not null references app_user on delete cascade,
  movie_id uuid not null references movie,
  position_ms bigint not null check (position_ms >= 0),
  duration_ms bigint not null check (duration_ms >= 0),
  share double precision not null generated always as (
    case when duration_ms > 0 then least(1, position_ms::double precision / duration_ms) else 0 end
  ) stored,
  -- Where to go on: the beginning once 90 % was reached (WATCHED_SHARE in protocol/schema/progress.ts; a test holds the two together).
  resume_ms bigint not null generated always as (
    case when duration_ms > 0 and position_ms >= duration_ms * 0.9 then 0 else position_ms end
  ) stored,
  is_watched boolean not null default false,
  watch_count integer not null default 0,
  -- When the position was seen, by the server's clock: the newest observation wins.
  observed_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (user_id, movie_id)
);
create index progress_latest on progress (user_id, updated_at desc);

create table job (
  id uuid primary key,
  kind text not null,
  state text not null check (state in ('waiting', 'running', 'succeeded', 'failed', 'cancelled')),
  subject text not null,
  library_id uuid references library on delete cascade,
  done bigint not null default 0,
  total bigint,
  note text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz
);
create index job_latest on job (created_at desc);
create index job_open on job (created_at) where state in ('waiting', 'running');

-- The change feed. Rows are written in the transaction of the change itself, under an advisory lock taken last, so that seq order is
-- commit order and a reader that has seen seq n has seen everything before it.
create table change (
  seq bigint generated always as identity primary key,
  feed text not null,
  -- Whom it concerns: a user's id for personal feeds, null for all.
  audience uuid,
  kind text not null,
  entity_id text not null,
  at timestamptz not null default now()
);
create index change_by_time on change (at);
