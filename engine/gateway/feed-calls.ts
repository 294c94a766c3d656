/** The calls that make a connection follow feeds: the gateway's own, because they are about the connection itself. */
import type { feed } from '#protocol/methods/feeds.ts';
import type { CallContext, Handlers } from '#protocol/handler.ts';
import { SocketScope } from './live-connection.ts';

export const feedCalls: Handlers<typeof feed> = {
  async subscribe(input, context) {
    const scope = socketScope(context);
    const { epoch, isResumed, start } = await scope.subscriptions.open(input.feed, input.key, input.cursor, {
      unknownFeed: (name) => context.fail('unknownFeed', { feed: name }),
      tooMany: (limit) => context.fail('tooManySubscriptions', { limit }),
    });
    scope.afterReply = start;
    return { epoch, isResumed };
  },
  unsubscribe(input, context) {
    socketScope(context).subscriptions.close(input.feed, input.key);
    return {};
  },
};

/** Calls marked `only: 'socket'` come through no other door. */
function socketScope(context: CallContext): SocketScope {
  if (context instanceof SocketScope) return context;
  throw new Error('a call about feeds came without a socket');
}
