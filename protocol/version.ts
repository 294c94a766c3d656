/**
 * Protocol versions. A change to any schema changes the digest of the contract, and `version.test.ts` then asks for a new line
 * here: an additive change keeps `MIN`, a breaking one raises it.
 */
export const VERSIONS = [{ version: 1, summary: 'First version.' }] as const;

/** Oldest version that this side still speaks. */
export const PROTOCOL_MIN = 1;
/** Newest version that this side speaks. */
export const PROTOCOL_MAX = VERSIONS.at(-1)!.version;

/** The highest version both sides speak, or which side must be updated. */
export function agreeVersion(
  offered: readonly [min: number, max: number],
  own: readonly [min: number, max: number] = [PROTOCOL_MIN, PROTOCOL_MAX],
): { version: number } | { outdated: 'client' | 'server' } {
  const version = Math.min(offered[1], own[1]);
  if (version >= offered[0] && version >= own[0]) return { version };
  return { outdated: offered[1] < own[0] ? 'client' : 'server' };
}
