/** What is stored of a person's wishes, read with care: an older or newer version may have written it. */
import * as v from 'valibot';
import type { RememberedTracks } from '#engine/media/track-choice.ts';
import { DEFAULT_PREFERENCES, PlaybackPreferences } from '#protocol/schema/preferences.ts';
import type { PreferenceChanges } from '#protocol/schema/preferences.ts';
import { LanguageTag, ShortText } from '#protocol/schema/scalar.ts';

/** [PLAY41] What can't be understood counts as not set, each by itself. */
export function readPreferences(stored: unknown): PlaybackPreferences {
  const values = (typeof stored === 'object' ? stored : null) ?? {};
  const read = Object.entries(PlaybackPreferences.entries).map(([name, schema]) => {
    const parsed = v.safeParse(schema, (values as Record<string, unknown>)[name]);
    return [name, parsed.success ? parsed.output : DEFAULT_PREFERENCES[name as keyof PlaybackPreferences]] as const;
  });
  return Object.fromEntries(read) as PlaybackPreferences;
}

export function changePreferences(stored: unknown, changes: PreferenceChanges): PlaybackPreferences {
  const said = Object.entries(changes).filter(([, value]) => value !== undefined);
  return { ...readPreferences(stored), ...(Object.fromEntries(said) as Partial<PlaybackPreferences>) };
}

const Audio = v.object({
  language: LanguageTag,
  kind: v.picklist(['movie', 'commentary', 'description']),
  title: v.nullable(ShortText),
});
const Subtitle = v.nullable(
  v.object({
    language: LanguageTag,
    kind: v.picklist(['full', 'forced', 'hearingImpaired', 'commentary']),
    label: ShortText,
  }),
);

/** `undefined` in what is stored: nothing was chosen. */
export function readRemembered(
  stored: { readonly audio: unknown; readonly subtitle: unknown } | null,
): RememberedTracks {
  const audio = v.safeParse(Audio, stored?.audio);
  const subtitle = v.safeParse(Subtitle, stored?.subtitle);
  return { ...(audio.success && { audio: audio.output }), ...(subtitle.success && { subtitle: subtitle.output }) };
}
