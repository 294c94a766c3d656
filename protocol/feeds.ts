/** The feeds: synchronized state, by name. A screen imports the file of the feed that it follows, and so loads no other. */
import { libraryFeed } from './feeds/library.ts';
import { movieFeed } from './feeds/movie.ts';
import { progressFeed } from './feeds/progress.ts';
import { jobsFeed } from './feeds/jobs.ts';
import { healthFeed } from './feeds/health.ts';
import { preferencesFeed } from './feeds/preferences.ts';
import { radarrFeed } from './feeds/radarr.ts';
import { momentsFeed } from './feeds/moments.ts';
import { screensFeed } from './feeds/screens.ts';
import { downloadsFeed } from './feeds/downloads.ts';
import { everyonesDownloadsFeed } from './feeds/everyones-downloads.ts';

export {
  libraryFeed,
  movieFeed,
  progressFeed,
  jobsFeed,
  healthFeed,
  preferencesFeed,
  radarrFeed,
  momentsFeed,
  screensFeed,
  downloadsFeed,
  everyonesDownloadsFeed,
};

export const feeds = [
  libraryFeed,
  movieFeed,
  progressFeed,
  jobsFeed,
  healthFeed,
  preferencesFeed,
  momentsFeed,
  radarrFeed,
  screensFeed,
  downloadsFeed,
  everyonesDownloadsFeed,
] as const;
export type AnyFeed = (typeof feeds)[number];
export type FeedName = AnyFeed['name'];
