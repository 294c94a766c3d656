import type { SourceVariant } from '#client/player/source.ts';
import type { Playback } from '#protocol/schema/playback.ts';
import { bitrate, resolutionName } from '../../wording.ts';

/**
 * A variant for people: its size, and what it takes. By the server's own word for it, which is the ceiling that a person sets limits
 * by; a player of segments only hears of the peak.
 */
export function variantName(variant: SourceVariant, playback: Playback | null): string {
  const size = resolutionName(Math.min(variant.width, variant.height)) ?? 'Picture';
  const told = playback?.variants.find(({ name }) => name === variant.name);
  if (told?.isOriginal === true) return `${size} · as it is`;
  return `${size} · ${bitrate(told?.maxBitrateBps ?? variant.bitrateBps)}`;
}
