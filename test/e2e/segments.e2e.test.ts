/**
 * Segments in a real Chromium, by Media Source Extensions alone: the browser says that it takes the codec string of the playlist, takes the init
 * segment and every segment in any order, and shows the right picture at the right time. Players add nothing to that but patience.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copiedAudioCodecString, copiedVideoCodecString, encodedAudioCodecString } from '#engine/media/codec-string.ts';
import type { RenditionOutput } from '#engine/media/rendition-spec.ts';
import { openBrowser } from '../support/browser.ts';
import { clip, clips, h264, picture, tone } from '../support/media.ts';
import { COPY, countOf, makeAll, movie, orderOf } from '../support/rendition.ts';

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await openBrowser();
  page = await browser.newPage();
});
afterAll(() => browser?.close());

interface Seen {
  readonly isSupported: boolean;
  readonly ranges: readonly (readonly [startS: number, endS: number])[];
  /** When the picture that is shown after a seek to each of the times begins; empty for sound. */
  readonly shownS: readonly number[];
  readonly error: string | null;
}

/** Appends the init segment, then the segments in the order given, and seeks to times at which other pictures begin. */
function play(
  type: string,
  init: string,
  segments: readonly string[],
  seeks: readonly (readonly [timeS: number, expectedS: number])[],
): Promise<Seen> {
  return page.evaluate(
    async (given) => {
      const isSupported = MediaSource.isTypeSupported(given.type);
      if (!isSupported) return { isSupported, ranges: [], shownS: [], error: null };
      const bytes = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const event = (target: EventTarget, name: string) =>
        new Promise<void>((resolve, reject) => {
          target.addEventListener(name, () => resolve(), { once: true });
          target.addEventListener('error', () => reject(new Error(`error instead of ${name}`)), { once: true });
        });
      const element = document.createElement('video');
      document.body.append(element);
      try {
        const source = new MediaSource();
        element.src = URL.createObjectURL(source);
        await event(source, 'sourceopen');
        const buffer = source.addSourceBuffer(given.type);
        buffer.timestampOffset = -10;
        for (const part of [given.init, ...given.segments]) {
          const done = event(buffer, 'updateend');
          buffer.appendBuffer(bytes(part));
          await done;
          if (element.error) throw new Error(element.error.message);
        }
        source.endOfStream();
        const ranges = Array.from({ length: buffer.buffered.length }, (_, index): [number, number] => [
          buffer.buffered.start(index),
          buffer.buffered.end(index),
        ]);
        // A picture that is there already is not announced again, so the last one that was is what is shown.
        let lastS = NaN;
        const follow = (_: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
          lastS = mediaTime;
          element.requestVideoFrameCallback(follow);
        };
        element.requestVideoFrameCallback(follow);
        const shownS: number[] = [];
        for (const [time, wanted] of given.seeks) {
          const seeked = event(element, 'seeked');
          element.currentTime = time;
          await seeked;
          const endsAt = performance.now() + 30_000;
          while (!(Math.abs(lastS - wanted) < 0.002) && performance.now() < endsAt) {
            await new Promise(requestAnimationFrame);
          }
          shownS.push(lastS);
        }
        return { isSupported, ranges, shownS, error: element.error?.message ?? null };
      } catch (thrown) {
        return { isSupported, ranges: [], shownS: [], error: element.error?.message ?? String(thrown) };
      } finally {
        element.remove();
      }
    },
    { type, init, segments: [...segments], seeks: seeks.map(([time, wanted]): [number, number] => [time, wanted]) },
  );
}

const base64 = (bytes: Buffer): string => bytes.toString('base64');

/** The last first, then every other, then what is left: nobody's order, so that no segment leans on another. */
function shuffled(count: number): number[] {
  const all = Array.from({ length: count }, (_, index) => index).toReversed();
  return [...all.filter((_, at) => at % 2 === 0), ...all.filter((_, at) => at % 2 === 1)];
}

const av1 = ['-c:v', 'libsvtav1', '-preset', '12', '-g', '24', '-svtav1-params', 'keyint=24'];
const tenBit = ['-vf', 'format=yuv420p10le', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '24', '-bf', '2'];

const PICTURES: Record<string, () => Promise<string>> = {
  'H.264 in MP4': clips.h264Mp4,
  'H.264 in Matroska': clips.h264Mkv,
  'H.264 in MPEG-TS': clips.h264Ts,
  'H.264 that begins at ten hours': clips.startAt10HoursTs,
  'H.264 of a variable rate': clips.vfrMkv,
  'H.264 of pixels that are not square': clips.anamorphicMkv,
  'H.264 of 10 bits': () => clip({ name: 'ten-bit-bframes.mkv', args: [...picture(4), ...tenBit] }),
  'VP9 in WebM': clips.vp9Webm,
  'AV1 in Matroska': () => clip({ name: 'av1.mkv', args: [...picture(4), ...av1] }),
  'AV1 in MP4': () => clip({ name: 'av1.mp4', args: [...picture(4), ...av1] }),
  'a picture that begins late and ends early': () =>
    clip({
      name: 'picture-within-sound.mkv',
      args: ['-itsoffset', '1.5', ...picture(4), ...tone(8), '-map', '0', '-map', '1', ...h264(), '-c:a', 'aac'],
    }),
};

