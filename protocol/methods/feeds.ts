/** Following feeds. Only on a socket. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Count } from '../schema/scalar.ts';

const FeedName = v.pipe(v.string(), v.maxLength(40));
const FeedKey = v.nullable(v.pipe(v.string(), v.maxLength(64)));

/** A place in a feed. `epoch` names the history that `seq` counts in; a cursor of another epoch gets a snapshot. */
export const Cursor = v.object({ epoch: v.pipe(v.string(), v.maxLength(64)), seq: Count });

export const feed = {
  subscribe: defineCall({
    id: 3,
    name: 'feed.subscribe',
    since: 1,
    summary: 'Follows a feed: the reply, then a snapshot or the deltas missed since `cursor`, then every change.',
    permission: 'self',
    input: v.object({ feed: FeedName, key: v.optional(FeedKey, null), cursor: v.optional(Cursor) }),
    output: v.object({ epoch: v.string(), isResumed: v.boolean() }),
    failures: {
      unknownFeed: v.object({ feed: v.string() }),
      tooManySubscriptions: v.object({ limit: Count }),
    },
    only: 'socket',
  }),
  unsubscribe: defineCall({
    id: 4,
    name: 'feed.unsubscribe',
    since: 1,
    summary: 'Stops following a feed.',
    permission: 'self',
    input: v.object({ feed: FeedName, key: v.optional(FeedKey, null) }),
    output: v.object({}),
    failures: {},
    only: 'socket',
  }),
};
