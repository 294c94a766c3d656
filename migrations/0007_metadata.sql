-- Replies of TMDB that were kept, and what people said of which movies are one.

create table tmdb_reply (
  -- What was asked, without the key.
  name text primary key,
  -- Null: the answer was that there is no such thing.
  reply jsonb,
  kept_at timestamptz not null default now()
);
create index tmdb_reply_by_age on tmdb_reply (kept_at);

-- The movie that took the files of this one: who still has its id is led there. Never one that was taken itself.
alter table movie add column merged_into uuid references movie on delete set null;
create index movie_merged on movie (merged_into) where merged_into is not null;

-- A person said that these two are not one movie; no machine makes them one again.
create table movie_apart (
  movie_id uuid not null references movie on delete cascade,
  other_id uuid not null references movie on delete cascade,
  primary key (movie_id, other_id),
  check (movie_id < other_id)
);
create index movie_apart_by_other on movie_apart (other_id);
