/** What is done to libraries by those who manage them. What comes of it arrives by the library's feed. */
import { libraries } from '#protocol/methods/libraries.ts';
import type { Infer } from '#protocol/contract.ts';
import type { LibraryIssue } from '#protocol/schema/library.ts';
import type { Server } from './ports.ts';

export type Issue = Infer<typeof LibraryIssue>;

export class LibraryCare {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** One, or all. */
  async scan(libraryId?: string): Promise<void> {
    await this.#server.call(libraries.scan, libraryId === undefined ? {} : { libraryId });
  }

  async remove(libraryId: string): Promise<void> {
    await this.#server.call(libraries.remove, { libraryId });
  }

  async issues(libraryId: string, offset: number): Promise<{ total: number; issues: readonly Issue[] }> {
    return this.#server.call(libraries.issues, { libraryId, offset, limit: 50 });
  }

  async retryFile(fileId: string): Promise<{ isPlayable: boolean; failure: string | null }> {
    return this.#server.call(libraries.retryFile, { fileId });
  }
}
