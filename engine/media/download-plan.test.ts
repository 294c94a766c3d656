import { describe, expect, it } from 'vitest';
import { audioTrack, mediaInfo, videoTrack } from '#test/support/media-info.ts';
import { downloadQualities, originalObstacles, planCopy, soundOutputs, videoOutput } from './download-plan.ts';

const film = (video: Parameters<typeof videoTrack>[0], more: Parameters<typeof mediaInfo>[0] = {}) =>
  mediaInfo({ durationMs: 6_000_000, video: [videoTrack(video)], ...more });
const names = (media: ReturnType<typeof film>): string[] => downloadQualities(media).map(({ quality }) => quality);

describe('what can be prepared of a file', () => {
  it('[DL21] the picture as it is, then boxes that are not larger than it', () => {
    expect(names(film({}))).toEqual(['copy', '1080p', '720p', '480p', '360p', '240p']);
    expect(names(film({ width: 1_920, height: 800 }))).toEqual(['copy', '1080p', '720p', '480p', '360p', '240p']);
    expect(names(film({ width: 3_840, height: 2_160 }))[1]).toBe('2160p');
    expect(names(film({ width: 7_680, height: 4_320 }))[1]).toBe('2160p');
    expect(names(film({ width: 320, height: 180 }))).toEqual(['copy', '240p']);
    // Upright, from a telephone.
    expect(names(film({ width: 1_920, height: 1_080, rotation: 90 }))[1]).toBe('1080p');
  });

  it('[DL21] no copy of what MP4 has no place for, or whose times can’t be trusted', () => {
    expect(names(film({ codec: 'mpeg4' }))[0]).toBe('1080p');
    expect(names(film({}, { container: 'avi' }))[0]).toBe('1080p');
    expect(names(film({ hdr: 'dolbyVision', dolbyVision: { profile: 5, level: 6, compatibility: 0 } }))[0]).toBe(
      '1080p',
    );
    expect(downloadQualities(mediaInfo({ durationMs: null }))).toEqual([]);
    expect(downloadQualities(mediaInfo({ video: [], audio: [] }))).toEqual([]);
    expect(downloadQualities(mediaInfo({ video: [], audio: [audioTrack()] }))).toMatchObject([
      { quality: 'copy', codec: null },
    ]);
  });

  it('[DL21] HDR becomes ordinary, fields become pictures, and no encoded picture is larger than is of use', () => {
    const hdr = film({ codec: 'hevc', hdr: 'hdr10', bitDepth: 10, isInterlaced: true, bitrateBps: 600_000 });
    expect(videoOutput(hdr, '720p', 'software')).toMatchObject({
      toneMap: true,
      deinterlace: true,
      heightPx: 720,
      method: 'h264',
    });
    const [copy, encoded] = downloadQualities(hdr);
    expect(copy!.obstacles).toEqual(['videoCodec', 'hdr', 'interlaced']);
    expect(encoded!.estimatedBytes).toBeLessThanOrEqual(copy!.estimatedBytes * 1.8);
    expect(
      videoOutput(
        film({ hdr: 'dolbyVision', dolbyVision: { profile: 8, level: 6, compatibility: 1 } }),
        'copy',
        'software',
      ),
    ).toEqual({
      method: 'copy',
      withoutDolbyVision: true,
    });
  });

  it('[DL1] says what may keep the file as it is from playing elsewhere', () => {
    expect(originalObstacles(film({}, { container: 'mp4', audio: [audioTrack()] }))).toEqual([]);
    expect(
      originalObstacles(
        film({ codec: 'hevc', bitDepth: 10 }, { container: 'matroska', audio: [audioTrack({ codec: 'dts' })] }),
      ),
    ).toEqual(['container', 'videoCodec', 'audioCodec']);
  });

  it('[DL20] sound that plays everywhere is copied; 5.1 stays 5.1', () => {
    expect(soundOutputs(audioTrack()).output).toEqual({ method: 'copy' });
    expect(soundOutputs(audioTrack({ profile: 'Main' })).output).toMatchObject({ method: 'aac', channels: 2 });
    expect(soundOutputs(audioTrack({ codec: 'truehd', channels: 8 })).output).toMatchObject({
      method: 'aac',
      channels: 6,
    });
  });

  it('[DL20] a copy is cut at keyframes however far they are apart', () => {
    expect(planCopy([], 60e6)).toBeNull();
    expect([...planCopy([0, 40e6, 80e6], 100e6)!]).toEqual([0, 40e6, 80e6, 100e6]);
    expect([...planCopy([0], 100e6)!]).toEqual([0, 100e6]);
  });
});
