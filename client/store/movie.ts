/** One movie with its files, kept up to date while its page is open. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { movieFeed } from '#protocol/feeds/movie.ts';
import { movies } from '#protocol/methods/movies.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { Infer } from '#protocol/contract.ts';
import type { Movie, MovieFile } from '#protocol/schema/movie.ts';
import type { Progress } from '#protocol/schema/progress.ts';
import type { Link, Server } from './ports.ts';

export type MovieDetail = Infer<typeof Movie>;
export type MovieFileDetail = Infer<typeof MovieFile>;

export class MovieStore {
  readonly #movie = signal<MovieDetail | null>(null);
  /** The viewer's progress as it came with the movie; the progress store knows newer. */
  readonly progress = signal<Progress | null>(null);
  readonly #isGone = signal(false);
  readonly #movedTo = signal<string | null>(null);
  readonly #failure = signal<Failure | null>(null);
  readonly #disposers: (() => void)[] = [];

  constructor(server: Server, link: Pick<Link, 'state'>, movieId: string) {
    const take = (movie: MovieDetail | null): void => {
      if (movie === null) return look();
      this.#movie.value = movie;
      this.#isGone.value = false;
    };
    const look = (): void => {
      server.call(movies.get, { movieId }).then(
        ({ movie, progress }) => {
          if (movie.id !== movieId) return void (this.#movedTo.value = movie.id);
          this.progress.value = progress;
          this.#movie.value ??= movie;
        },
        (error: unknown) => {
          if (!isFailure(error)) throw error;
          fail(error);
        },
      );
    };
    const fail = (failure: Failure): void => {
      if (failure.code === 'notFound') this.#isGone.value = true;
      else if (failure.code !== 'disconnected') this.#failure.value = failure;
    };
    this.#disposers.push(
      server.follow(movieFeed, movieId, {
        onSnapshot: (snapshot) => take(snapshot.movie),
        onEntries: (entries) => {
          for (const entry of entries) take(entry.movie);
        },
        onFailure: fail,
      }),
      // The feed carries the movie for all who watch it; how far this person is comes with the call.
      link.state.subscribe((state) => {
        if (state.kind === 'live') look();
      }),
    );
  }

  get movie(): ReadonlySignal<MovieDetail | null> {
    return this.#movie;
  }

  /** The movie that this one was made one with. */
  get movedTo(): ReadonlySignal<string | null> {
    return this.#movedTo;
  }

  /** The movie does not exist, or not any more. */
  get isGone(): ReadonlySignal<boolean> {
    return this.#isGone;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  dispose(): void {
    for (const dispose of this.#disposers) dispose();
  }
}
