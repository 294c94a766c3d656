/** Words about subtitles. */

/** Languages that files of subtitles are in most; what is not here is said by the file's name. */
export const LANGUAGES: readonly string[] =
  'ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id is it ja ko lt lv mk ms nb nl pl pt pt-BR ro ru sk sl sq sr sv ta te th tr uk ur vi zh zh-Hant'.split(
    ' ',
  );

/** In its own words, as people look for it. */
export function languageName(tag: string): string {
  try {
    const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag) ?? tag;
    return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
  } catch {
    return tag;
  }
}

/** `+0.25 s`; as the file says, `±0 s`. */
export function offsetText(offsetMs: number): string {
  if (offsetMs === 0) return '±0 s';
  const seconds = Math.abs(offsetMs) / 1_000;
  return `${offsetMs < 0 ? '−' : '+'}${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}
