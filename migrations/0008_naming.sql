-- Finding the movie of a file by what names say: the names of its other files, beside the title that is shown, and an id in a name.

create index movie_by_file_name on movie (name_key(file_title), file_year);
create index movie_file_by_named_id on movie_file ((name_facts ->> 'tmdbId')) where name_facts ? 'tmdbId';
create index sidecar_by_file on sidecar (file_id);
