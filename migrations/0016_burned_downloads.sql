-- Subtitles that are pictures become a part of a prepared copy's picture, where somebody wants that.
alter table download add column burned_subtitle text;
