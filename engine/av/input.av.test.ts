import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { clips } from '#test/support/media.ts';
import { MediaError } from '#engine/media/media-failure.ts';
import type { MediaFailure } from '#engine/media/media-failure.ts';
import { openInput } from './input.ts';

const folder = mkdtempSync(join(tmpdir(), 'matinee-input-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOBODY = 65_534;

function failureOf(path: string): MediaFailure | 'opened' {
  try {
    using input = openInput(path);
    return input.streams.length > 0 ? 'opened' : 'noTracks';
  } catch (error) {
    if (error instanceof MediaError) return error.failure;
    throw error;
  }
}
function made(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

describe('openInput', () => {
  it('opens movies and tells their demuxer and size', async () => {
    using input = openInput(await clips.h264Mkv());
    expect(input.demuxer).toBe('matroska,webm');
    expect(input.streams).toHaveLength(2);
    expect(input.sizeBytes).toBeGreaterThan(100_000);
  });

  it('refuses everything that is no regular file without opening it', () => {
    execFileSync('mkfifo', [join(folder, 'fifo.mkv')]);
    mkdirSync(join(folder, 'dir.mkv'));
    symlinkSync(join(folder, 'b.mkv'), join(folder, 'a.mkv'));
    symlinkSync(join(folder, 'a.mkv'), join(folder, 'b.mkv'));
    expect(failureOf(join(folder, 'fifo.mkv'))).toBe('notAFile');
    expect(failureOf(join(folder, 'dir.mkv'))).toBe('notAFile');
    expect(failureOf('/dev/zero')).toBe('notAFile');
    expect(failureOf(join(folder, 'a.mkv'))).toBe('notFound');
    expect(failureOf(join(folder, 'absent.mkv'))).toBe('notFound');
    expect(failureOf(`/${'x'.repeat(300)}.mkv`)).toBe('notFound');
    expect(failureOf(`${folder}/nul\0.mkv`)).toBe('notFound');
    expect(failureOf(made('empty.mkv', ''))).toBe('empty');
  });

  it('says when the system does not let it read', async () => {
    const path = join(folder, 'secret.mkv');
    copyFileSync(await clips.h264Mkv(), path);
    chmodSync(path, 0);
    chmodSync(folder, 0o755);
    // Root may read everything, so for a moment this is somebody else.
    const isRoot = process.getuid?.() === 0;
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      expect(failureOf(path)).toBe('notReadable');
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('takes absolute paths only', () => {
    expect(failureOf('movie.mkv')).toBe('internal');
    expect(failureOf('http://127.0.0.1/movie.mkv')).toBe('internal');
  });

  it('tells what is no movie from a movie that is cut off', async () => {
    const mp4 = readFileSync(await clips.audioLongerMp4());
    expect(failureOf(made('text.mkv', 'just words'))).toBe('notMedia');
    expect(failureOf(made('subtitles.mkv', '1\n00:00:01,000 --> 00:00:02,000\nHello\n'))).toBe('notMedia');
    expect(failureOf(made('archive.mkv', Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(5000, 7)])))).toBe(
      'notMedia',
    );
    expect(
      failureOf(made('picture.mkv', Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(3000)]))),
    ).toBe('notMedia');
    // The index of this one lies at its end.
    expect(failureOf(made('half.mp4', mp4.subarray(0, mp4.length / 2)))).toBe('truncated');
    expect(
      failureOf(made('claim.mkv', Buffer.from('1a45dfa3a34282886d6174726f736b611853806701ffffffffff00', 'hex'))),
    ).toBe('truncated');
  });

  it('does not take noise for sound', () => {
    let state = 1;
    const noise = Buffer.from(Array.from({ length: 100_000 }, () => (state = (state * 48_271) % 2_147_483_647) & 0xff));
    expect(failureOf(made('noise.mp4', noise))).toBe('notMedia');
  });

  it.each([
    'file:colon.mkv',
    'concat:a|b.mkv',
    'pipe:0.mkv',
    'image%03d.mkv',
    '-rf.mkv',
    '%s%n.mkv',
    'line\nbreak.mkv',
    'http:example.mkv',
  ])('opens a file named %j as just that', async (name) => {
    const path = join(folder, name);
    copyFileSync(await clips.h264Mkv(), path);
    expect(failureOf(path)).toBe('opened');
  });

  it('opens no address and no other file that a disguised playlist names', async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const sibling = join(folder, 'sibling.ts');
    copyFileSync(await clips.h264Ts(), sibling);
    const hls = (uri: string): string => `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n${uri}\n#EXT-X-ENDLIST\n`;
    const url = `http://127.0.0.1:${port}/secret.ts`;
    const texts: Record<string, string> = {
      'hls-local.mkv': hls(basename(sibling)),
      'hls-file.m3u8': hls(`file://${sibling}`),
      'hls-ssrf.mkv': hls(url),
      'hls-ssrf.m3u8': hls(url),
      'hls-master.avi': `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${url}\n`,
      'concat.mkv': `ffconcat version 1.0\nfile '${basename(sibling)}'\n`,
      'concat-http.mp4': `ffconcat version 1.0\nfile '${url}'\n`,
      'dash.mp4': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000"><BaseURL>${url}</BaseURL><SegmentBase indexRange="0-100"/></Representation></AdaptationSet></Period></MPD>`,
      'session.sdp':
        'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
    };
    for (const [name, text] of Object.entries(texts)) {
      expect([name, failureOf(made(name, text))]).toEqual([name, 'notMedia']);
    }
    await new Promise((resolve) => server.close(resolve));
    expect(requests).toBe(0);
  });
});
