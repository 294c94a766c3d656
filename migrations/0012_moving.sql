-- Where intros, recaps and credits of files are, and what was learned on the way to knowing it.

create table file_marker (
  file_id uuid not null references movie_file on delete cascade,
  kind text not null check (kind in ('intro', 'recap', 'credits')),
  -- What chapter names say is read from the file's facts each time; here is what cost something to find out.
  source text not null check (source in ('detected', 'person')),
  -- Null where a person said that there is none.
  start_ms bigint,
  end_ms bigint,
  confidence smallint not null check (confidence between 0 and 100),
  set_by uuid references app_user on delete set null,
  updated_at timestamptz not null default now(),
  primary key (file_id, kind, source),
  check ((start_ms is null) = (end_ms is null)),
  check (start_ms is not null or source = 'person')
);

-- A file that was looked into, at this version of it and of the rules.
create table file_study (
  file_id uuid primary key references movie_file on delete cascade,
  size_bytes bigint not null,
  mtime_us bigint not null,
  rules integer not null,
  studied_at timestamptz not null default now(),
  -- Chromaprint's words for the beginning, 32 bits each, little-endian; null where the file has no kin to compare it with.
  sound_print bytea,
  -- A MediaFailure; null where it went well.
  failure text
);

-- What the beginning of one file has in common with that of another of its kin. Two rows for a pair.
create table shared_sound (
  file_id uuid not null references movie_file on delete cascade,
  other_id uuid not null references movie_file on delete cascade,
  start_ms bigint not null,
  length_ms bigint not null,
  primary key (file_id, other_id)
);
create index shared_sound_by_other on shared_sound (other_id);
