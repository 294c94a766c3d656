/** The machine's decoders and encoders. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { HardwareState } from '../schema/hardware.ts';
import { Id } from '../schema/scalar.ts';

export const hardware = {
  state: defineCall({
    id: 93,
    name: 'hardware.state',
    since: 1,
    summary: 'What each kind of hardware was proven to do, why not where it was not, and what is used.',
    permission: 'server:manage',
    input: v.object({}),
    output: HardwareState,
    failures: {},
    http: { method: 'GET', path: '/hardware' },
  }),
  test: defineCall({
    id: 94,
    name: 'hardware.test',
    since: 1,
    summary: 'Tries all hardware anew, as a job. Playbacks go on with what they have.',
    permission: 'server:manage',
    input: v.object({}),
    output: v.object({ jobId: Id }),
    failures: {
      /** The setting is `off`. */
      switchedOff: v.object({}),
    },
    http: { method: 'POST', path: '/hardware/test' },
  }),
};
