/** The closed set of permissions. A call or feed names exactly one; what is not named is denied. */
export const PERMISSIONS = [
  /** Anyone, also without a session. Kept short: every use is listed by the route census test. */
  'public',
  /** Any session, for what concerns only its own user. */
  'self',
  'movies:read',
  /** Putting right what is known of movies, and making collections. */
  'movies:edit',
  'playback:play',
  /** Taking files and prepared copies along. */
  'movies:download',
  'libraries:read',
  'libraries:manage',
  'jobs:read',
  'jobs:manage',
  'users:manage',
  'server:manage',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const ROLES = ['admin', 'user'] as const;
export type Role = (typeof ROLES)[number];

/** What each role may do. `public` and `self` need no role. */
export const PERMISSIONS_BY_ROLE: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  admin: new Set(PERMISSIONS),
  user: new Set<Permission>(['public', 'self', 'movies:read', 'playback:play', 'movies:download', 'libraries:read']),
};
