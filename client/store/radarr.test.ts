import { describe, expect, it } from 'vitest';
import { Failure } from '#protocol/errors.ts';
import { radarrFeed } from '#protocol/feeds.ts';
import { radarr as calls } from '#protocol/index.ts';
import { MemoryServer } from '#test/support/memory-server.ts';
import { RadarrLink } from './radarr.ts';
import type { Check, Message, Status } from './radarr.ts';

const STATUS: Status = {
  url: 'http://radarr.lan:7878',
  hasApiKey: true,
  mappings: [{ from: '/movies', to: '/mnt/films' }],
  syncEveryHours: 6,
  instanceName: null,
  version: null,
  trouble: null,
  lastSync: null,
  isWebhookOpen: false,
};
const CHECK: Check = { instanceName: 'Radarr', version: '6.1.0', profiles: [], rootFolders: [], collectionCount: 0 };

const event = (number: number, outcome: Message['outcome'] = null): Message => ({
  id: `0190f3a2-0000-7000-8000-${String(number).padStart(12, '0')}`,
  at: 1_700_000_000_000 + number,
  kind: 'Download',
  subject: 'Heat',
  isUpgrade: false,
  outcome,
  path: null,
});

function open(status: Status = STATUS): { server: MemoryServer; link: RadarrLink } {
  const server = new MemoryServer();
  server.setLive(true);
  const link = new RadarrLink(server);
  server.snapshot(radarrFeed, { status, events: [event(1)] });
  return { server, link };
}

describe('RadarrLink', () => {
  it('shows messages as they come and are dealt with, the latest first, and no more than fit', () => {
    const { server, link } = open();
    server.entries(radarrFeed, [{ kind: 'event', id: event(2).id, event: event(2) }]);
    server.entries(radarrFeed, [{ kind: 'event', id: event(1).id, event: event(1, 'lookedAt') }]);
    expect(link.events.value.map(({ id, outcome }) => [id.at(-1), outcome])).toEqual([
      ['2', null],
      ['1', 'lookedAt'],
    ]);
    for (let number = 3; number < 100; number++) {
      server.entries(radarrFeed, [{ kind: 'event', id: event(number).id, event: event(number) }]);
    }
    expect(link.events.value).toHaveLength(50);
    expect(link.events.value[0]).toEqual(event(99));
  });

  it('asks Radarr once what was saved is saved, and shows what it says', async () => {
    const { server, link } = open();
    server.answer(calls.configure, () => ({ ...STATUS, syncEveryHours: 12 }));
    server.answer(calls.check, () => CHECK);
    await link.configure({ syncEveryHours: 12 });
    expect(link.status.value?.syncEveryHours).toBe(12);
    expect(link.check.value).toEqual(CHECK);
    expect(server.sent.map(({ name }) => name)).toEqual(['radarr.configure', 'radarr.check']);
  });

  it('shows why Radarr does not answer in place of the answer', async () => {
    const { server, link } = open();
    server.answer(calls.check, () => CHECK);
    await link.look();
    server.answer(calls.check, () => {
      throw new Failure('radarrTrouble', { reason: 'badKey', detail: '401' });
    });
    await link.look();
    expect([link.check.value, link.checkFailure.value?.code, link.isChecking.value]).toEqual([
      null,
      'radarrTrouble',
      false,
    ]);
  });

  it('asks nobody where there is no address', async () => {
    const { server, link } = open({ ...STATUS, url: null });
    await link.look();
    expect(server.sent).toEqual([]);
  });

  it('an answer to an earlier question does not cover a later one', async () => {
    const { server, link } = open();
    const first = Promise.withResolvers<Check>();
    server.answer(calls.check, () => first.promise);
    const looking = link.look();
    server.answer(calls.check, () => ({ ...CHECK, version: '7' }));
    await link.look();
    first.resolve(CHECK);
    await looking;
    expect(link.check.value?.version).toBe('7');
  });

  it('a mapping takes the place of the one for the same folder', async () => {
    const { server, link } = open();
    server.answer(calls.configure, (input) => ({ ...STATUS, mappings: input.mappings ?? [] }));
    server.answer(calls.check, () => CHECK);
    await link.useMapping({ from: '/movies', to: '/srv/films' });
    await link.useMapping({ from: '/4k', to: '/srv/4k' });
    expect(link.status.value?.mappings).toEqual([
      { from: '/movies', to: '/srv/films' },
      { from: '/4k', to: '/srv/4k' },
    ]);
    await link.removeMapping({ from: '/movies', to: '/srv/films' });
    expect(link.status.value?.mappings).toEqual([{ from: '/4k', to: '/srv/4k' }]);
  });

  it('knows the secret from its making to its end', async () => {
    const { server, link } = open();
    server.answer(calls.openWebhook, () => ({ secret: 's3cret' }));
    server.answer(calls.closeWebhook, () => STATUS);
    await link.openWebhook();
    expect(link.secret.value).toBe('s3cret');
    await link.closeWebhook();
    expect(link.secret.value).toBeNull();
  });

  it('follows no longer than it is shown', () => {
    const { server, link } = open();
    link.dispose();
    expect(server.isFollowed(radarrFeed)).toBe(false);
  });
});
