/** A library full of what should not be in one: odd names, links, pipes, locked and lying files. Scanned and played by the whole engine. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedPostgres } from '#engine/store/embedded-postgres.ts';
import { libraryFeed } from '#protocol/feeds.ts';
import { libraries, movies, playback, server } from '#protocol/index.ts';
import type { MovieFile } from '#protocol/schema/movie.ts';
import type { DeviceProfile } from '#protocol/schema/playback.ts';
import { clips } from '#test/support/media.ts';
import { putMovie } from '#test/support/movie-folder.ts';
import { Person, adminEnvironment } from '#test/support/person.ts';
import { startEngine } from '#test/support/running-engine.ts';
import type { RunningEngine } from '#test/support/running-engine.ts';

/** Each a good movie under a bad name. */
const ODD_NAMES = [
  '日本語タイトル (2001).mkv',
  'Amélie (2001).mkv',
  'Ame\u0301lie decomposed (2001).mkv',
  'quote \' and " (2000).mkv',
  '100% #1 & more? (2003).mkv',
  '-rf leading dash (2004).mkv',
  '--help.mkv',
  '$(touch pwned) (2005).mkv',
  '`id` (2006).mkv',
  'a;reboot;b (2007).mkv',
  'new\nline (2008).mkv',
  'tab\there (2009).mkv',
  'trailing space (2010) .mkv',
  '..hidden dots (2011).mkv',
  'con.mkv',
  'emoji 🎬 (2012).mkv',
  'rtl \u202egpj.(2013).mkv',
  '%2e%2e%2fetc%2fpasswd.mkv',
  '%s%n%x (2014).mkv',
  'file:colon (2015).mkv',
  'concat:a|b (2016).mkv',
  'image%03d (2017).mkv',
  'pipe:0.mkv',
  '[brackets] {braces} (2018).mkv',
  "'; DROP TABLE movie;-- (2019).mkv",
  '<img src=x onerror=alert(1)> (2020).mkv',
  `${'L'.repeat(251)}.mkv`,
  '\\back\\slash (2021).mkv',
  'CASE (2022).MKV',
  'no extension (2023)',
] as const;
/** Those that a program could take for an option, an address, a pattern or a shell's word when FFmpeg opens them. */
const PLAYED_NAMES = ODD_NAMES.filter((name) => /^-|[:|%$`\n]/.test(name));

/** A device that plays Matroska as it is. */
const PROFILE: DeviceProfile = {
  name: 'test',
  file: [{ container: 'matroska', video: [{ codec: 'h264', maxBitDepth: 8 }], audio: ['aac'] }],
  segments: { video: [{ codec: 'h264', maxBitDepth: 8 }], audio: ['aac'] },
  hdr: [],
  maxAudioChannels: 2,
};

let base = '';
let library = '';
let outside = '';
let database: EmbeddedPostgres;
let engine: RunningEngine;
let ada: Person;
let canary: Server;
const calledOnNetwork: string[] = [];
/** Where a good movie lies, as the engine names it. */
const goodPaths: string[] = [...ODD_NAMES];
/** What is to be reported, by path. */
const bad: Record<string, string> = {};

async function fill(): Promise<void> {
  const source = await clips.h264Mkv();
  const put = (path: string) => putMovie(join(library, path), source);
  for (const name of ODD_NAMES) {
    // The extension decides how a file is made different; the last one has none.
    await putMovie(join(outside, 'draft.mkv'), source);
    await rename(join(outside, 'draft.mkv'), join(library, name));
  }
  await put('dir.mkv/inside a folder named like a movie (2004).mkv');
  await put('shelf/ordinary (2005).mkv');
  goodPaths.push('dir.mkv/inside a folder named like a movie (2004).mkv', 'shelf/ordinary (2005).mkv');

  // Links: out of the library, to nowhere, and back up.
  await putMovie(join(outside, 'shelf elsewhere/linked (2006).mkv'), source);
  await symlink(join(outside, 'shelf elsewhere'), join(library, 'elsewhere'));
  goodPaths.push('elsewhere/linked (2006).mkv');
  await symlink('/etc/passwd', join(library, 'link to the system (2003).mkv'));
  bad['link to the system (2003).mkv'] = 'notMedia';
  await symlink('nothing', join(library, 'dangling (2003).mkv'));
  bad['dangling (2003).mkv'] = 'notFound';
  await symlink('.', join(library, 'loop'));
  bad['loop'] = 'symlinkLoop';
  await symlink('../..', join(library, 'shelf/up'));
  bad['shelf/up'] = 'symlinkLoop';
  await symlink('self (2003).mkv', join(library, 'self (2003).mkv'));
  bad['self (2003).mkv'] = 'symlinkLoop';
  execFileSync('mkfifo', [join(library, 'fifo (2003).mkv')]);

  // A name that is no text, and a path that is longer than the database takes.
  await rename(
    await draft(source),
    Buffer.concat([Buffer.from(`${library}/bad-`), Buffer.from([0xff]), Buffer.from('-name (2002).mkv')]),
  );
  bad['bad-\\xff-name (2002).mkv'] = 'nameNotUtf8';
  const deep = Array.from({ length: 10 }, (_, index) => String(index).repeat(220)).join('/');
  await put(`${deep}/too deep (2002).mkv`);

  // Lying content.
  await writeFile(join(library, 'empty (2001).mkv'), '');
  bad['empty (2001).mkv'] = 'empty';
  await writeFile(join(library, 'cut off (2001).mp4'), readFileSync(await clips.h264Mp4()).subarray(0, 400));
  bad['cut off (2001).mp4'] = 'truncated';
  const { port } = canary.address() as AddressInfo;
  const secret = join(outside, 'secret.mkv');
  await putMovie(secret, source);
  const lists: Record<string, string> = {
    'local list (2001).mkv': `#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
    'remote list (2001).mkv': `#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nhttp://127.0.0.1:${port}/hls.ts\n#EXT-X-ENDLIST\n`,
    'concat list (2001).mkv': `ffconcat version 1.0\nfile '${secret}'\n`,
    'manifest (2001).mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT8S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>http://127.0.0.1:${port}/dash.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    'session (2001).mkv': `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video ${port} RTP/AVP 96\na=rtpmap:96 H264/90000\n`,
    'program (2001).mkv': '#!/bin/sh\ntouch pwned\n',
  };
  for (const [name, text] of Object.entries(lists)) {
    await writeFile(join(library, name), text);
    bad[name] = 'notMedia';
  }

  // What this user may not read.
  await put('locked (2004).mkv');
  chmodSync(join(library, 'locked (2004).mkv'), 0);
  bad['locked (2004).mkv'] = 'notReadable';
  await put('locked folder/unseen (2004).mkv');
  chmodSync(join(library, 'locked folder'), 0);
  bad['locked folder'] = 'notReadable';
}

