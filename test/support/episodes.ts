/** Made-up episodes that share a jingle, and films that end in a dark pause, for everything that looks for such things. */
import { clip } from './media.ts';

/** How long the jingle is. */
export const JINGLE_MS = 20_000;

/** Sound of its own: a melody that no other seed has. */
export const talk = (seed: number, seconds: number): string => {
  const voice = (speed: number, step: number, base: number, notes: number): string =>
    `0.25*sin(2*PI*t*(${base}+${23 + (seed % 5)}*mod(floor(t*${speed})*${step}+${seed * 7}\\,${notes})))`;
  return `aevalsrc='${voice(3.1 + seed / 40, 7 + seed, 180, 29)}+${voice(2.2 + seed / 30, 11 + seed * 3, 410, 37)}+0.05*random(0)':s=44100:d=${seconds}`;
};

/** Chords that follow each other, as in a theme. */
const jingle = `aevalsrc='0.3*sin(2*PI*t*(220+55*mod(floor(t*2.3)*7\\,11)))+0.3*sin(2*PI*t*(330+41*mod(floor(t*1.7)*5\\,13)))':s=44100:d=${JINGLE_MS / 1_000}`;

/** An episode: its own sound, the jingle from `atSeconds` on, its own sound again. */
export const episode = (seed: number, atSeconds: number, codec: readonly string[] = ['-c:a', 'aac', '-b:a', '96k']) =>
  clip({
    name: `episode-${seed}.mka`,
    args: [
      ...[
        '-f',
        'lavfi',
        '-i',
        talk(seed, atSeconds),
        '-f',
        'lavfi',
        '-i',
        jingle,
        '-f',
        'lavfi',
        '-i',
        talk(seed + 100, 60),
      ],
      ...['-filter_complex', '[0:a][1:a][2:a]concat=n=3:v=0:a=1[a]', '-map', '[a]', ...codec],
    ],
  });

/** Pictures and sound, pause by pause: `film` bright and loud, `gap` black and silent, `words` white on black with music. */
export async function film(
  name: string,
  spans: readonly (readonly ['film' | 'gap' | 'dark' | 'hush' | 'words', number])[],
): Promise<string> {
  const pictures = {
    film: (s: number) => `testsrc2=size=320x180:rate=12:duration=${s}`,
    hush: (s: number) => `testsrc2=size=320x180:rate=12:duration=${s}`,
    gap: (s: number) => `color=black:size=320x180:rate=12:duration=${s}`,
    dark: (s: number) => `color=black:size=320x180:rate=12:duration=${s}`,
    words: (s: number) =>
      `color=black:size=320x180:rate=12:duration=${s},drawbox=x=120:y=mod(t*20\\,180):w=80:h=6:c=white:t=fill`,
  };
  const sounds = {
    film: (s: number) => `anoisesrc=amplitude=0.3:duration=${s}:sample_rate=44100`,
    dark: (s: number) => `anoisesrc=amplitude=0.3:duration=${s}:sample_rate=44100`,
    gap: (s: number) => `anullsrc=r=44100:cl=mono:d=${s}`,
    hush: (s: number) => `anullsrc=r=44100:cl=mono:d=${s}`,
    words: (s: number) => `sine=frequency=330:duration=${s}:sample_rate=44100`,
  };
  const inputs = spans.flatMap(([kind, s]) => [
    '-f',
    'lavfi',
    '-i',
    pictures[kind](s),
    '-f',
    'lavfi',
    '-i',
    sounds[kind](s),
  ]);
  const places = spans.map((_, i) => `[${i * 2}:v][${i * 2 + 1}:a]`).join('');
  return clip({
    name,
    args: [
      ...inputs,
      ...['-filter_complex', `${places}concat=n=${spans.length}:v=1:a=1[v][a]`, '-map', '[v]', '-map', '[a]'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '48', '-c:a', 'aac', '-b:a', '64k'],
    ],
  });
}
