/** One screen of a person controls another of theirs. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { Count, Id, ShortText } from '../schema/scalar.ts';
import { ScreenAction, ScreenOrder, ScreenState } from '../schema/screen.ts';

export const screens = {
  show: defineCall({
    id: 240,
    name: 'screens.show',
    since: 1,
    summary:
      'Says that this screen is open, and what it plays. It is shown to other screens of the same person while it attends.',
    permission: 'self',
    input: v.object({ screenId: Id, ...ScreenState.entries }),
    output: v.object({}),
    failures: { tooManyScreens: v.object({ limit: Count }) },
    http: { method: 'PUT', path: '/screens/{screenId}' },
  }),
  attend: defineCall({
    id: 241,
    name: 'screens.attend',
    since: 1,
    summary: 'Waits for the next thing that another screen asks of this one; `null` after a while without any.',
    permission: 'self',
    input: v.object({ screenId: Id }),
    output: v.object({ order: v.nullable(ScreenOrder) }),
    failures: {},
    only: 'socket',
    deadlineMs: 60_000,
  }),
  answer: defineCall({
    id: 242,
    name: 'screens.answer',
    since: 1,
    summary: 'Says whether this screen has done what it was asked, or refuses.',
    permission: 'self',
    input: v.object({ screenId: Id, orderId: Id, isDone: v.boolean() }),
    output: v.object({}),
    failures: {},
    http: { method: 'POST', path: '/screens/{screenId}/orders/{orderId}' },
  }),
  order: defineCall({
    id: 243,
    name: 'screens.order',
    since: 1,
    summary: 'Asks something of another screen of the same person, and waits until it is done.',
    permission: 'self',
    input: v.object({ screenId: Id, from: ShortText, action: ScreenAction }),
    output: v.object({}),
    failures: {
      /** The screen does not let itself be controlled, or could not do it. */
      screenRefused: v.object({ name: ShortText }),
      /** It did not answer in time. */
      screenSilent: v.object({ name: ShortText }),
    },
    http: { method: 'POST', path: '/screens/{screenId}/orders' },
    statusByFailure: { screenSilent: 504 },
  }),
  hide: defineCall({
    id: 244,
    name: 'screens.hide',
    since: 1,
    summary: 'Says that this screen is closed.',
    permission: 'self',
    input: v.object({ screenId: Id }),
    output: v.object({}),
    failures: {},
    http: { method: 'DELETE', path: '/screens/{screenId}' },
  }),
};