async function draft(source: string): Promise<string> {
  const path = join(outside, 'draft.mkv');
  await putMovie(path, source);
  return path;
}

/** Everything that there is to know about a tree without reading a file. Names are bytes. */
function look(folder: Buffer = Buffer.from(library)): string[] {
  const slash = Buffer.from('/');
  return readdirSync(folder, { encoding: 'buffer' })
    .toSorted(Buffer.compare)
    .flatMap((name) => {
      const path = Buffer.concat([folder, slash, name]);
      const stats = lstatSync(path, { bigint: true });
      const target = stats.isSymbolicLink() ? readlinkSync(path) : '';
      const facts = [stats.mode, stats.uid, stats.size, stats.mtimeNs, stats.ctimeNs, stats.ino, stats.nlink, target];
      const line = `${path.toString('latin1')} ${facts.join(' ')}`;
      return stats.isDirectory() && stats.mode & 0o400n ? [line, ...look(path)] : [line];
    });
}

/**
 * Who may do everything has no file that they may not read. So root gives that up for the engine, and lets it use another
 * database than its own, whose folder belongs to somebody else.
 */
const wrapper =
  process.getuid?.() === 0
    ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--inh-caps', '-dac_override,-dac_read_search']
    : [];

beforeAll(async () => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'matinee hostile ')));
  [library, outside] = [join(base, 'library'), join(base, 'outside')];
  for (const folder of [library, outside]) mkdirSync(folder);
  canary = createServer((request, response) => {
    calledOnNetwork.push(request.url ?? '');
    response.end();
  }).listen(0, '127.0.0.1');
  await once(canary, 'listening');
  await fill();
  // The path of a socket must be short: in this folder the server listens on the loopback.
  database = await EmbeddedPostgres.start({
    folder: join(base, 'a folder with a name so long that no socket of a database fits into it, whatever is done'),
    password: 'admin',
    settings: { fsync: 'off' },
  });
  const { user, password, port } = database.address;
  engine = await startEngine({
    dataFolder: join(base, 'data'),
    environment: { ...adminEnvironment, DATABASE_URL: `postgres://${user}:${password}@127.0.0.1:${port}/matinee` },
    wrapper,
  });
  ada = await Person.signIn(engine.url);
});
afterAll(async () => {
  ada?.[Symbol.dispose]();
  await engine?.[Symbol.asyncDispose]();
  await database?.stop();
  canary?.close();
  // Without this, an ordinary user could not clear up.
  if (existsSync(join(library, 'locked folder'))) chmodSync(join(library, 'locked folder'), 0o700);
  rmSync(base, { recursive: true, force: true });
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') console.error(engine?.output().slice(-20_000));
});

