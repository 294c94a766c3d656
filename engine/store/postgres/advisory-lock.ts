/**
 * The advisory locks, all in one place, so that no two mean the same number: any that no other program on the same server is
 * likely to take. “Matinee” as letters on a phone, and what follows.
 */
export const ADVISORY_LOCK = {
  /** Held while migrations run: two servers that start at once wait for each other. */
  migrations: 6_284_633,
  /** Taken last in a transaction that records changes: order of numbers is order of commits [CHANGE1]. */
  changeFeed: 6_284_634,
  /** Held while files find their movies: two scans never make the same movie twice. */
  movies: 6_284_635,
  /** Serializes the making of the first admin [ACC5]. */
  firstAdmin: 6_284_636,
  /** Held while what people hand in is counted: two at once count each other [PLAY57]. */
  uploads: 6_284_637,
} as const;
