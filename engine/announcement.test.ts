import { describe, expect, it } from 'vitest';
import { FOLDER_PROBLEMS } from '#protocol/schema/library.ts';
import { Announcement } from './announcement.ts';

function announced(prepare: (announcement: Announcement) => void): string {
  const written: string[] = [];
  const announcement = new Announcement({
    host: '127.0.0.1',
    port: 8420,
    publicUrl: null,
    write: (text) => written.push(text),
  });
  prepare(announcement);
  announcement.ready();
  return written.join('');
}

describe('what the person at the console is told', () => {
  it('the address, and the setup code while there is nobody', () => {
    expect(announced(() => {})).toBe('\nMatinee is ready: http://127.0.0.1:8420\n\n');
    expect(announced((announcement) => announcement.setupCode('AAAA-BBBB'))).toContain('\nSetup code: AAAA-BBBB\n');
  });

  it('that a folder they named is not there, below everything else', () => {
    const text = announced((announcement) => {
      announcement.folderProblem({
        path: '/nope/Movies',
        problem: 'notFound',
        at: { path: '/', owner: 'root', group: 'root', mode: 'drwxr-xr-x' },
        runsAs: 'ada',
        videoFiles: 0,
        isMore: false,
      });
      announcement.setupCode('AAAA-BBBB');
    });
    expect(text).toMatch(/It works once\.\n\nThe folder of movies \/nope\/Movies is not there\. .+\n\n$/);
  });

  it('every problem of a folder, with the folder', () => {
    for (const problem of FOLDER_PROBLEMS) {
      const check = { path: '/srv/Movies', problem, at: null, runsAs: 'ada', videoFiles: 0, isMore: false };
      expect(announced((announcement) => announcement.folderProblem(check))).toMatch(/^.*\/srv\/Movies.*\.$/m);
    }
  });
});
