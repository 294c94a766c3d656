import { describe, expect, it } from 'vitest';
import { SampleList } from './fragment-samples.ts';
import { boxIn, boxes } from './mp4-box.ts';
import { movieHead, planChunks } from './mp4-movie.ts';
import type { Mp4MovieTrack } from './mp4-movie.ts';
import { chapterTrack, subtitleTrack } from './timed-text.ts';

function track(kind: 'video' | 'audio', count: number, sizeBytes: number, firstTicks = 0): Mp4MovieTrack {
  const samples = new SampleList();
  for (let index = 0; index < count; index++) {
    samples.add({
      ...{
        sizeBytes,
        offsetTicks: 0,
        durationTicks: 500,
        decodeTicks: firstTicks + index * 500,
        isSync: index % 10 === 0,
      },
      // Ten samples to a segment.
      ...{ segment: Math.floor(index / 10), position: 100 + (index % 10) * sizeBytes },
    });
  }
  const facts = { language: null, title: null, isDefault: true, roles: [] };
  return { ...facts, kind, timescale: 1_000, sampleDescription: Buffer.alloc(8), samples, originTicks: 0 };
}

const NOTHING = { title: null, year: null, chapters: [] };
const table = (head: Buffer, at: number, type: string): Buffer | null => {
  const traks = [...boxes(boxIn(head, 'moov')!)].filter((box) => box.type === 'trak');
  return boxIn(traks[at]!.content, 'mdia', 'minf', 'stbl', type);
};

describe('the head of an MP4', () => {
  it('[DL20] says where each sample lies, a second of each track in turn', () => {
    const tracks = [track('video', 20, 1_000), track('audio', 20, 10)];
    const chunks = planChunks(tracks);
    expect(chunks.slice(0, 4).map(({ track: at, first, count, sizeBytes }) => [at, first, count, sizeBytes])).toEqual([
      [0, 0, 2, 2_000],
      [1, 0, 2, 20],
      [0, 2, 2, 2_000],
      [1, 2, 2, 20],
    ]);
    const head = movieHead(tracks, chunks, NOTHING);
    expect([...boxes(head)].map(({ type }) => type)).toEqual(['ftyp', 'moov']);
    const places = table(head, 1, 'stco')!;
    expect(places.readUInt32BE(8)).toBe(head.length + 2_000);
    expect(places.readUInt32BE(12)).toBe(head.length + 4_020);
    expect(table(head, 0, 'stss')!.readUInt32BE(4)).toBe(2);
  });

  it('[DL20] has room for places beyond four gigabytes', () => {
    const tracks = [track('video', 5_000, 1_000_000)];
    const chunks = planChunks(tracks);
    const head = movieHead(tracks, chunks, NOTHING);
    const places = table(head, 0, 'co64')!;
    expect(Number(places.readBigUInt64BE(places.length - 8))).toBe(head.length + 4_998 * 1_000_000);
    expect(head.toString('latin1', head.length - 12, head.length - 8)).toBe('mdat');
    expect(Number(head.readBigUInt64BE(head.length - 8))).toBe(5_000 * 1_000_000 + 16);
  });

  it('[DL20] a track that begins late is told so; one that begins early is cut', () => {
    const edits = (one: Mp4MovieTrack): number[] => {
      const elst = boxIn(boxIn(movieHead([one], planChunks([one]), NOTHING), 'moov'), 'trak', 'edts', 'elst')!;
      return Array.from({ length: (elst.length - 8) / 4 }, (_, index) => elst.readInt32BE(8 + index * 4));
    };
    expect(edits(track('audio', 4, 1, 250))).toEqual([12_000, -1, 65_536, 96_000, 0, 65_536]);
    expect(edits(track('audio', 4, 1, -250))).toEqual([84_000, 250, 65_536]);
  });
});

describe('text in an MP4', () => {
  const shown = ({ samples, bytes }: ReturnType<typeof subtitleTrack>) =>
    Array.from({ length: samples.count }, (_, index) => {
      const at = samples.position(index);
      const length = bytes.readUInt16BE(at);
      return [
        samples.decodeTicks(index),
        samples.durationTicks(index),
        bytes.toString('utf8', at + 2, at + 2 + length),
      ];
    });

  it('[DL23] is without gaps from the beginning to the end', () => {
    const vtt =
      'WEBVTT\n\n00:01.000 --> 00:02.000\nOne\n\n00:01.500 --> 00:03.000\n<b>Two</b> &lt;3\n\n00:09.000 --> 01:00:00.000\nLate\n';
    expect(shown(subtitleTrack(vtt, 10_000))).toEqual([
      [0, 1_000, ''],
      [1_000, 500, 'One'],
      [1_500, 500, 'One\nTwo <3'],
      [2_000, 1_000, 'Two <3'],
      [3_000, 6_000, ''],
      [9_000, 1_000, 'Late'],
    ]);
    expect(shown(subtitleTrack('WEBVTT\n', 5_000))).toEqual([[0, 5_000, '']]);
  });

  it('[DL23] is never longer than a sample may be, and ends with a whole character', () => {
    const [[, , text]] = shown(subtitleTrack(`WEBVTT\n\n00:00.000 --> 00:01.000\n${'ü'.repeat(40_000)}\n`, 1_000)) as [
      [number, number, string],
    ];
    expect(text).toBe('ü'.repeat(16_384));
  });

  it('[DL23] chapters begin with the movie', () => {
    const marks = [
      { startMs: 2_000, title: 'Two' },
      { startMs: 4_000, title: 'Three' },
    ];
    expect(shown(chapterTrack(marks, 5_000)).map(([start, , title]) => [start, title])).toEqual([
      [0, ''],
      [2_000, 'Two'],
      [4_000, 'Three'],
    ]);
  });
});
