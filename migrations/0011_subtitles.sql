-- Subtitles that people hand in. The files lie in the data folder, named by the id.
create table uploaded_subtitle (
  id uuid primary key,
  file_id uuid not null references movie_file on delete cascade,
  -- Whoever left keeps nothing, but what they gave stays.
  user_id uuid references app_user on delete set null,
  name text not null,
  format text not null,
  language text,
  is_forced boolean not null default false,
  is_hearing_impaired boolean not null default false,
  size_bytes bigint not null,
  uploaded_at timestamptz not null default now()
);
create index uploaded_subtitle_by_file on uploaded_subtitle (file_id);

-- How far subtitles are out of step with a file, as a person has set it: t<track>, or s<uuid> of a file of their own.
create table subtitle_offset (
  user_id uuid not null references app_user on delete cascade,
  file_id uuid not null references movie_file on delete cascade,
  subtitle_id text not null,
  offset_ms integer not null,
  primary key (user_id, file_id, subtitle_id)
);
create index subtitle_offset_by_file on subtitle_offset (file_id);
