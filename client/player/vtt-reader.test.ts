import { describe, expect, it } from 'vitest';
import { VttReader } from './vtt-reader.ts';

const TEXT = `WEBVTT
X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000

00:00:00.500 --> 00:00:01.500
Hello <b>there</b>
second line

01:00:02.000 --> 01:00:03.000 line:0
Up`;

describe('WebVTT as it comes', () => {
  it.each([1, 5, 17, 1_000])('[PLAY53] in pieces of %i letters', (size) => {
    const reader = new VttReader();
    const cues = [];
    for (let at = 0; at < TEXT.length; at += size) cues.push(...reader.take(TEXT.slice(at, at + size)));
    cues.push(...reader.end());
    expect(cues).toEqual([
      { startMs: 500, endMs: 1_500, isTop: false, text: 'Hello <b>there</b>\nsecond line' },
      { startMs: 3_602_000, endMs: 3_603_000, isTop: true, text: 'Up' },
    ]);
  });

  it('[PLAY56] passes over what is no cue, and holds no block that does not end', () => {
    const reader = new VttReader();
    expect(reader.take('<html>\n\nNOTE x\n\n00:00:02.000 --> 00:00:01.000\nback\n\n')).toEqual([]);
    for (let piece = 0; piece < 40; piece++) reader.take('x'.repeat(100_000));
    expect(reader.take('\n\n00:00:01.000 --> 00:00:02.000\nstill here\n\n')).toHaveLength(1);
  });
});
