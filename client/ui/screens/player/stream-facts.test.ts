import { describe, expect, it } from 'vitest';
import type { PlayerFacts } from '#client/player/player-state.ts';
import type { Playback } from '#protocol/schema/playback.ts';
import { factReport, factRows } from './stream-facts.ts';

const playback = {
  movieId: '01890000-0000-7000-8000-000000000001',
  fileId: '01890000-0000-7000-8000-000000000002',
  method: 'transcode',
  reasons: ['videoCodecNotSupported'],
  video: { trackIndex: 0, method: 'transcode', fromCodec: 'hevc', toCodec: 'h264' },
  audio: { trackIndex: 1, method: 'copy', fromCodec: 'aac', toCodec: 'aac' },
  url: '/media/secret-grant/index.m3u8',
  source: { container: 'matroska', bitrateBps: 12_000_000, width: 1920, height: 1080, sizeBytes: 4_000_000_000 },
  variants: [
    { name: 'v0', codec: 'h264', isOriginal: false, maxBitrateBps: 8_000_000, hardware: 'vaapi' },
    { name: 'v1', codec: 'h264', isOriginal: false, maxBitrateBps: 3_000_000, hardware: 'vaapi' },
  ],
  audioTracks: [{ trackIndex: 1, label: 'English', language: 'en', isSelected: true }],
  audioReason: 'spokenLanguage',
  subtitleTracks: [{ id: 't2', label: 'Deutsch', language: 'de' }],
  selectedSubtitle: 't2',
  subtitleReason: 'chosen',
} as unknown as Playback;

const facts: PlayerFacts = {
  source: { throughputBps: 30_000_000, variantBitrateBps: 5_000_000, liveBitrateBps: 3_200_000, engine: 'hls.js' },
  ...{ width: 1280, height: 720, droppedFrames: 2, totalFrames: 1_000, bufferedAheadMs: 31_250, stalls: 1 },
};
const variant = { index: 0, name: 'v1', width: 1280, height: 720, bitrateBps: 5_000_000, codec: 'avc1.64001f' };

describe('about this stream', () => {
  it('[PLAY96] tells what plays, why, and the numbers of the moment', () => {
    const rows = new Map(factRows(playback, facts, variant, null));
    expect(rows.get('Picture')).toBe('HEVC → H.264');
    expect(rows.get('Encoded by')).toBe('VA-API');
    expect(rows.get('Sound track')).toBe('English · It is in a language that you speak.');
    expect(rows.get('Subtitles')).toMatch(/^German · /);
    expect(rows.get('Variant')).toBe('720p · 3.0 Mbit/s');
    expect(rows.get('Takes now')).toBe('3.2 Mbit/s');
    expect(rows.get('Line')).toBe('about 30.0 Mbit/s');
    expect(rows.get('Loaded ahead')).toBe('31.3 s');
    expect(rows.get('Stops to load')).toBe('1');
  });

  it('[PLAY96] names the file’s own picture as such, and a variant that only the player of segments knows by its peak', () => {
    const own: Playback = {
      ...playback,
      variants: [{ ...playback.variants[0]!, name: 'v1', isOriginal: true, maxBitrateBps: 21_900_000 }],
    };
    expect(new Map(factRows(own, facts, variant, null)).get('Variant')).toBe('720p · as it is');
    expect(new Map(factRows({ ...playback, variants: [] }, facts, variant, null)).get('Variant')).toBe(
      '720p · 5.0 Mbit/s',
    );
  });

  it('[PLAY96] tells how fast the picture is encoded, and by what, as the server says now', () => {
    const work = { realTimeFactor: 3.42, framesPerSecond: 82.1, isAtRest: false, hardware: null };
    const rows = new Map(factRows(playback, facts, variant, work));
    expect(rows.get('Encoding')).toBe('3.4 × real time · 82 frames/s');
    // The hardware that was meant to has failed meanwhile.
    expect(rows.get('Encoded by')).toBe('The processor');
    const resting = { ...work, realTimeFactor: 12.3, framesPerSecond: null, isAtRest: true };
    expect(new Map(factRows(playback, facts, variant, resting)).get('Encoding')).toBe(
      '12 × real time · resting, enough is ready',
    );
    const copied: Playback = { ...playback, video: { ...playback.video!, method: 'copy' } };
    const quiet = new Map(factRows(copied, facts, variant, null));
    expect([quiet.has('Encoding'), quiet.has('Encoded by')]).toEqual([false, false]);
    // A softer variant of a movie whose picture could be sent as it is.
    expect(new Map(factRows(copied, facts, variant, work)).get('Encoded by')).toBe('The processor');
  });

  it('[PLAY96] says that the sound is the one for the night', () => {
    const audio = { trackIndex: 1, method: 'transcode', fromCodec: 'aac', toCodec: 'aac' } as const;
    const night: Playback = { ...playback, audio, reasons: ['nightSound'] };
    expect(new Map(factRows(night, facts, variant, null)).get('Sound')).toBe('AAC → AAC · night sound');
    expect(factReport('Metropolis', night, facts, variant, null, 'Chrome on Linux')).toContain('(nightSound)');
    // Another track is heard since, and nobody has said what becomes of it.
    expect(new Map(factRows({ ...night, audio: null }, facts, variant, null)).has('Sound')).toBe(false);
  });

  it('[PLAY96] leaves out what nobody knows', () => {
    const rows = new Map(factRows(playback, { ...facts, source: null, width: 0 }, null, null));
    for (const name of ['Variant', 'Takes now', 'Line', 'Player']) expect(rows.has(name)).toBe(false);
    expect(rows.get('Shown')).toBe('Not yet');
  });

  it('[PLAY96] says that there are no subtitles rather than why none shows', () => {
    const none: Playback = {
      ...playback,
      subtitleTracks: [],
      selectedSubtitle: null,
      subtitleReason: 'audioUnderstood',
    };
    expect(new Map(factRows(none, facts, variant, null)).get('Subtitles')).toBe('This movie has none.');
    const off: Playback = { ...playback, selectedSubtitle: null, subtitleReason: 'audioUnderstood' };
    expect(new Map(factRows(off, facts, variant, null)).get('Subtitles')).toBe('You understand the sound.');
  });

  it('[PLAY96] the report has every reason with its name, and no address of the movie', () => {
    const report = factReport('Metropolis', playback, facts, variant, null, 'Chrome on Linux');
    expect(report).toContain('(videoCodecNotSupported)');
    expect(report).toContain('Device: Chrome on Linux');
    expect(report).not.toContain('secret-grant');
    expect(report).not.toContain(playback.fileId);
  });
});
