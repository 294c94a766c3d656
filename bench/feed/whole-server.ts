/** The whole engine with one movie in it, as a person starts it, and somebody who watches that movie. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { progress } from '#protocol/index.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';

export class WholeServer implements AsyncDisposable {
  readonly port: number;
  readonly token: string;
  readonly #stack: AsyncDisposableStack;
  readonly #person: Person;
  readonly #movieId: string;
  #positionMs = 0;

  private constructor(stack: AsyncDisposableStack, port: number, person: Person, movieId: string) {
    this.#stack = stack;
    this.port = port;
    this.token = person.token;
    this.#person = person;
    this.#movieId = movieId;
  }

  /** Starts it with a database of its own, and a copy of the movie. */
  static async start(moviePath: string): Promise<WholeServer> {
    await using stack = new AsyncDisposableStack();
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'matinee-bench-feed-')));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    await putMovie(join(folder, 'movies', 'Metropolis (1927).mp4'), moviePath);
    const engine = stack.use(
      await startEngine({
        dataFolder: join(folder, 'data'),
        libraries: [join(folder, 'movies')],
        flags: ['--watch', 'off', '--log-level', 'warn'],
        environment: adminEnvironment,
      }),
    );
    const person = stack.use(await Person.signIn(engine.url));
    await person.scan();
    const { id } = await person.movie('Metropolis');
    return new WholeServer(stack.move(), engine.port, person, id);
  }

  /** Says where the player is, as players do. Returns when it began to say so. */
  async report(): Promise<bigint> {
    const atNs = process.hrtime.bigint();
    await this.#person.call(progress.report, {
      movieId: this.#movieId,
      positionMs: ++this.#positionMs,
      durationMs: 3_600_000,
    });
    return atNs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
