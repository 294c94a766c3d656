import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { RadarrEvent, RadarrStatus } from '../schema/radarr.ts';
import { Id } from '../schema/scalar.ts';

export const radarrFeed = defineFeed({
  id: 22,
  name: 'radarr',
  since: 1,
  summary: 'How Radarr is reached, and its latest messages.',
  permission: 'server:manage',
  key: null,
  snapshot: v.object({ status: RadarrStatus, events: v.array(RadarrEvent) }),
  entry: v.variant('kind', [
    v.object({ kind: v.literal('status'), id: v.literal('status'), status: RadarrStatus }),
    v.object({ kind: v.literal('event'), id: Id, event: RadarrEvent }),
  ]),
});
