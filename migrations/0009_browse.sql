-- Grids are ordered by the browse index in memory. These slowed every write of a scan, and nobody asks them any more.
drop index movie_by_title, movie_by_added, movie_by_duration;
