/** What a font file is, by its first bytes (OpenType 1.9, "Organization of an OpenType font"; WOFF). `null` for anything else. */
export function fontType(
  bytes: Uint8Array,
): 'font/ttf' | 'font/otf' | 'font/collection' | 'font/woff' | 'font/woff2' | null {
  const tag = String.fromCharCode(...bytes.subarray(0, 4));
  if (tag === '\u0000\u0001\u0000\u0000' || tag === 'true') return 'font/ttf';
  if (tag === 'OTTO') return 'font/otf';
  if (tag === 'ttcf') return 'font/collection';
  if (tag === 'wOFF') return 'font/woff';
  return tag === 'wOF2' ? 'font/woff2' : null;
}
