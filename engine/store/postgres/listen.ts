/**
 * Hearing of changes. A notification only says “look again”: those sent while the connection was down are gone, so
 * what counts is read from a table by sequence number, and read again whenever the connection is new.
 */
import type { Sql } from './connect.ts';

export interface Listening {
  /** Ends it; a refetch under way is waited for. */
  stop(): Promise<void>;
}

const RETRY_MS = 1_000;

/**
 * Calls `refetch` once at the start, after every notification on `channel`, and after every reconnect. Calls never
 * overlap: notifications that arrive during one lead to a single next one. A refetch that throws is told to `onError`
 * and tried again a second later. Resolves when the channel is heard; rejects when the first connection fails.
 */
export async function listenForChanges(
  sql: Sql,
  channel: string,
  refetch: () => Promise<void>,
  onError: (error: unknown) => void,
): Promise<Listening> {
  let isStopped = false;
  let isWanted = false;
  let running: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    while (isWanted && !isStopped) {
      isWanted = false;
      try {
        await refetch();
      } catch (error) {
        if (isStopped) return;
        onError(error);
        retry = setTimeout(wake, RETRY_MS);
        return;
      }
    }
  }

  function wake(): void {
    clearTimeout(retry);
    isWanted = true;
    running ??= run().finally(() => {
      running = undefined;
    });
  }

  const subscription = await sql.listen(channel, wake, wake);
  return {
    async stop() {
      isStopped = true;
      clearTimeout(retry);
      await running;
      // A server that is gone no longer sends anything.
      await subscription.unlisten().catch(() => {});
    },
  };
}
