/** What may be the matter with a file of a movie, as people read it. Beside the screens that say so, not with what every page needs. */

/** What is the matter with a file, to follow its name. The codes of the media layer, and those of the scan itself. */
export const MEDIA_TEXTS = {
  notFound: 'is not there any more. Check that its disk or share is mounted, then scan again.',
  notReadable: 'can’t be read by the account Matinee runs under. Give it permission to read, then scan again.',
  notAFile: 'is not an ordinary file but a folder, pipe or device. Move it out of the library.',
  empty: 'is empty. Copy it again from where it came from.',
  notMedia: 'is not a movie, whatever its name says. Replace it or take it out of the library.',
  truncated: 'is cut off or damaged. Copy it again from where it came from.',
  noTracks: 'holds neither picture nor sound. Replace it.',
  unsupported: 'is in a form that Matinee can’t decode. Convert it to a common format.',
  tooComplex: 'claims more than any movie has, so it was left alone. Replace it or repackage it.',
  timeout: 'took too long to read. Check the disk or share it lies on, then scan again.',
  crashed: 'stopped the process that was reading it. It will be tried once more.',
  quarantined:
    'stopped the process that was reading it twice, so it is left alone. Replace it, or try it again by hand.',
  internal: 'met a fault in Matinee. The server’s log tells more.',
  missing: 'is not there any more. Check that its disk or share is mounted, then scan again.',
  nameNotUtf8: 'has a name that is not valid text (UTF-8). Rename it.',
  discFolder:
    'is a copied disc (DVD or Blu-ray folder), which Matinee does not play. Make one MKV file of its movie, with MakeMKV for example.',
  discImage:
    'is the image of a disc, which Matinee does not play. Make one MKV file of its movie, with MakeMKV for example.',
  symlinkLoop: 'is a link that leads back to a folder above it. Remove the link.',
} as const satisfies Readonly<Record<string, string>>;

export function isMediaFailure(code: string): boolean {
  return Object.hasOwn(MEDIA_TEXTS, code);
}

export function mediaFailureText(code: string | null): string {
  return (
    (MEDIA_TEXTS as Readonly<Record<string, string>>)[code ?? ''] ?? `can’t be used (${code ?? 'no reason given'}).`
  );
}
