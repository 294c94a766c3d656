-- How each person likes to watch, what they chose in each movie, and what failed on their devices.

create table playback_preferences (
  user_id uuid primary key references app_user on delete cascade,
  -- PlaybackPreferences of the protocol. What a later version does not understand counts as not set.
  value jsonb not null,
  updated_at timestamptz not null default now()
);

-- By meaning (language, kind, title), so that another file of the movie gets the same.
create table track_choice (
  user_id uuid not null references app_user on delete cascade,
  movie_id uuid not null references movie on delete cascade,
  -- Null: nothing chosen.
  audio jsonb,
  -- Null: nothing chosen; the JSON null: none wanted.
  subtitle jsonb,
  updated_at timestamptz not null default now(),
  primary key (user_id, movie_id)
);
create index track_choice_by_movie on track_choice (movie_id);

create table playback_lesson (
  id uuid primary key,
  user_id uuid not null references app_user on delete cascade,
  -- Made by the device, and kept in its browser's storage.
  device_id uuid not null,
  device text not null,
  -- Another one than this makes the lesson void.
  browser text not null,
  form jsonb not null,
  file_ids uuid[] not null,
  learned_at timestamptz not null default now(),
  unique (user_id, device_id, form)
);
create index playback_lesson_by_age on playback_lesson (user_id, learned_at);
