-- Subtitles that people hand in belong to the movie, too: where the file that they were made for is replaced, they follow to the new one.
alter table uploaded_subtitle add column movie_id uuid references movie on delete cascade;
update uploaded_subtitle up set movie_id = file.movie_id from movie_file file where file.id = up.file_id;
alter table uploaded_subtitle alter column movie_id set not null;
alter table uploaded_subtitle alter column file_id drop not null;
alter table uploaded_subtitle drop constraint uploaded_subtitle_file_id_fkey;
alter table uploaded_subtitle add constraint uploaded_subtitle_file_id_fkey
  foreign key (file_id) references movie_file on delete set null;
create index uploaded_subtitle_by_movie on uploaded_subtitle (movie_id);
-- What each person may hand in is counted.
create index uploaded_subtitle_by_user on uploaded_subtitle (user_id);
