import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { HealthItem } from '../schema/health.ts';

export const healthFeed = defineFeed({
  id: 5,
  name: 'health',
  since: 1,
  summary: 'What the person who runs the server should know.',
  permission: 'server:manage',
  key: null,
  snapshot: v.object({ items: v.array(HealthItem) }),
  entry: v.variant('kind', [v.object({ kind: v.literal('health'), id: v.string(), item: v.nullable(HealthItem) })]),
});
