/** Choosing a folder of the server: walking through folders, typing a path, and learning whether it can be a library. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { libraries } from '#protocol/methods/libraries.ts';
import { isFailure } from '#protocol/errors.ts';
import type { Failure } from '#protocol/errors.ts';
import type { OutputOf } from '#protocol/contract.ts';
import type { FolderCheck } from '#protocol/schema/library.ts';
import type { LibraryRow } from './library.ts';
import type { Server } from './ports.ts';

export type FolderListing = OutputOf<typeof libraries.browse>;

/** Quiet time after typing before the path is looked at. */
const TYPING_MS = 350;

export class FolderChoice {
  readonly #server: Server;
  readonly #path = signal('');
  readonly #listing = signal<FolderListing | null>(null);
  readonly #check = signal<FolderCheck | null>(null);
  readonly #failure = signal<Failure | null>(null);
  readonly #isChecking = signal(false);
  #typing: ReturnType<typeof setTimeout> | undefined;
  #abort = new AbortController();

  constructor(server: Server) {
    this.#server = server;
  }

  get path(): ReadonlySignal<string> {
    return this.#path;
  }

  /** The folder that is open in the browser, `null` until the first reply. */
  get listing(): ReadonlySignal<FolderListing | null> {
    return this.#listing;
  }

  /** What the server says of `path`; `null` while it is empty or being looked at. */
  get check(): ReadonlySignal<FolderCheck | null> {
    return this.#check;
  }

  get isChecking(): ReadonlySignal<boolean> {
    return this.#isChecking;
  }

  get failure(): ReadonlySignal<Failure | null> {
    return this.#failure;
  }

  /** Opens a folder and looks at it; without a path, the places where people usually keep movies. */
  async open(path?: string): Promise<void> {
    clearTimeout(this.#typing);
    this.#path.value = path ?? '';
    await this.#look(path ?? null);
  }

  type(path: string): void {
    this.#path.value = path;
    this.#check.value = null;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => void this.#look(path.trim() === '' ? null : path.trim()), TYPING_MS);
  }

  /** Fails with `folderProblem` or a common failure. */
  async add(): Promise<LibraryRow> {
    const { library } = await this.#server.call(libraries.add, { path: this.#path.value.trim() });
    return library;
  }

  dispose(): void {
    clearTimeout(this.#typing);
    this.#abort.abort();
  }

  async #look(path: string | null): Promise<void> {
    this.#abort.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#check.value = null;
    this.#isChecking.value = path !== null;
    const { signal: abortSignal } = abort;
    try {
      const [check, listing] = await Promise.all([
        path === null ? null : this.#server.call(libraries.check, { path }, { signal: abortSignal }),
        path === null
          ? this.#server.call(libraries.browse, {}, { signal: abortSignal })
          : this.#server.call(libraries.browse, { path }, { signal: abortSignal }).catch((error: unknown) => {
              // A folder that can't be listed is what the check speaks about; the list stays where it was.
              if (isFailure(error)) return null;
              throw error;
            }),
      ]);
      if (abort.signal.aborted) return;
      this.#check.value = check;
      if (listing !== null) this.#listing.value = listing;
      this.#failure.value = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!isFailure(error)) throw error;
      this.#failure.value = error;
    } finally {
      if (!abort.signal.aborted) this.#isChecking.value = false;
    }
  }
}
