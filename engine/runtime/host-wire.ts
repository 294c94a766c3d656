/**
 * What a ProcessHost and its child say to each other over the IPC channel, which carries structured clones.
 * Both ends are ours and of one version, so nothing here is parsed; what a user's file can influence is the content of a
 * reply, and each port says what that may be.
 */
export type ToHost =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'stop' };

/** A call that every host answers by itself. */
export const PING = '#ping';

/** Name of the thread in a host that is not its work. At most 15 characters, as the kernel keeps them. */
export const ORPHAN_WATCH = 'orphan-watch';

export type FromHost<Event> =
  | { readonly kind: 'ready' }
  /** A call is taken in hand that came while there was none. */
  | { readonly kind: 'begun'; readonly id: number }
  /** `isBusy`: the call behind it is in hand from now on, so that a busy child need not say `begun`. */
  | { readonly kind: 'reply'; readonly id: number; readonly result: unknown; readonly isBusy: boolean }
  | { readonly kind: 'defect'; readonly id: number; readonly error: Error; readonly isBusy: boolean }
  /** `callId`: the newest call that had been begun, so that the parent can tell what came of an older one. */
  | { readonly kind: 'event'; readonly event: Event; readonly callId: number };

/** Names of the calls of a port: those of its members that are functions. */
export type CallName<Calls> = { [Name in keyof Calls]: Calls[Name] extends AnyCall ? Name : never }[keyof Calls] &
  string;
export type CallArgs<Calls, Name extends keyof Calls> = Calls[Name] extends (...args: infer Args) => unknown
  ? Args
  : never;
export type CallResult<Calls, Name extends keyof Calls> = Calls[Name] extends (...args: never[]) => infer Result
  ? Awaited<Result>
  : never;

type AnyCall = (...args: never[]) => unknown;
