-- Search. Names are found by an index in memory that follows the change feed, so no table holds it and nothing of it can be lost.

-- What is told of a movie is found by whole words, after everything else.
create index movie_overview on movie using gin (to_tsvector('simple', fold_text(overview)))
  where overview is not null and deleted_at is null;

-- Each slowed every write, and nobody asks them any more.
drop index person_search, collection_search;
alter table movie drop column search_text;