describe('a hostile library', () => {
  let before: string[];
  let files: Map<string, MovieFile & { movieId: string }>;

  it('[WALK1] [WALK2] [WALK3] [WALK4] is scanned to its end, while everybody is answered', async () => {
    before = look();
    using shown = ada.follow(libraryFeed);
    await shown.until(() => shown.snapshots.length > 0, 'a snapshot');
    let answered = 0;
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        // Whoever waited for a pipe would wait in vain, and each of these has its deadline.
        await Promise.all([ada.call(server.info, {}), ada.call(movies.list, {}), ada.get('/readyz')]);
        answered += 1;
      }
    })();
    await ada.call(libraries.add, { path: library });
    const [job] = await ada.scan();
    isOver = true;
    await asking;
    expect(job).toMatchObject({ state: 'succeeded' });
    expect(answered).toBeGreaterThan(0);
    expect((await ada.call(libraries.list, {})).libraries).toHaveLength(1);
  });

  it('[SCAN5] each good file is a movie, and each bad one is reported with its reason', async () => {
    const all = await ada.movies();
    files = new Map(
      (await Promise.all(all.map(async ({ id }) => (await ada.call(movies.get, { movieId: id })).movie)))
        .flatMap((movie) => movie.files.map((file) => ({ ...file, movieId: movie.id })))
        .map((file) => [file.path ?? '', file]),
    );
    const playable = [...files].flatMap(([path, { state }]) => (state === 'playable' ? [path] : []));
    const byText = (a: string, b: string): number => (a < b ? -1 : 1);
    expect(playable.toSorted(byText)).toEqual(goodPaths.toSorted(byText));
    const { issues } = await ada.call(libraries.issues, { limit: 200 });
    const reported = new Map(issues.map(({ path, reason }) => [path, reason]));
    expect(Object.fromEntries(Object.keys(bad).map((path) => [path, reported.get(path)]))).toEqual(bad);
    const others = issues.filter(({ path }) => !(path in bad)).map(({ path, reason }) => [path.slice(0, 20), reason]);
    expect(others).toEqual([[expect.stringMatching(/^0{20}$/), 'pathTooLong']]);
    expect([...files.keys()].some((path) => path.includes('fifo') || path.includes('unseen'))).toBe(false);
  });

  it('each good file is played whole, whatever it is called', async () => {
    for (const path of goodPaths) {
      const { id: fileId, movieId, sizeBytes } = files.get(path)!;
      const opened = await ada.call(playback.open, { movieId, fileId, profile: PROFILE });
      expect([path, opened.method]).toEqual([path, 'directPlay']);
      const response = await fetch(engine.url + opened.url);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect([path, response.status, bytes.length]).toEqual([path, 200, sizeBytes]);
      expect(bytes.equals(readFileSync(join(library, path)))).toBe(true);
    }
  });

  it.each(PLAYED_NAMES)('FFmpeg takes %j for a file', async (path) => {
    const { id: fileId, movieId } = files.get(path)!;
    const opened = await ada.call(playback.open, { movieId, fileId });
    expect(opened.method).toBe('remux');
    const response = await fetch(new URL('v0/0.m4s', new URL(opened.url, engine.url)));
    expect(response.status).toBe(200);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(1_000);
    // And again by its id, which goes through the same path.
    expect(await ada.call(libraries.retryFile, { fileId })).toEqual({ isPlayable: true, failure: null });
  });

  it('nothing outside was read, called or run, and nothing in the library was changed', async () => {
    expect(calledOnNetwork).toEqual([]);
    for (const path of Object.keys(bad)) {
      const file = files.get(path);
      if (!file) continue;
      await expect(ada.call(playback.open, { movieId: file.movieId, fileId: file.id })).rejects.toMatchObject({
        code: 'notPlayable',
      });
    }
    expect(look()).toEqual(before);
    const names = execFileSync('find', [base, '-name', 'pwned'], { encoding: 'utf8' });
    expect(names).toBe('');
    expect(engine.output()).not.toContain('a defect ended');
  });
});
