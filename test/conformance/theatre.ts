/** A whole engine with a library of odd movies, and somebody who plays them: the stage of the conformance tests. */
import { copyFile, mkdir, mkdtemp, readdir, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { playback } from '#protocol/index.ts';
import type { InputOf } from '#protocol/contract.ts';
import type { DeviceProfile, Playback } from '#protocol/schema/playback.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

/** A device that takes everything in segments and nothing as a file. */
export const SEGMENTS_ONLY: DeviceProfile = {
  name: 'segments only',
  file: [],
  segments: {
    video: ['h264', 'hevc', 'vp9', 'av1'].map((codec) => ({ codec, maxBitDepth: 10 })),
    audio: ['aac', 'ac3', 'eac3', 'opus', 'flac', 'mp3'],
  },
  hdr: ['hdr10', 'hlg'],
  maxAudioChannels: 8,
};

/** How long it may take to make the movies and to look through them, on a machine that has other things to do. */
export const OPENING_MS = 280_000;

export class Theatre implements AsyncDisposable {
  readonly #base: string;
  readonly #movieIds: ReadonlyMap<string, string>;
  engine: RunningEngine;
  person: Person;

  private constructor(base: string, movieIds: ReadonlyMap<string, string>, engine: RunningEngine, person: Person) {
    this.#base = base;
    this.#movieIds = movieIds;
    this.engine = engine;
    this.person = person;
  }

  /**
   * `clips`: what makes each file, by the name that tests call it. `beside`: texts of files that lie beside one, by the ending that follows
   * its name.
   */
  static async open(
    clips: Readonly<Record<string, () => Promise<string>>>,
    beside: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  ): Promise<Theatre> {
    const base = await realpath(await mkdtemp(join(tmpdir(), 'matinee theatre ')));
    const folder = join(base, 'Films');
    await mkdir(folder);
    const settled = new Date(Date.now() - 15 * 60_000);
    const names = Object.keys(clips);
    for (const [index, name] of names.entries()) {
      const source = await clips[name]!();
      // Titles that no two share, whatever the clips are called.
      const path = join(folder, `${titleOf(index)} (${1950 + index})${extname(source)}`);
      await copyFile(source, path);
      await utimes(path, settled, settled);
      for (const [ending, text] of Object.entries(beside[name] ?? {})) {
        const other = join(folder, `${titleOf(index)} (${1950 + index})${ending}`);
        await writeFile(other, text);
        await utimes(other, settled, settled);
      }
    }
    const engine = await startEngine({
      dataFolder: join(base, 'data'),
      libraries: [folder],
      environment: { ...adminEnvironment, ...SMALL_PICTURES },
    });
    const person = await Person.signIn(engine.url);
    await person.scan();
    const tiles = await person.movies();
    const idByTitle = new Map(tiles.map(({ title, id }) => [title, id]));
    const movieIds = new Map(names.map((name, index) => [name, idByTitle.get(titleOf(index)) ?? '']));
    const lost = [...movieIds].filter(([, id]) => id === '').map(([name]) => name);
    if (lost.length > 0) throw new Error(`not found by the scan: ${lost.join(', ')}\n${engine.output()}`);
    return new Theatre(base, movieIds, engine, person);
  }

  /** Where the movies lie. */
  get folder(): string {
    return join(this.#base, 'Films');
  }

  /** The file of a movie. */
  async pathOf(name: string): Promise<string> {
    const start = `${titleOf([...this.#movieIds.keys()].indexOf(name))} (`;
    const found = (await readdir(this.folder)).find((each) => each.startsWith(start) && extname(each) !== '.srt');
    if (found === undefined) throw new Error(`there is no file of ${name}`);
    return join(this.folder, found);
  }

  get dataFolder(): string {
    return join(this.#base, 'data');
  }

  movieId(name: string): string {
    const id = this.#movieIds.get(name);
    if (id === undefined) throw new Error(`there is no movie called ${name}`);
    return id;
  }

  async play(name: string, input: Partial<InputOf<(typeof playback)['open']>> = {}): Promise<Playback> {
    return await this.person.request(playback.open, {
      movieId: this.movieId(name),
      profile: SEGMENTS_ONLY,
      startMs: 0,
      ...input,
    });
  }

  /** Absolute address of a playback. */
  urlOf(address: string): string {
    return new URL(address, this.engine.url).href;
  }

  /** The bytes at an address, without any cookie or header: the address is the key. */
  readonly get = async (url: string): Promise<Buffer> => {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(this.urlOf(url));
      const body = Buffer.from(await response.arrayBuffer());
      if (response.ok) return body;
      // A viewer before us may still hold the place of a transcode; players wait and ask again.
      if (response.status === 503 && attempt < 8) {
        await new Promise((resolve) => setTimeout(resolve, 1_000 * Number(response.headers.get('retry-after') ?? 1)));
        continue;
      }
      throw new Error(
        `${response.status} for …${new URL(url, this.engine.url).pathname.slice(-40)}: ${body.toString()}`,
      );
    }
  };

  /** Another process, at the same address. What was made is gone, what was given out still works. */
  async restart(): Promise<void> {
    const { port } = this.engine;
    this.person[Symbol.dispose]();
    await this.engine.stop();
    this.engine = await startEngine({
      dataFolder: join(this.#base, 'data'),
      port,
      environment: SMALL_PICTURES,
    });
    this.person = await Person.signIn(this.engine.url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.person[Symbol.dispose]();
    await this.engine[Symbol.asyncDispose]();
    await rm(this.#base, { recursive: true, force: true });
  }
}

/** Several transcodes may run at once on any machine: what is tested is what they make. */
const SMALL_PICTURES = { MATINEE_MAX_TRANSCODES: '4' };

const WORDS = ['Anchor', 'Bramble', 'Cinder', 'Dapple', 'Ember', 'Fathom', 'Gully', 'Harbor', 'Ibex', 'Juniper'];
/** `Anchor Bramble`, and so on. */
const titleOf = (index: number): string => `${WORDS[index % 10]!} ${WORDS[(index + 1 + Math.floor(index / 10)) % 10]!}`;
