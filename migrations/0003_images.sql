-- Pictures: posters, backdrops, logos, portraits. A row is a promise: its bytes are fetched when somebody looks.

create table picture (
  -- Random, and all that a client ever names beside the version.
  id uuid primary key default gen_random_uuid(),
  -- Whom it shows; none of them: a poster of a movie that is not here (a candidate on the review screen, a missing part of a series).
  -- Never changed: a picture belongs to one owner for ever.
  movie_id uuid references movie on delete cascade,
  person_id uuid references person on delete cascade,
  collection_id uuid references collection on delete cascade,
  owner_id uuid generated always as (coalesce(movie_id, person_id, collection_id)) stored,
  role text not null check (role in ('poster', 'backdrop', 'logo', 'portrait')),
  source text not null check (source in ('local', 'tmdb', 'frame')),
  -- local: the path below the library's folder. tmdb: as TMDB names it, `/abc.jpg`. frame: the id of the file that it was taken from.
  location text collate "C" not null,
  library_id uuid references library on delete cascade,
  -- What is served under it never changes: a file that was replaced gets another version.
  version text not null,
  -- As large as it is served; of a picture that nobody has looked at yet, as large as its source said.
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  -- ThumbHash in base64; null until it was decoded once.
  placeholder text,
  -- Of the words in it, where it has some.
  language text,
  vote real,
  -- Among those of one source, the best first.
  position integer not null default 0,
  -- A person said that this one is shown.
  is_chosen boolean not null default false,
  -- Why this version can never be shown. Null again when it is another version.
  failure text,
  failed_at timestamptz,
  created_at timestamptz not null default now(),
  check (num_nonnulls(movie_id, person_id, collection_id) <= 1),
  check ((library_id is not null) = (source = 'local'))
);
create unique index picture_once on picture (
  coalesce(owner_id, '00000000-0000-0000-0000-000000000000'), role, source, location,
  coalesce(library_id, '00000000-0000-0000-0000-000000000000'));
create index picture_by_owner on picture (owner_id, role) where owner_id is not null;
-- Posters of movies that are not here, the oldest first: those that nobody names any more go.
create index picture_ownerless on picture (created_at) where owner_id is null;
create unique index picture_chosen on picture (owner_id, role) where is_chosen;
create index picture_by_person on picture (person_id) where person_id is not null;
create index picture_by_collection on picture (collection_id) where collection_id is not null;
create index picture_by_movie on picture (movie_id) where movie_id is not null;
create index picture_by_library on picture (library_id) where library_id is not null;

-- The best picture of each role, so that a window of the grid finds them in the rows that it reads anyway:
-- { "poster": { "id", "version", "width", "height", "placeholder" }, "backdrop": …, "logo": …, "portrait": … }. Kept by the triggers below.
alter table movie
  add column artwork jsonb not null default '{}',
  -- In no index's way: a placeholder that is added to `artwork` changes no index.
  add column has_backdrop boolean not null default false,
  -- When its folders were last looked at for artwork; null: not since a file of it came or moved.
  add column artwork_looked_at timestamptz;
alter table person add column artwork jsonb not null default '{}';
alter table collection add column artwork jsonb not null default '{}';

-- What a person chose, then what lies beside the movie, then what the catalogue has, then a frame of the movie.
create function artwork_of(owner uuid) returns jsonb
  language sql stable
  return (
    select coalesce(jsonb_object_agg(role, entry), '{}') from (
      select distinct on (p.role) p.role, jsonb_build_object('id', p.id, 'version', p.version, 'width', p.width,
        'height', p.height, 'placeholder', p.placeholder) as entry
      from picture p where p.owner_id = owner and p.failure is null
      order by p.role, p.is_chosen desc, case p.source when 'local' then 0 when 'tmdb' then 1 else 2 end, p.position, p.id) best);

create function keep_artwork() returns trigger language plpgsql as $$
begin
  update movie m set artwork = made.artwork, has_backdrop = made.artwork ? 'backdrop'
  from (select id, artwork_of(id) as artwork from (select distinct movie_id as id from touched where movie_id is not null) owner) made
  where m.id = made.id and m.artwork <> made.artwork;
  update person p set artwork = made.artwork
  from (select id, artwork_of(id) as artwork from (select distinct person_id as id from touched where person_id is not null) owner) made
  where p.id = made.id and p.artwork <> made.artwork;
  update collection c set artwork = made.artwork
  from (select id, artwork_of(id) as artwork from (select distinct collection_id as id from touched where collection_id is not null) owner) made
  where c.id = made.id and c.artwork <> made.artwork;
  return null;
end $$;
create trigger picture_added after insert on picture
  referencing new table as touched for each statement execute function keep_artwork();
create trigger picture_changed after update on picture
  referencing new table as touched for each statement execute function keep_artwork();
create trigger picture_removed after delete on picture
  referencing old table as touched for each statement execute function keep_artwork();

-- A frame of the movie is one of its pictures now, and is made anew.
drop index movie_pictureless;
alter table movie drop column picture_version, drop column picture_width, drop column picture_height;
update movie set picture_file_id = null where picture_file_id is not null;
create index movie_pictureless on movie (added_at desc, id desc)
  where deleted_at is null and is_playable and not has_backdrop and picture_file_id is distinct from best_file_id;

-- Where a file came or went, its folder is looked at again.
create index movie_unlooked on movie (id) where deleted_at is null and artwork_looked_at is null;
create function look_for_artwork() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    update movie set artwork_looked_at = null
    where artwork_looked_at is not null and id in (select movie_id from after_rows);
  else
    update movie set artwork_looked_at = null
    where artwork_looked_at is not null and id in (
      select unnest(array[a.movie_id, b.movie_id]) from after_rows a join before_rows b on b.id = a.id
      where a.path <> b.path or a.movie_id <> b.movie_id or a.library_id <> b.library_id);
  end if;
  return null;
end $$;
create trigger movie_file_added after insert on movie_file
  referencing new table as after_rows for each statement execute function look_for_artwork();
create trigger movie_file_changed after update on movie_file
  referencing old table as before_rows new table as after_rows for each statement execute function look_for_artwork();
