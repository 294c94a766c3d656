import { beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '#protocol/errors.ts';
import { movies } from '#protocol/methods/movies.ts';
import { MemoryServer } from '#test/support/memory-server.ts';
import { EditStore } from './edits.ts';

const HEAT = '01900000-0000-7000-8000-000000000001';
const ALIEN = '01900000-0000-7000-8000-000000000002';

describe('edits', () => {
  let server: MemoryServer;
  let edits: EditStore;
  let number = 0;
  beforeEach(() => {
    server = new MemoryServer();
    server.setLive(true);
    edits = new EditStore(server);
    number = 0;
    server.answer(movies.editMany, ({ movieIds }) => ({ editId: `edit ${++number}`, changed: movieIds.length }));
    server.answer(movies.hide, () => ({ editId: `edit ${++number}`, changed: 1 }));
    server.answer(movies.undo, () => ({ changed: 1, kept: 0 }));
  });

  it('the latest edit of each movie can be taken back', async () => {
    await edits.editMany([HEAT, ALIEN], { addTags: ['seaside'] });
    await edits.hide(ALIEN, true);
    expect([edits.latestOf(HEAT), edits.latestOf(ALIEN)]).toEqual(['edit 1', 'edit 2']);
    await edits.undo('edit 1');
    expect([edits.latestOf(HEAT), edits.latestOf(ALIEN)]).toEqual([null, 'edit 2']);
  });

  it('what changed nothing leaves nothing to take back', async () => {
    server.answer(movies.hide, () => ({ editId: null, changed: 0 }));
    expect(await edits.hide(HEAT, true)).toEqual({ editId: null, changed: 0 });
    expect(edits.latestOf(HEAT)).toBeNull();
  });

  it('an edit that was taken back elsewhere is offered no more', async () => {
    await edits.hide(HEAT, true);
    server.answer(movies.undo, () => Promise.reject(new Failure('alreadyUndone', {})));
    await expect(edits.undo('edit 1')).rejects.toMatchObject({ code: 'alreadyUndone' });
    expect(edits.latestOf(HEAT)).toBeNull();
  });

  it('one that could not be taken back just now can be later', async () => {
    await edits.hide(HEAT, true);
    server.setLive(false);
    await expect(edits.undo('edit 1')).rejects.toMatchObject({ code: 'disconnected' });
    expect(edits.latestOf(HEAT)).toBe('edit 1');
    server.setLive(true);
    await edits.undo('edit 1');
    expect(edits.latestOf(HEAT)).toBeNull();
  });
});
