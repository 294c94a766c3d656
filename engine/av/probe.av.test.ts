import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { MediaInfo } from '#protocol/schema/media.ts';
import { changedClip, clip, clips, ffprobe, h264, picture, tone } from '#test/support/media.ts';
import type { MediaError } from '#engine/media/media-failure.ts';
import { openInput } from './input.ts';
import { probe } from './probe.ts';

const mediaOf = async (name: keyof typeof clips): Promise<MediaInfo> => probe(await clips[name]()).media;

describe('probe', () => {
  it.each(Object.keys(clips) as (keyof typeof clips)[])(
    '%s fits the schema and agrees with ffprobe on the essentials',
    async (name) => {
      const path = await clips[name]();
      const { media } = probe(path);
      v.parse(MediaInfo, media);
      const Reference = v.object({
        format: v.object({ duration: v.string(), format_name: v.string(), size: v.string() }),
        streams: v.array(
          v.object({
            index: v.number(),
            codec_type: v.string(),
            codec_name: v.optional(v.string()),
            profile: v.optional(v.string()),
            width: v.optional(v.number()),
            height: v.optional(v.number()),
            pix_fmt: v.optional(v.string()),
            channels: v.optional(v.number()),
            channel_layout: v.optional(v.string()),
            sample_rate: v.optional(v.string()),
          }),
        ),
      });
      const reference = v.parse(Reference, await ffprobe(['-show_format', '-show_streams', `file:${path}`]));
      expect(media.demuxer).toBe(reference.format.format_name);
      expect(media.sizeBytes).toBe(Number(reference.format.size));
      // Matroska counts its duration from the clock's zero, wherever the first picture lies.
      const begin = media.container === 'matroska' ? media.startMs : 0;
      expect(Math.abs((media.durationMs ?? 0) + begin - Number(reference.format.duration) * 1000)).toBeLessThan(150);
      for (const track of [...media.video, ...media.audio]) {
        const stream = reference.streams.find((s) => s.index === track.index);
        expect(stream?.codec_name).toBe(track.codec);
        if (stream?.profile !== undefined) expect(track.profile).toBe(stream.profile);
      }
      for (const track of media.video) {
        const stream = reference.streams.find((s) => s.index === track.index);
        expect([track.width, track.height, track.pixelFormat]).toEqual([
          stream?.width,
          stream?.height,
          stream?.pix_fmt,
        ]);
      }
      for (const track of media.audio) {
        const stream = reference.streams.find((s) => s.index === track.index);
        expect([track.channels, track.channelLayout, String(track.sampleRateHz)]).toEqual([
          stream?.channels,
          stream?.channel_layout,
          stream?.sample_rate,
        ]);
      }
    },
  );

  it("says the same without FFmpeg's analysis as with it", async () => {
    for (const name of [
      'h264Mp4',
      'h264Mkv',
      'hevcMkv',
      'vp9Webm',
      'hlgMp4',
      'manyAudioMkv',
      'anamorphicMkv',
    ] as const) {
      const path = await clips[name]();
      const { media } = probe(path);
      using input = openInput(path);
      input.analyze();
      for (const track of media.video) {
        const par = input.streams[track.index]?.codecpar;
        expect([track.width, track.height, track.level ?? -99]).toEqual([par?.width, par?.height, par?.level]);
      }
      expect(media.startMs).toBe(Math.floor(Number(input.context.startTime) / 1000));
    }
  });

  it('names container, codec strings and rates', async () => {
    expect((await mediaOf('vp9Webm')).container).toBe('webm');
    expect((await mediaOf('xvidAvi')).container).toBe('avi');
    const { container, video, audio, bitrateBps } = await mediaOf('h264Mp4');
    expect(container).toBe('mp4');
    expect(video[0]).toMatchObject({
      codecString: 'avc1.4d400c',
      frameRate: { num: 24, den: 1 },
      isVariableFrameRate: false,
      bitDepth: 8,
      level: 12,
    });
    expect(audio[0]).toMatchObject({ codecString: 'mp4a.40.2', profile: 'LC', channels: 1, channelLayout: 'mono' });
    expect(bitrateBps).toBeGreaterThan(400_000);
    expect((await mediaOf('hevcMkv')).video[0]?.codecString).toBe('hvc1.1.6.L60.90');
    expect((await mediaOf('vp9Webm')).video[0]?.codecString).toMatch(/^vp09\.00\./u);
  });

  it('tells HDR kinds, also where only the bitstream knows', async () => {
    expect((await mediaOf('hdr10Mkv')).video[0]).toMatchObject({
      hdr: 'hdr10',
      bitDepth: 10,
      color: { primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc', range: 'tv' },
    });
    expect((await mediaOf('hlgMp4')).video[0]?.hdr).toBe('hlg');
    expect((await mediaOf('h264Mkv')).video[0]?.hdr).toBeNull();
  });

  it('tells interlaced from progressive', async () => {
    for (const name of ['interlacedTs', 'interlacedMkv'] as const) {
      expect((await mediaOf(name)).video[0]?.isInterlaced).toBe(true);
    }
    for (const name of ['h264Ts', 'h264Mkv', 'xvidAvi', 'hevcMkv'] as const) {
      expect((await mediaOf(name)).video[0]?.isInterlaced).toBe(false);
    }
  });

  it('tells variable frame rates from constant ones', async () => {
    for (const name of ['vfrMkv', 'vfrMp4'] as const) {
      expect((await mediaOf(name)).video[0]?.isVariableFrameRate).toBe(true);
    }
    for (const name of ['h264Mp4', 'h264Mkv', 'h264Ts', 'vp9Webm', 'openGopMkv'] as const) {
      expect((await mediaOf(name)).video[0]?.isVariableFrameRate).toBe(false);
    }
  });

  it('reads turn and pixel aspect', async () => {
    expect((await mediaOf('rotatedMp4')).video[0]?.rotation).toBe(270);
    expect((await mediaOf('anamorphicMkv')).video[0]?.pixelAspect).toEqual({ num: 64, den: 45 });
    expect((await mediaOf('h264Mp4')).video[0]).toMatchObject({ rotation: 0, pixelAspect: { num: 1, den: 1 } });
  });

  it('reads languages, titles and dispositions', async () => {
    const { audio } = await mediaOf('manyAudioMkv');
    expect(audio.map((track) => [track.index, track.codec, track.channelLayout, track.language, track.title])).toEqual([
      [1, 'ac3', '5.1(side)', 'en', null],
      [2, 'aac', 'stereo', 'fr', null],
      [3, 'opus', 'stereo', 'de', 'Kommentar'],
    ]);
    expect(audio.map((track) => track.disposition.default)).toEqual([true, false, false]);
    expect(audio[2]?.disposition.commentary).toBe(true);
    const { subtitles } = await mediaOf('subtitlesMkv');
    expect(subtitles).toMatchObject([
      { codec: 'subrip', language: 'en', isText: true, disposition: { forced: true } },
      { codec: 'ass', language: 'fr', title: 'Français', isText: true },
    ]);
  });

  it('reads chapters of Matroska and of QuickTime text tracks', async () => {
    const expected = [
      { startMs: 0, endMs: 1500, title: 'Opening' },
      { startMs: 1500, endMs: 2500, title: 'Die Mitte – ä ö ü' },
      { startMs: 2500, endMs: 4000, title: 'End' },
    ];
    expect((await mediaOf('chaptersMkv')).chapters).toEqual(expected);
    const mp4 = await mediaOf('chaptersMp4');
    expect(mp4.chapters).toEqual(expected);
    expect(mp4.subtitles).toEqual([]);
  });

  it('keeps covers and fonts apart from tracks', async () => {
    const { video, attachments } = await mediaOf('attachmentsMkv');
    expect(video).toHaveLength(1);
    expect(attachments).toMatchObject([
      { kind: 'cover', fileName: 'cover.jpg', mimeType: 'image/jpeg' },
      { kind: 'font', fileName: 'title.ttf', mimeType: 'application/x-truetype-font' },
    ]);
    for (const attachment of attachments) expect(attachment.sizeBytes).toBeGreaterThan(30);
  });

  it('cleans what a file says about itself', async () => {
    const path = await clip({
      name: 'rude-title.mkv',
      args: [
        ...picture(1),
        ...h264(),
        '-metadata',
        `title=Movie\u001b[2J \u202Elive${'!'.repeat(2000)}`,
        '-metadata:s:v',
        'language=xx-invalid-and-long',
      ],
    });
    const { media } = probe(path);
    expect(media.title).toMatch(/^Movie \[2J live!+$/u);
    expect(media.title?.length).toBeLessThanOrEqual(500);
  });

  it('decodes one packet where a header hides band replication', async () => {
    const path = await clip({ name: 'low-rate.mp4', args: [...tone(2), '-ar', '22050', '-c:a', 'aac'] });
    expect(probe(path).media.audio[0]).toMatchObject({
      codec: 'aac',
      profile: 'LC',
      sampleRateHz: 22_050,
      channelLayout: 'mono',
    });
  });

  it('finds the end of a recording that was never finished', async () => {
    const path = await clip({ name: 'live.mkv', args: [...picture(4), ...h264(), '-f', 'matroska', '-live', '1'] });
    const { media } = probe(path);
    expect(media.durationMs).toBeGreaterThan(3800);
    expect(media.durationMs).toBeLessThanOrEqual(4000);
  });

  it('refuses what has neither picture nor sound', async () => {
    const path = await clip({
      name: 'only-text.mkv',
      args: ['-i', await clips.subtitlesMkv(), '-map', '0:s', '-c', 'copy'],
    });
    expect(() => probe(path)).toThrow(expect.objectContaining({ failure: 'noTracks' }) as MediaError);
  });

  it.each([400, 600])('refuses a file whose index is cut off after %i bytes', async (length) => {
    const path = await changedClip(`index-cut-${length}.mp4`, `${length} bytes of h264Mp4`, async () =>
      readFileSync(await clips.h264Mp4()).subarray(0, length),
    );
    expect(() => probe(path)).toThrow(expect.objectContaining({ failure: 'truncated' }));
  });

  it('takes 200 tracks, and no more of a file that claims to have them', async () => {
    const path = await changedClip('many-tracks.mkv', 'first track entry of h264Mkv 400 times, whole', async () => {
      const bytes = readFileSync(await clips.h264Mkv());
      return multiplyTracks(bytes, 400);
    });
    expect(probe(path).media.video).toHaveLength(200);
  });
});

/** First element of this id (hexadecimal) among those that follow each other from `at` on (RFC 8794). */
function element(
  bytes: Buffer,
  id: string,
  at: number,
): { readonly at: number; readonly contentAt: number; readonly endAt: number } {
  for (let from = at; ;) {
    const idBytes = Math.clz32(bytes.readUInt8(from)) - 23;
    const lengthAt = from + idBytes;
    const first = bytes.readUInt8(lengthAt);
    const lengthBytes = Math.clz32(first) - 23;
    let length = first & (0xff >> lengthBytes);
    for (let i = 1; i < lengthBytes; i += 1) length = length * 256 + bytes.readUInt8(lengthAt + i);
    const contentAt = lengthAt + lengthBytes;
    if (bytes.toString('hex', from, lengthAt) === id) return { at: from, contentAt, endAt: contentAt + length };
    from = contentAt + length;
  }
}

/** Repeats the first track entry. Lengths become eight bytes wide, positions are left wrong. */
function multiplyTracks(bytes: Buffer, times: number): Buffer {
  const segment = element(bytes, '18538067', 0);
  const tracks = element(bytes, '1654ae6b', segment.contentAt);
  const { at, endAt } = element(bytes, 'ae', tracks.contentAt);
  const entry = bytes.subarray(at, endAt);
  const content = Buffer.concat(Array.from({ length: times }, () => entry));
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(content.length));
  length[0] = 0x01;
  const head = bytes.subarray(0, segment.at);
  return Buffer.concat([
    head,
    Buffer.from('1853806701ffffffffffffff1654ae6b', 'hex'),
    length,
    content,
    bytes.subarray(tracks.endAt),
  ]);
}
