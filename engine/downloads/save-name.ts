/** What a file is called where a person saves it, and how a reply says so. */

interface Named {
  readonly title: string;
  readonly year: number | null;
  readonly edition: string | null;
  readonly part: number | null;
}

/** What file systems stumble over: 255 bytes, of which an ending and a browser's ` (1)` take some. */
const MAX_BYTES = 200;
/** Names that Windows gives to devices, whatever their ending. */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/** `Heat (1995) - Director’s Cut - Part 1 - 720p.mp4`, in letters that every file system takes. `ending` is without its dot. */
export function saveName({ title, year, edition, part }: Named, quality: string | null, ending: string): string {
  const named = year === null ? title : `${title} (${year})`;
  const parts = [named, edition, part === null ? null : `Part ${part}`, quality].filter((one) => one !== null);
  const plain = parts
    .join(' - ')
    .toWellFormed()
    // Marks that turn text around would make another ending of the one it has.
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu, '')
    .replace(/\s*:\s+/g, ' - ')
    .replace(/[/\\:*?"<>|]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '');
  const safe = shortened(plain.replace(DEVICES, '_$&')) || 'Movie';
  return `${safe}.${ending}`;
}

/** The ending of a file in a library, `mkv` where it has none that is one. */
export function endingOf(path: string): string {
  return /\.([a-z0-9]{1,5})$/i.exec(path)?.[1]?.toLowerCase() ?? 'mkv';
}

/** `attachment` with both names: plain ASCII for whoever knows no other, and the whole one (RFC 6266, RFC 8187). */
export function contentDisposition(name: string): string {
  const ascii = name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[\u2013\u2014]/g, '-')
    .replace(/[^\x20-\x7e]/g, '_')
    .replace(/["\\%]/g, '_');
  const whole = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${whole}`;
}

function shortened(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_BYTES) return text;
  let end = MAX_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end).trimEnd();
}
