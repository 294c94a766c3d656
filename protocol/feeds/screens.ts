import * as v from 'valibot';
import { defineFeed } from '../contract.ts';
import { Id } from '../schema/scalar.ts';
import { Screen } from '../schema/screen.ts';

export const screensFeed = defineFeed({
  id: 24,
  name: 'screens',
  since: 1,
  summary: 'The screens that this person has open now: what each plays, and where.',
  permission: 'self',
  key: null,
  snapshot: v.object({ screens: v.array(Screen) }),
  /** `null`: the screen is gone. */
  entry: v.variant('kind', [v.object({ kind: v.literal('screen'), id: Id, screen: v.nullable(Screen) })]),
});
