/** Taking movies along, in a whole engine: as they are and prepared, shared, cut short by a power cut, and closed to everybody else. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import type { EntryOf } from '#protocol/contract.ts';
import { downloadsFeed, jobsFeed } from '#protocol/feeds.ts';
import { downloads, movies, session, users } from '#protocol/index.ts';
import type { Download } from '#protocol/schema/downloads.ts';
import { clip, clips, ffprobe, h264, picture, tone } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import type { FollowedFeed } from '#test/support/person.ts';
import { descendants } from '#test/support/processes.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

const BOB = { name: 'bob', password: 'an even longer evening' };
const unknownId = '01890000-0000-7000-8000-00000000ffff';

type Feed = FollowedFeed<typeof downloadsFeed>;
const told = (feed: Feed, downloadId: string): Download[] =>
  feed.entries.flatMap((entry: EntryOf<typeof downloadsFeed>) =>
    entry.kind === 'download' && entry.id === downloadId && entry.download ? [entry.download] : [],
  );
const inState = (feed: Feed, downloadId: string, state: Download['state']): Promise<Download> =>
  feed.until((one) => {
    const last = told(one, downloadId).find((each) => each.state === state);
    const failed = told(one, downloadId).find((each) => each.state === 'failed');
    if (failed && state !== 'failed') throw new Error(`it failed: ${failed.failure}`);
    return last;
  }, `${downloadId} to be ${state}`);

describe('taking movies along', () => {
  let base: string;
  let engine: RunningEngine;
  let ada: Person;
  let bob: Person;

  const start = (port?: number): Promise<RunningEngine> =>
    startEngine({
      dataFolder: join(base, 'data'),
      libraries: [join(base, 'Films')],
      environment: adminEnvironment,
      ...(port !== undefined && { port }),
    });
  const copies = async (): Promise<string[]> =>
    (await readdir(join(base, 'data', 'downloads'))).filter((name) => name !== 'work');
  const fetchAll = async (
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; bytes: Buffer; headers: Headers }> => {
    const response = await fetch(new URL(url, engine.url), { headers });
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()), headers: response.headers };
  };
  const fileOf = async (title: string): Promise<{ movieId: string; fileId: string }> => {
    const { id: movieId } = await ada.movie(title);
    const { files } = await ada.call(downloads.options, { movieId });
    return { movieId, fileId: files[0]!.fileId };
  };

  beforeAll(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'matinee downloads ')));
    await putMovie(join(base, 'Films', 'Amélie (2001).mkv'), await clips.subtitlesMkv());
    await putMovie(join(base, 'Films', 'Gone (2002).mkv'), await clips.h264Mkv());
    const long = await clip({
      name: 'to-encode.mkv',
      args: [...picture(40, '320x180', '16'), ...tone(40), ...h264(32), '-c:a', 'ac3', '-b:a', '96k'],
    });
    await putMovie(join(base, 'Films', 'The Long One (2003).mkv'), long);
    engine = await start();
    ada = await Person.signIn(engine.url);
    await ada.scan();
    await ada.call(users.create, { ...BOB, role: 'user' });
    bob = await Person.signIn(engine.url, BOB);
  }, 240_000);

  afterAll(async () => {
    ada?.[Symbol.dispose]();
    bob?.[Symbol.dispose]();
    await engine?.[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  });

  beforeEach(() => onTestFailed(() => console.error(engine.output().slice(-4_000))));

  it('[DL1] [DL2] [DL4] the file as it is: whole, from where it stopped, under the movie’s name', async () => {
    const { movieId, fileId } = await fileOf('Amélie');
    const { files, room } = await bob.call(downloads.options, { movieId });
    expect(room.usedBytes).toBe(0);
    expect(files[0]).toMatchObject({
      hindrance: null,
      original: { name: 'Amélie (2001).mkv', obstacles: ['container'] },
    });
    expect(files[0]!.qualities.map(({ quality, method }) => `${quality} ${method}`)).toEqual([
      'copy copy',
      '240p encode',
    ]);
    expect(files[0]!.subtitles.map(({ language, problem }) => [language, problem])).toEqual([
      ['en', null],
      ['fr', null],
    ]);
    const source = await readFile(join(base, 'Films', 'Amélie (2001).mkv'));
    const link = await bob.call(downloads.original, { movieId, fileId });
    expect(link).toMatchObject({ name: 'Amélie (2001).mkv', sizeBytes: source.length });
    const whole = await fetchAll(link.url);
    expect(whole.bytes.equals(source)).toBe(true);
    expect(whole.headers.get('content-disposition')).toBe(
      `attachment; filename="Amelie (2001).mkv"; filename*=UTF-8''Am%C3%A9lie%20%282001%29.mkv`,
    );
    // A new address gives the same bytes: what was cut short goes on under it.
    const again = await bob.call(downloads.original, { movieId, fileId });
    const rest = await fetchAll(again.url, { range: 'bytes=1000-', 'if-range': whole.headers.get('etag')! });
    expect([rest.status, rest.headers.get('content-range')]).toEqual([
      206,
      `bytes 1000-${source.length - 1}/${source.length}`,
    ]);
    expect(rest.bytes.equals(source.subarray(1_000))).toBe(true);
    expect(engine.output()).not.toContain(link.url.split('/')[2]!.slice(0, 40));
  });

  it('[DL7] [DL10] [DL20] a copy: asked for, watched while it is made, fetched by ranges, removed', async () => {
    const target = await fileOf('Amélie');
    using feed = bob.follow(downloadsFeed);
    const { files } = await bob.call(downloads.options, { movieId: target.movieId });
    const subtitles = files[0]!.subtitles.map(({ id }) => id);
    const asked = { ...target, quality: 'copy', subtitles, key: '01890000-0000-7000-8000-000000000777' } as const;
    const { download } = await bob.call(downloads.request, asked);
    expect((await bob.call(downloads.request, asked)).download.id).toBe(download.id);
    const ready = await inState(feed, download.id, 'ready');
    expect(ready).toMatchObject({ title: 'Amélie', year: 2001, name: 'Amélie (2001) - 180p.mp4', failure: null });
    expect(ready.expiresAt! - ready.readyAt!).toBe(7 * 86_400_000);
    const link = await bob.call(downloads.link, { downloadId: download.id });
    expect(link.sizeBytes).toBe(ready.sizeBytes);
    const head = await fetchAll(link.url, { range: 'bytes=0-999' });
    const rest = await fetchAll((await bob.call(downloads.link, { downloadId: download.id })).url, {
      range: 'bytes=1000-',
      'if-range': head.headers.get('etag')!,
    });
    expect([head.status, rest.status, head.headers.get('content-type')]).toEqual([206, 206, 'video/mp4']);
    const saved = join(base, 'saved.mp4');
    await writeFile(saved, Buffer.concat([head.bytes, rest.bytes]));
    const { streams } = (await ffprobe(['-show_streams', saved])) as {
      streams: readonly { codec_name: string; tags?: { language?: string } }[];
    };
    expect(streams.map(({ codec_name, tags }) => [codec_name, tags?.language])).toEqual([
      ['h264', 'und'],
      ['aac', 'und'],
      ['mov_text', 'eng'],
      ['mov_text', 'fra'],
    ]);
    const { stdout } = await promisify(execFile)('ffmpeg', [
      '-v',
      'error',
      '-i',
      saved,
      '-map',
      '0:s:0',
      '-f',
      'srt',
      '-',
    ]);
    expect(stdout).toContain('Second & last');
    await promisify(execFile)('ffmpeg', [
      '-v',
      'error',
      '-xerror',
      '-i',
      saved,
      '-map',
      '0:v',
      '-map',
      '0:a',
      '-f',
      'null',
      '-',
    ]);
    const room = (await bob.call(downloads.list, {})).room;
    expect(room.usedBytes).toBe(ready.sizeBytes);
    await bob.call(downloads.remove, { downloadId: download.id });
    await feed.until(
      ({ entries }) => entries.some((entry) => entry.kind === 'download' && entry.download === null),
      'it to be gone',
    );
    expect((await fetchAll(link.url)).status).toBe(410);
    expect(await copies()).toEqual([]);
    expect((await bob.call(downloads.list, {})).downloads).toEqual([]);
  });

  it('[DL8] [DL9] what two people want is made once, and stays for the other', async () => {
    const target = await fileOf('Gone');
    using mine = ada.follow(downloadsFeed);
    using theirs = bob.follow(downloadsFeed);
    const [a, b] = await Promise.all(
      [ada, bob].map(async (person) => (await person.call(downloads.request, { ...target, quality: 'copy' })).download),
    );
    expect(a!.id).not.toBe(b!.id);
    await Promise.all([inState(mine, a!.id, 'ready'), inState(theirs, b!.id, 'ready')]);
    expect(await copies()).toHaveLength(1);
    // Neither sees the other's, and neither can do anything to it.
    expect((await bob.call(downloads.list, {})).downloads.map(({ id }) => id)).toEqual([b!.id]);
    for (const call of [downloads.link, downloads.cancel, downloads.remove, downloads.retry]) {
      await expect(bob.call(call, { downloadId: a!.id })).rejects.toMatchObject({ code: 'notFound' });
    }
    await expect(bob.call(downloads.everyones, {})).rejects.toMatchObject({ code: 'forbidden' });
    const all = await ada.call(downloads.everyones, {});
    expect(new Set(all.downloads.map(({ person }) => person))).toEqual(new Set(['ada', 'bob']));
    await ada.call(downloads.remove, { downloadId: a!.id });
    const link = await bob.call(downloads.link, { downloadId: b!.id });
    expect((await fetchAll(link.url)).status).toBe(200);
    await ada.call(downloads.drop, { downloadId: b!.id });
    expect(await copies()).toEqual([]);
  });

  it('[DL3] [DL6] what was put away, signed out or never was opens nothing', async () => {
    const target = await fileOf('Gone');
    const { url } = await bob.call(downloads.original, target);
    expect((await fetchAll(url)).status).toBe(200);
    await ada.call(movies.hide, { movieId: target.movieId });
    expect((await fetchAll(url)).status).toBe(410);
    await expect(bob.call(downloads.options, { movieId: target.movieId })).rejects.toMatchObject({ code: 'notFound' });
    await expect(bob.call(downloads.request, { ...target, quality: 'copy' })).rejects.toMatchObject({
      code: 'notFound',
    });
    await ada.call(movies.hide, { movieId: target.movieId, isHidden: false });
    expect((await fetchAll(url)).status).toBe(200);

    const guest = await Person.signIn(engine.url, BOB);
    const theirs = await guest.call(downloads.original, target);
    await guest.request(session.end, {});
    guest[Symbol.dispose]();
    expect((await fetchAll(theirs.url)).status).toBe(401);
    expect((await fetchAll(url.replace(/\.[\w-]{43}\//, `.${'A'.repeat(43)}/`))).status).toBe(403);
    expect((await fetchAll('/download/x/secrets')).status).toBe(403);

    const other = await fileOf('Amélie');
    const wrong: [Parameters<typeof bob.call<typeof downloads.request>>[1], string][] = [
      [{ ...target, fileId: other.fileId, quality: 'copy' }, 'notFound'],
      [{ ...target, fileId: unknownId, quality: 'copy' }, 'notFound'],
      [{ ...target, quality: '1080p' }, 'notOffered'],
      [{ ...target, quality: 'copy', audioTracks: [99] }, 'notOffered'],
      [{ ...target, quality: 'copy', subtitles: [`s${unknownId}`] }, 'notOffered'],
    ];
    for (const [input, code] of wrong) await expect(bob.call(downloads.request, input)).rejects.toMatchObject({ code });
    for (const input of [
      { ...target, quality: 'copy', audioTracks: [1, 1] },
      { ...target, quality: 'best' },
      { ...target, quality: 'copy', subtitles: ['../x'] },
    ]) {
      await expect(bob.call(downloads.request, input as never)).rejects.toMatchObject({ code: 'badRequest' });
    }
  });

  it('[DL11] [DL31] cancelled while it is made: its process ends, nothing stays; again, and a power cut in the middle', async () => {
    const target = await fileOf('The Long One');
    using feed = ada.follow(downloadsFeed);
    using jobs = ada.follow(jobsFeed);
    const hosts = () => descendants(engine.pid).filter(({ command }) => command.endsWith('/hosts/download.host.ts'));
    const { download } = await ada.call(downloads.request, { ...target, quality: '240p' });
    // Stopped in the middle of its work, so that it is in the middle for sure.
    await expect
      .poll(() => hosts().map(({ pid }) => process.kill(pid, 'SIGSTOP')), { timeout: 60_000 })
      .toEqual([true]);
    const cancelled = await ada.call(downloads.cancel, { downloadId: download.id });
    expect(cancelled.download.state).toBe('cancelled');
    await expect.poll(hosts, { timeout: 30_000 }).toEqual([]);
    await expect
      .poll(async () => await readdir(join(base, 'data', 'downloads', 'work')), { timeout: 30_000 })
      .toEqual([]);

    const seen = feed.entries.length;
    expect((await ada.call(downloads.retry, { downloadId: download.id })).download.id).toBe(download.id);
    await feed.until(
      ({ entries }) =>
        entries
          .slice(seen)
          .some(
            (entry) =>
              entry.kind === 'download' && ((entry.download?.progress ?? 0) > 0 || entry.download?.state === 'ready'),
          ),
      'progress',
    );
    await jobs.until(({ entries }) => entries.some(({ job }) => job?.kind === 'downloads'), 'a line of the work');
    await engine.kill();
    engine = await start(engine.port);
    ada[Symbol.dispose]();
    ada = await Person.signIn(engine.url);
    using after = ada.follow(downloadsFeed);
    const ready = await after.until(({ snapshots, news }) => {
      const known = [
        ...(snapshots.at(-1)?.downloads ?? []),
        ...news.flatMap((entry) => (entry.kind === 'download' ? (entry.download ?? []) : [])),
      ];
      return known.findLast(({ id, state }) => id === download.id && (state === 'ready' || state === 'failed'));
    }, 'it to be made after the power cut');
    expect(ready).toMatchObject({ state: 'ready', failure: null, place: null, progress: null });
    const [name] = await copies();
    const path = join(base, 'data', 'downloads', name!);
    expect((await stat(path)).size).toBe(ready.sizeBytes);
    // It is ready before what it was made from is cleared away.
    await expect.poll(async () => await readdir(join(base, 'data', 'downloads', 'work'))).toEqual([]);
    const { streams, format } = (await ffprobe(['-show_streams', '-show_format', path])) as {
      streams: readonly { codec_name: string; width?: number }[];
      format: { duration: string };
    };
    expect(streams.map(({ codec_name }) => codec_name)).toEqual(['h264', 'aac']);
    expect(Number(format.duration)).toBeCloseTo(40, 0);
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-xerror', '-i', path, '-f', 'null', '-']);
    // The address from before the power cut would work as well: nothing of it was in the process.
    const { url } = await ada.call(downloads.link, { downloadId: download.id });
    const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
    expect(digest((await fetchAll(url)).bytes)).toBe(digest(await readFile(path)));
    await rm(path);
    await expect(ada.call(downloads.link, { downloadId: download.id })).rejects.toMatchObject({ code: 'notReady' });
    const lost = (await ada.call(downloads.list, {})).downloads.find(({ id }) => id === download.id);
    expect(lost).toMatchObject({ state: 'failed', failure: 'lost' });
  });
});
