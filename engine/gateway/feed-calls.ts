/** The calls that make a connection follow feeds: the gateway's own, because they are about the connection itself. */
import type { feed } from '#protocol/methods/feeds.ts';
import type { CallContext, Handlers } from '#protocol/handler.ts';
import { SocketCall } from './socket-call.ts';

export const feedCalls: Handlers<typeof feed> = {
  async subscribe(input, context) {
    const call = socketCall(context);
    const { epoch, isResumed, start } = await call.subscriptions.open(input.feed, input.key, input.cursor, {
      unknownFeed: (name) => context.fail('unknownFeed', { feed: name }),
      tooMany: (limit) => context.fail('tooManySubscriptions', { limit }),
    });
    call.afterReply = start;
    return { epoch, isResumed };
  },
  unsubscribe(input, context) {
    socketCall(context).subscriptions.close(input.feed, input.key);
    return {};
  },
};

/** Calls marked `only: 'socket'` come through no other door. */
function socketCall(context: CallContext): SocketCall {
  if (context instanceof SocketCall) return context;
  throw new Error('a call about feeds came without a socket');
}