describe('a copied picture', () => {
  it.each(Object.keys(PICTURES))('%s', async (name) => {
    const source = movie(await PICTURES[name]!());
    const order = orderOf(source, 'video', COPY);
    const made = await makeAll(order);
    expect(made.failures).toEqual([]);
    const track = source.media.video[0]!;
    const frameS = track.frameRate ? track.frameRate.den / track.frameRate.num : 0.05;
    const segments = shuffled(countOf(order)).map((index) => base64(made.bytes(index)));
    const shown = made.shownUs;
    // Into the middle of a picture, so that nobody has to round.
    const seeks = [0.1, 0.35, 0.6, 0.95].map((part): [number, number] => {
      const at = Math.floor((shown.length - 1) * part);
      return [(shown[at]! + shown[at + 1]!) / 2e6, shown[at]! / 1e6];
    });
    const type = `video/mp4; codecs="${copiedVideoCodecString(track)}"`;
    const seen = await play(type, base64(made.initBytes), segments, seeks);
    expect(seen).toMatchObject({ isSupported: true, error: null });
    expect(seen.ranges).toHaveLength(1);
    const [[startS, endS] = [NaN, NaN]] = seen.ranges;
    expect(startS).toBeLessThan(frameS);
    // Where the sound goes on, the last picture stays: a browser knows that when it is told that no more comes.
    expect(endS).toBeGreaterThan(made.shownUs.at(-1)! / 1e6);
    expect(endS).toBeLessThan(source.durationUs / 1e6 + frameS + 0.05);
    seeks.forEach(([time, wanted], at) => {
      expect(Math.abs(seen.shownS[at]! - wanted), `${type} at ${time}: ${seen.shownS[at]}`).toBeLessThan(0.002);
    });
  });
});

const sound =
  (codec: string, container: string, ...more: string[]) =>
  () =>
    clip({
      name: `browser-${codec}.${container}`,
      args: [...picture(6), ...tone(6), ...h264(), '-c:a', codec, ...more],
    });
const six = () =>
  clip({
    name: 'browser-six.mkv',
    args: [
      ...picture(6),
      '-f',
      'lavfi',
      '-i',
      'aevalsrc=0.1*sin(900*t)|0|0.1*sin(2000*t)|0|0|0:c=5.1:s=48000:d=6',
      ...h264(),
      '-c:a',
      'pcm_s16le',
    ],
  });
const AAC: RenditionOutput = { method: 'aac', channels: 2, bitrateBps: 128_000 };

const SOUNDS: Record<string, readonly [() => Promise<string>, RenditionOutput]> = {
  'AAC in MP4': [sound('aac', 'mp4'), COPY],
  'AAC in MPEG-TS': [sound('aac', 'ts'), COPY],
  'Opus in Matroska': [sound('libopus', 'mkv', '-ac', '2'), COPY],
  'FLAC in Matroska': [sound('flac', 'mkv'), COPY],
  'what was MP3': [sound('libmp3lame', 'mkv'), AAC],
  'what was AC-3': [sound('ac3', 'mkv', '-ar', '48000'), AAC],
  'six channels': [six, { ...AAC, channels: 6, bitrateBps: 384_000 }],
};

describe('sound', () => {
  it.each(Object.keys(SOUNDS))('%s', async (name) => {
    const [make, output] = SOUNDS[name]!;
    const source = movie(await make());
    const order = orderOf(source, 'audio', output, [0, 2e6, 4e6, source.durationUs]);
    const made = await makeAll(order);
    expect(made.failures).toEqual([]);
    const string =
      output.method === 'copy' ? copiedAudioCodecString(source.media.audio[0]!) : encodedAudioCodecString('aac');
    const segments = shuffled(countOf(order)).map((index) => base64(made.bytes(index)));
    const seen = await play(`audio/mp4; codecs="${string}"`, base64(made.initBytes), segments, []);
    expect(seen).toMatchObject({ isSupported: true, error: null });
    expect(seen.ranges).toHaveLength(1);
    const [[startS, endS] = [NaN, NaN]] = seen.ranges;
    expect(startS).toBeLessThan(0.05);
    expect(Math.abs(endS - source.durationUs / 1e6)).toBeLessThan(0.1);
  });
});
