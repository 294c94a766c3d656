/** Radarr: where it is, what it says, and what it has. */
import * as v from 'valibot';
import { defineCall } from '../contract.ts';
import { PathMapping, RadarrCheck, RadarrEvent, RadarrStatus, RadarrTrouble } from '../schema/radarr.ts';
import { Count } from '../schema/scalar.ts';

const RadarrUrl = v.pipe(
  v.string(),
  v.trim(),
  v.maxLength(500),
  v.regex(
    /^https?:\/\/[^\s/@?#\\]+(\/[^\s@?#\\]*)?$/i,
    'must be an address like http://radarr.lan:7878, without a user, a password or a query',
  ),
);
const ApiKey = v.pipe(v.string(), v.trim(), v.regex(/^[\x21-\x7e]{1,200}$/, 'must be the key as Radarr shows it'));

export const radarr = {
  status: defineCall({
    id: 220,
    name: 'radarr.status',
    since: 1,
    summary: 'How Radarr is reached, and what came of it last.',
    permission: 'server:manage',
    input: v.object({}),
    output: RadarrStatus,
    failures: {},
    http: { method: 'GET', path: '/radarr' },
  }),
  configure: defineCall({
    id: 221,
    name: 'radarr.configure',
    since: 1,
    summary:
      'Changes how Radarr is reached; `null` forgets. What was saved is looked at by the next sync, which is begun.',
    permission: 'server:manage',
    input: v.object({
      url: v.optional(v.nullable(RadarrUrl)),
      apiKey: v.optional(v.nullable(ApiKey)),
      mappings: v.optional(v.pipe(v.array(PathMapping), v.maxLength(50))),
      syncEveryHours: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(168))),
    }),
    output: RadarrStatus,
    failures: {
      /** Another server is named without its key: the old one is not sent to it. */
      keyNeeded: v.object({}),
      /** A mapping that is no mapping: not from one whole path to another, or twice from the same. */
      badMapping: v.object({ from: v.string(), problem: v.picklist(['from', 'to', 'twice']) }),
    },
    http: { method: 'PATCH', path: '/radarr' },
  }),
  check: defineCall({
    id: 222,
    name: 'radarr.check',
    since: 1,
    summary: 'Asks Radarr for its version, profiles and folders, and looks whether the folders can be read here.',
    permission: 'server:manage',
    input: v.object({}),
    output: RadarrCheck,
    failures: { radarrTrouble: RadarrTrouble },
    http: { method: 'POST', path: '/radarr/check' },
    statusByFailure: { radarrTrouble: 502 },
    deadlineMs: 60_000,
  }),
  openWebhook: defineCall({
    id: 223,
    name: 'radarr.openWebhook',
    since: 1,
    summary:
      'Makes the secret that Radarr’s messages must carry, and with it their address. An earlier secret stops working.',
    permission: 'server:manage',
    input: v.object({}),
    /** Told this once. */
    output: v.object({ secret: v.string() }),
    failures: {},
    http: { method: 'POST', path: '/radarr/webhook' },
  }),
  closeWebhook: defineCall({
    id: 224,
    name: 'radarr.closeWebhook',
    since: 1,
    summary: 'Forgets the secret: messages are not taken any more.',
    permission: 'server:manage',
    input: v.object({}),
    output: RadarrStatus,
    failures: {},
    http: { method: 'DELETE', path: '/radarr/webhook' },
  }),
  sync: defineCall({
    id: 225,
    name: 'radarr.sync',
    since: 1,
    summary: 'Looks at all of Radarr’s movies now, or at one by its number there. The jobs tell how far it is.',
    permission: 'server:manage',
    input: v.object({ radarrId: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(2_147_483_647))) }),
    output: v.object({}),
    failures: { radarrTrouble: RadarrTrouble },
    http: { method: 'POST', path: '/radarr/sync' },
    statusByFailure: { radarrTrouble: 502 },
  }),
  events: defineCall({
    id: 226,
    name: 'radarr.events',
    since: 1,
    summary: 'The messages that came from Radarr, the latest first.',
    permission: 'server:manage',
    input: v.object({ limit: v.optional(v.pipe(Count, v.minValue(1), v.maxValue(200)), 50) }),
    output: v.object({ events: v.array(RadarrEvent) }),
    failures: {},
    http: { method: 'GET', path: '/radarr/events' },
  }),
};
