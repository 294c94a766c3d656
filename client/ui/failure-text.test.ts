import { describe, expect, it } from 'vitest';
import { MEDIA_FAILURES } from '#engine/media/media-failure.ts';
import type { Call } from '#protocol/contract.ts';
import { COMMON_FAILURES, Failure, commonFailure } from '#protocol/errors.ts';
import { calls } from '#protocol/index.ts';
import { collections } from '#protocol/methods/collections.ts';
import { downloads } from '#protocol/methods/downloads.ts';
import { metadata } from '#protocol/methods/metadata.ts';
import { COLLECTION_KINDS } from '#protocol/schema/collection.ts';
import { DOWNLOAD_HINDRANCES, DOWNLOAD_STATES } from '#protocol/schema/downloads.ts';
import { FOLDER_PROBLEMS } from '#protocol/schema/library.ts';
import type { FolderCheck } from '#protocol/schema/library.ts';
import { PLAY_REASONS } from '#protocol/schema/playback.ts';
import { FAILURE_TEXTS, failureText } from './failure-text.ts';
import { folderText } from './folder-text.ts';
import { MEDIA_TEXTS, mediaFailureText } from './media-text.ts';
import { REASON_TEXTS } from './reason-text.ts';

const declared = new Set([
  ...Object.keys(COMMON_FAILURES),
  ...calls.flatMap(({ failures }) => Object.keys(failures)),
  ...[metadata, collections, downloads]
    .flatMap((group) => Object.values<Call>(group))
    .flatMap(({ failures }) => Object.keys(failures)),
  'alreadyUndone',
]);

const check = (more: Partial<FolderCheck>): FolderCheck => ({
  path: '/srv/movies',
  problem: null,
  at: null,
  runsAs: 'matinee',
  videoFiles: 0,
  isMore: false,
  ...more,
});

describe('what a person reads when something fails', () => {
  it('every failure of the contract has its sentence, and no sentence is left over', () => {
    expect(Object.keys(FAILURE_TEXTS).toSorted()).toEqual([...declared, 'disconnected', 'mismatch'].toSorted());
  });

  it('every reason and every media failure has its sentence', () => {
    expect(Object.keys(REASON_TEXTS).toSorted()).toEqual([...PLAY_REASONS].toSorted());
    for (const code of MEDIA_FAILURES) expect(MEDIA_TEXTS).toHaveProperty(code);
    expect(mediaFailureText('somethingNew')).toMatch(/somethingNew/);
  });

  it('sentences end, and never show a code', () => {
    const sentences = [
      failureText(commonFailure('forbidden', { permission: 'jobs:manage' })),
      failureText(commonFailure('overloaded', { retryAfterMs: 4_000 })),
      failureText(commonFailure('internal', { errorId: 'abc' })),
      failureText(commonFailure('badRequest', { issues: [{ path: '/newPassword', message: 'is too short' }] })),
      failureText(commonFailure('badRequest', { issues: [] })),
      failureText(new Failure('lockedOut', { retryAfterMs: 90_000 })),
      failureText(new Failure('wrongCode', { attemptsLeft: 1 })),
      failureText(new Failure('notPlayable', { failure: 'truncated' })),
      failureText(new Failure('fromTheFuture', {})),
      failureText(new Failure('notReachable', {})),
      failureText(new Failure('notReachable', { reason: 'noKey' })),
      failureText(new Failure('unknownMovie', { tmdbId: 603 })),
      failureText(new Failure('notWritable', { path: '/srv/movies/heat.nfo' })),
      failureText(new Failure('noRoom', { whose: 'person', usedBytes: 45e9, limitBytes: 50e9, neededBytes: 8e9 })),
      failureText(new Failure('noRoom', { whose: 'server', usedBytes: 195e9, limitBytes: 200e9, neededBytes: 8e9 })),
      failureText(new Failure('tooManyDownloads', { limit: 5 })),
      ...DOWNLOAD_HINDRANCES.map((hindrance) => failureText(new Failure('notPreparable', { hindrance }))),
      ...DOWNLOAD_STATES.map((state) => failureText(new Failure('notReady', { state }))),
      ...COLLECTION_KINDS.map((kind) => failureText(new Failure('wrongKind', { kind }))),
      ...Object.values(REASON_TEXTS),
      ...Object.values(MEDIA_TEXTS),
    ];
    for (const sentence of sentences) {
      expect(sentence).toMatch(/\.$/);
      // MakeMKV is the name of a program.
      expect(sentence.replaceAll('MakeMKV', '')).not.toMatch(/undefined|null|\[object|[a-z][A-Z]/);
    }
    expect(sentences[3]).toBe('Check what you entered: new password is too short.');
    expect(sentences[5]).toContain('1 minute 30 seconds');
  });

  it('every folder problem says what is the matter and how to mend it', () => {
    for (const problem of FOLDER_PROBLEMS) {
      const text = folderText(check({ problem, at: { path: '/srv', owner: 'root', group: 'root', mode: '0700' } }))!;
      expect(text.what).toMatch(/\.$/);
      expect(text.mend.length).toBeGreaterThan(20);
      expect(text.facts).toBe(
        problem === 'notFound' ? 'The way to it ends at /srv.' : '/srv belongs to root:root, mode 0700.',
      );
    }
    expect(folderText(check({}))).toBeNull();
  });

  it('a folder that is not there is named as it was asked for, not by what is there above it', () => {
    const at = { path: '/', owner: 'root', group: 'root', mode: 'drwxr-xr-x' };
    expect(folderText(check({ problem: 'notFound', path: '/nope/none', at }))?.what).toBe(
      '/nope/none does not exist on the server.',
    );
    const link = { ...at, path: '/srv/movies', mode: 'lrwxrwxrwx' };
    expect(folderText(check({ problem: 'notFound', at: link }))?.facts).toContain('mode lrwxrwxrwx');
    expect(folderText(check({ problem: 'notFound', path: 'Movies' }))).toMatchObject({
      what: 'Movies is not a whole path.',
      facts: null,
    });
  });

  it('a command to copy names the place where it stops, quoted for the shell', () => {
    const at = { path: "/srv/it's $HOME", owner: 'root', group: 'root', mode: '0700' };
    expect(folderText(check({ problem: 'notReadable', at }))?.command).toBe(
      String.raw`sudo setfacl -R -m u:matinee:rX '/srv/it'\''s $HOME'`,
    );
    expect(folderText(check({ problem: 'notReachable', at: { ...at, path: '/home/ada' } }))?.command).toBe(
      'sudo setfacl -m u:matinee:x /home/ada',
    );
  });
});
