import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '#engine/base/clock.ts';
import { silentLog } from '#engine/base/log.ts';
import { PERMISSIONS_BY_ROLE } from '#protocol/permission.ts';
import type { Role } from '#protocol/permission.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import { testContext } from '#test/support/call-context.ts';
import { MemorySubtitleStore, MemorySubtitleVault } from '#test/support/subtitles.ts';
import { createSubtitleHandlers } from './subtitle-handlers.ts';
import { createUploadRoute, subtitleName } from './subtitle-routes.ts';

const id = (last: number): string => `01890000-0000-7000-8000-${String(last).padStart(12, '0')}`;
const [FILE, UPLOAD] = [id(1), id(2)];
const person = (last: number, role: Role): Viewer => ({
  id: id(last),
  name: `Person ${last}`,
  role,
  permissions: [...PERMISSIONS_BY_ROLE[role]],
});
const [ADA, BOB, ADMIN] = [person(10, 'user'), person(11, 'user'), person(12, 'admin')];

describe('names below a signed address', () => {
  it.each<[string, unknown]>([
    ['t0.vtt', { kind: 'vtt', trackIndex: 0 }],
    ['t12.ass', { kind: 'ass', trackIndex: 12 }],
    [`s${FILE}.pics`, { kind: 'pics', subtitleId: FILE }],
    ['f7', { kind: 'font', attachmentIndex: 7 }],
    ['t07.vtt', null],
    ['t99999.vtt', null],
    ['t1.srt', null],
    ['t1.done', null],
    ['t1', null],
    ['f07', null],
    ['f-1', null],
    ['s0189ABCD-0000-7000-8000-000000000001.vtt', null],
    ['s../../etc/passwd.vtt', null],
    ['t1.vtt.new', null],
    ['t1.vtt\n', null],
  ])('[PLAY5] %j', (name, expected) => {
    expect(subtitleName(name)).toEqual(expected);
  });
});

let store: MemorySubtitleStore;
let vault: MemorySubtitleVault;
let kind: string | null;
let quota: { personBytes: number; totalBytes: number };
const route = () =>
  createUploadRoute({
    ...{ store, vault, newId: () => UPLOAD, clock: new FakeClock(), log: silentLog },
    shelf: { look: () => Promise.resolve(kind) },
    quota,
  });

interface Reply {
  readonly status: number;
  readonly body: { code?: string; subtitle?: { id: string; isMine: boolean } };
}

async function* inPieces(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < body.length; at += 1 << 20) yield await Promise.resolve(body.subarray(at, at + (1 << 20)));
}

async function send(
  query: string,
  body: Uint8Array = Buffer.from('x'),
  viewer: Viewer = ADA,
  fileId = FILE,
): Promise<Reply> {
  let reply: Reply | null = null;
  await route().handle(
    { params: { fileId }, query: new URLSearchParams(query), stream: inPieces(body), signedIn: { viewer } },
    {
      send: (status, _headers, text) => {
        reply = { status, body: JSON.parse(String(text)) as Reply['body'] };
      },
      stream: () => Promise.reject(new Error('not for uploads')),
      file: () => Promise.reject(new Error('not for uploads')),
    },
  );
  return reply!;
}

beforeEach(() => {
  store = new MemorySubtitleStore();
  vault = new MemorySubtitleVault();
  kind = 'srt';
  quota = { personBytes: 1e9, totalBytes: 1e9 };
});

describe('handing in a file', () => {
  it('[PLAY57] keeps it under an id, with what was said of it and a name that is no path', async () => {
    const reply = await send('name=..%2F..%2Fetc%2Fmine.srt&language=fr&sdh=1', Buffer.from('hello'));
    expect(reply).toMatchObject({ status: 201, body: { subtitle: { id: UPLOAD, isMine: true } } });
    expect(store.uploads).toMatchObject([
      {
        id: UPLOAD,
        fileId: FILE,
        userId: ADA.id,
        name: 'mine.srt',
        language: 'fr',
        isHearingImpaired: true,
        format: 'srt',
      },
    ]);
    expect([...vault.files]).toEqual([[UPLOAD, Buffer.from('hello')]]);
  });

  it('[PLAY57] puts an index before its pictures', async () => {
    kind = 'vobsub';
    await send('name=a.sub&index=3', Buffer.from('idxpictures'));
    expect(Buffer.from(vault.files.get(UPLOAD)!).toString('latin1')).toBe(
      'VOBSUB01\u0000\u0000\u0000\u0003idxpictures',
    );
  });

  it.each<[string, string, Uint8Array, string | null, number]>([
    ['without a name', '', Buffer.from('x'), 'srt', 400],
    ['that is empty', 'name=a.srt', Buffer.alloc(0), 'srt', 400],
    ['whose index is longer than it', 'name=a.sub&index=99', Buffer.from('x'), 'vobsub', 400],
    ['with a language that is none', `name=a.srt&language=${'x'.repeat(99)}`, Buffer.from('x'), 'srt', 400],
    ['that is nothing of ours', 'name=a.srt', Buffer.from('MZ'), null, 422],
    ['of text larger than any', 'name=a.srt', Buffer.alloc(6 << 20), 'srt', 413],
  ])('[PLAY57] refuses one %s, and keeps nothing', async (_what, query, body, found, status) => {
    kind = found;
    expect((await send(query, body)).status).toBe(status);
    expect(vault.files.size).toBe(0);
    expect(store.uploads).toEqual([]);
  });

  it('[PLAY57] refuses who may not play, and names that are no file', async () => {
    await expect(send('name=a.srt', Buffer.from('x'), { ...ADA, permissions: ['self'] })).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect((await send('name=a.srt', Buffer.from('x'), ADA, '../x')).status).toBe(400);
    expect(vault.files.size).toBe(0);
  });
});

describe('room for what is handed in', () => {
  it('[PLAY57] is bounded for each person, and for all together', async () => {
    quota = { personBytes: 10, totalBytes: 15 };
    expect((await send('name=a.srt', Buffer.alloc(6, 'x'))).status).toBe(201);
    expect(await send('name=a.srt', Buffer.alloc(6, 'x'))).toMatchObject({
      status: 507,
      body: { code: 'quotaReached' },
    });
    expect((await send('name=a.srt', Buffer.alloc(6, 'x'), BOB)).status).toBe(201);
    expect((await send('name=a.srt', Buffer.alloc(4, 'x'), ADMIN)).status).toBe(507);
    expect(store.uploads).toHaveLength(2);
  });
});

describe('changing and removing', () => {
  it('[PLAY57] is theirs who handed it in, and theirs who manage libraries', async () => {
    await send('name=mine.srt');
    const handlers = createSubtitleHandlers(store, vault);
    const remove = async (viewer: Viewer): Promise<unknown> =>
      await handlers.remove({ subtitleId: UPLOAD }, { ...testContext(), viewer });
    await expect(remove(BOB)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(
      handlers.edit({ subtitleId: UPLOAD, language: 'de' }, { ...testContext(), viewer: BOB }),
    ).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(vault.files.size).toBe(1);
    await remove(ADMIN);
    expect([vault.files.size, store.uploads.length]).toEqual([0, 0]);
    await expect(remove(ADA)).rejects.toMatchObject({ code: 'notFound' });
  });
});
