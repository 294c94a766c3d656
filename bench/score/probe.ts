/**
 * `npm run score -- probe DIR`: our probe against ffprobe's answers in `DIR/INDEX.json`, field by field.
 *
 * The reference is ffprobe 5.1; ours is FFmpeg 8.1 plus own parsers. What is compared and how leniently is written beside
 * each field, and the rules are these:
 * - Where the reference says nothing, nothing is compared: we may know more, and are not paid for it.
 * - Where it says something and we do not, that counts as `missing`.
 * - A file that holds no movie (text subtitles, teletext alone, a photo) is right to refuse.
 * - A file that ffprobe could not read is right to refuse, and not compared if we can read it.
 */
import { join } from 'node:path';
import type { MediaInfo, Ratio } from '#protocol/schema/media.ts';
import { toLanguageTag } from '#engine/media/language-tag.ts';
import { readReferences } from './ffprobe-reference.ts';
import type { Reference, ReferenceStream } from './ffprobe-reference.ts';
import { ScoredProbeHost } from './probe-host.ts';
import { Tally } from './score-row.ts';
import type { ScoreRow, Verdict } from './score-row.ts';

export async function scoreProbe(folder: string): Promise<ScoreRow[]> {
  const tally = new Tally('probe');
  await using host = new ScoredProbeHost();
  for (const { file, reference } of await readReferences(folder)) {
    const result = await host.probe(join(folder, file));
    if (result?.ok === true) {
      if (reference === null) console.error(`${file}: ffprobe could not read it, we can`);
      else compareFile(tally, file, { ours: result.media, reference });
      continue;
    }
    const reason = result === null ? 'host died' : result.failure;
    const isRight = result !== null && (reference === null || !isMovie(reference));
    tally.count('opened', isRight ? 'right' : 'missing');
    console.error(
      `${file}: refused (${reason})${isRight ? ', as it should be' : `, ffprobe reads ${reference?.format.format_name ?? ''}`}`,
    );
  }
  return tally.rows();
}

/** Picture or sound besides a cover. A single photo is no movie, though ffprobe calls it a video stream. */
function isMovie(reference: Reference): boolean {
  if (/_pipe$|^image2$|^gif$|^apng$/u.test(reference.format.format_name)) return false;
  return reference.streams.some(
    (stream) =>
      stream.codec_type === 'audio' || (stream.codec_type === 'video' && stream.disposition['attached_pic'] !== 1),
  );
}

interface Compared {
  readonly ours: MediaInfo;
  readonly reference: Reference;
}

/** Compares values of one field; `null` and `undefined` in `theirs` mean that the reference does not say. */
class FileComparison {
  readonly #tally: Tally;
  readonly #file: string;

  constructor(tally: Tally, file: string) {
    this.#tally = tally;
    this.#file = file;
  }

  exact(
    key: string,
    where: string,
    ours: string | number | boolean | null,
    theirs: string | number | boolean | null | undefined,
  ): void {
    if (theirs === null || theirs === undefined) return;
    this.#count(key, where, { ours, theirs, isEqual: ours === theirs });
  }

  near(key: string, where: string, ours: number | null, theirs: number | null, tolerance: number): void {
    if (theirs === null || Number.isNaN(theirs)) return;
    this.#count(key, where, { ours, theirs, isEqual: ours !== null && Math.abs(ours - theirs) <= tolerance });
  }

  #count(key: string, where: string, found: { ours: unknown; theirs: unknown; isEqual: boolean }): void {
    const verdict: Verdict = found.isEqual ? 'right' : found.ours === null ? 'missing' : 'wrong';
    this.#tally.count(key, verdict);
    if (verdict === 'right') return;
    console.error(`${this.#file} ${where} ${key}: ours ${String(found.ours)}, ffprobe ${String(found.theirs)}`);
  }
}

function compareFile(tally: Tally, file: string, { ours, reference }: Compared): void {
  const comparison = new FileComparison(tally, file);
  tally.count('opened', 'right');
  const { format } = reference;
  comparison.exact('container', 'file', ours.container, containerOf(format.format_name, ours));
  comparison.exact('demuxer', 'file', ours.demuxer, format.format_name);
  // One sound or picture frame at either end is counted differently by versions (priming, edit lists).
  const durationMs = seconds(format.duration);
  comparison.near('duration', 'file', ours.durationMs, durationMs, Math.max(100, (durationMs ?? 0) * 0.005));
  // A negative start is the priming of an audio encoder, which is never heard; newer FFmpeg leaves it out.
  const startMs = seconds(format.start_time);
  comparison.near('start', 'file', ours.startMs, startMs === null ? null : Math.max(0, startMs), 1.5);
  comparison.exact('size', 'file', ours.sizeBytes, number(format.size));
  // Size over duration: as far apart as the durations may be.
  const bitrate = number(format.bit_rate);
  comparison.near(
    'bitrate',
    'file',
    ours.bitrateBps,
    bitrate,
    (bitrate ?? 0) * Math.max(0.01, 100 / (durationMs ?? 1e9)),
  );
  comparison.exact('title', 'file', ours.title, tag(format.tags, 'title'));
  compareChapters(comparison, { ours, reference });
  for (const stream of reference.streams) compareStream(comparison, ours, stream);
}

function containerOf(formatName: string, ours: MediaInfo): string {
  if (formatName === 'matroska,webm') return ours.container === 'webm' ? 'webm' : 'matroska';
  if (formatName.startsWith('mov,')) return 'mp4';
  const names: Readonly<Record<string, string>> = {
    mpegts: 'mpegts',
    mpeg: 'mpegps',
    avi: 'avi',
    asf: 'asf',
    flv: 'flv',
    ogg: 'ogg',
  };
  return names[formatName] ?? 'audio';
}

function compareChapters(comparison: FileComparison, { ours, reference }: Compared): void {
  if (reference.chapters.length === 0 && ours.chapters.length === 0) return;
  comparison.exact('chapterCount', 'file', ours.chapters.length, reference.chapters.length);
  reference.chapters.forEach((chapter, i) => {
    const own = ours.chapters[i];
    comparison.near('chapterStart', `chapter ${i}`, own?.startMs ?? null, seconds(chapter.start_time), 50);
    comparison.near('chapterEnd', `chapter ${i}`, own?.endMs ?? null, seconds(chapter.end_time), 50);
    comparison.exact('chapterTitle', `chapter ${i}`, own?.title ?? null, tag(chapter.tags, 'title'));
  });
}

function compareStream(comparison: FileComparison, ours: MediaInfo, stream: ReferenceStream): void {
  const where = `#${stream.index}`;
  const kind = kindOf(stream);
  if (kind === null) return;
  comparison.exact('track', where, ourKind(ours, stream.index), kind);
  if (kind === 'attachment') return compareAttachment(comparison, ours, stream);
  const video = ours.video.find((track) => track.index === stream.index);
  const audio = ours.audio.find((track) => track.index === stream.index);
  const track = video ?? audio ?? ours.subtitles.find((t) => t.index === stream.index);
  if (track === undefined) return;
  comparison.exact('codec', where, track.codec, stream.codec_name);
  // ffprobe prints a bare number where FFmpeg has no name for a profile.
  comparison.exact('profile', where, track.profile, /^-?\d+$/u.test(stream.profile ?? '0') ? null : stream.profile);
  const language = tag(stream.tags, 'language');
  if (language !== null && (toLanguageTag(language) !== null || track.language === null)) {
    comparison.exact('language', where, track.language ?? 'none', toLanguageTag(language) ?? 'none');
  }
  comparison.exact('trackTitle', where, track.title, tag(stream.tags, 'title'));
  comparison.exact('disposition', where, dispositionText(track.disposition), referenceDisposition(stream));
  const bitrate = number(stream.bit_rate);
  comparison.near('trackBitrate', where, track.bitrateBps, bitrate, (bitrate ?? 0) * 0.05);
  if (video !== undefined) compareVideo(comparison, video, stream);
  if (audio !== undefined) compareAudio(comparison, audio, stream);
}

function kindOf(stream: ReferenceStream): string | null {
  if (stream.disposition['attached_pic'] === 1 || stream.codec_type === 'attachment') return 'attachment';
  return ['video', 'audio', 'subtitle'].find((kind) => kind === stream.codec_type) ?? null;
}

function ourKind(ours: MediaInfo, index: number): string | null {
  const has = (tracks: readonly { readonly index: number }[]): boolean => tracks.some((track) => track.index === index);
  if (has(ours.video)) return 'video';
  if (has(ours.audio)) return 'audio';
  if (has(ours.subtitles)) return 'subtitle';
  return has(ours.attachments) ? 'attachment' : null;
}

function compareAttachment(comparison: FileComparison, ours: MediaInfo, stream: ReferenceStream): void {
  const own = ours.attachments.find((attachment) => attachment.index === stream.index);
  comparison.exact('attachmentName', `#${stream.index}`, own?.fileName ?? null, tag(stream.tags, 'filename'));
  comparison.exact('attachmentType', `#${stream.index}`, own?.mimeType ?? null, tag(stream.tags, 'mimetype'));
}

function compareVideo(comparison: FileComparison, own: MediaInfo['video'][number], stream: ReferenceStream): void {
  const where = `#${stream.index}`;
  comparison.exact('level', where, own.level, stream.level === -99 ? null : stream.level);
  comparison.exact('width', where, own.width, stream.width);
  comparison.exact('height', where, own.height, stream.height);
  const aspect = ratio(stream.sample_aspect_ratio, ':') ?? 1;
  comparison.near('pixelAspect', where, own.pixelAspect.num / own.pixelAspect.den, aspect, 0.001);
  const turned = stream.side_data_list.find((data) => typeof data['rotation'] === 'number')?.['rotation'];
  comparison.exact('rotation', where, own.rotation, ((-Math.round(Number(turned ?? 0)) % 360) + 360) % 360);
  comparison.exact('pixelFormat', where, own.pixelFormat, stream.pix_fmt);
  comparison.exact('bitDepth', where, own.bitDepth, number(stream.bits_per_raw_sample) ?? depthOf(stream.pix_fmt));
  // One frame per tick of the clock (1000/1 in Matroska) is what ffprobe says where it could not tell.
  const rate = stream.avg_frame_rate === inverse(stream.time_base) ? null : ratio(stream.avg_frame_rate, '/');
  comparison.near(
    'frameRate',
    where,
    own.frameRate === null ? null : toNumber(own.frameRate),
    rate,
    (rate ?? 0) * 0.005,
  );
  const isKnownOrder = stream.field_order !== undefined && stream.field_order !== 'unknown';
  comparison.exact('interlaced', where, own.isInterlaced, isKnownOrder ? stream.field_order !== 'progressive' : null);
  comparison.exact('colorRange', where, own.color.range, known(stream.color_range));
  comparison.exact('colorMatrix', where, own.color.matrix, known(stream.color_space));
  comparison.exact('colorTransfer', where, own.color.transfer, known(stream.color_transfer));
  comparison.exact('colorPrimaries', where, own.color.primaries, known(stream.color_primaries));
  const dovi = stream.side_data_list.find((data) => data.side_data_type === 'DOVI configuration record');
  // HDR10+ lies in the pictures, where ffprobe's list of streams does not look: it counts as HDR10.
  comparison.exact(
    'hdr',
    where,
    own.hdr === 'hdr10plus' ? 'hdr10' : (own.hdr ?? 'sdr'),
    hdrOf(stream, dovi !== undefined),
  );
  if (dovi === undefined) return;
  const text = own.dolbyVision === null ? null : `${own.dolbyVision.profile}.${own.dolbyVision.compatibility}`;
  comparison.exact(
    'dolbyVision',
    where,
    text,
    `${String(dovi['dv_profile'])}.${String(dovi['dv_bl_signal_compatibility_id'])}`,
  );
}

function compareAudio(comparison: FileComparison, own: MediaInfo['audio'][number], stream: ReferenceStream): void {
  const where = `#${stream.index}`;
  // Zero is what ffprobe says where it found no decoder.
  comparison.exact('channels', where, own.channels, stream.channels === 0 ? null : stream.channels);
  comparison.exact('channelLayout', where, own.channelLayout, stream.channel_layout);
  const rateHz = number(stream.sample_rate);
  comparison.exact('sampleRate', where, own.sampleRateHz, rateHz === 0 ? null : rateHz);
  const bits = number(stream.bits_per_raw_sample) ?? stream.bits_per_sample ?? 0;
  comparison.exact('bitDepth', where, own.bitDepth, bits > 0 ? bits : null);
}

function hdrOf(stream: ReferenceStream, isDolbyVision: boolean): string {
  if (isDolbyVision) return 'dolbyVision';
  if (stream.color_transfer === 'smpte2084') return 'hdr10';
  return stream.color_transfer === 'arib-std-b67' ? 'hlg' : 'sdr';
}

const FLAGS = [
  ['default', 'default'],
  ['forced', 'forced'],
  ['original', 'original'],
  ['commentary', 'comment'],
  ['hearingImpaired', 'hearing_impaired'],
  ['visualImpaired', 'visual_impaired'],
] as const;

function dispositionText(own: MediaInfo['video'][number]['disposition']): string {
  return (
    FLAGS.filter(([name]) => own[name])
      .map(([name]) => name)
      .join(' ') || 'none'
  );
}

function referenceDisposition(stream: ReferenceStream): string {
  return (
    FLAGS.filter(([, flag]) => stream.disposition[flag] === 1)
      .map(([name]) => name)
      .join(' ') || 'none'
  );
}

/** Tag names come in any case. */
function tag(tags: Readonly<Record<string, string>>, name: string): string | null {
  const value = Object.entries(tags)
    .find(([key]) => key.toLowerCase() === name)?.[1]
    ?.trim();
  return value === undefined || value === '' ? null : value;
}

function seconds(text: string | undefined): number | null {
  return text === undefined ? null : Number(text) * 1000;
}

function number(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

function ratio(text: string | undefined, separator: string): number | null {
  const [num, den] = (text ?? '').split(separator).map(Number);
  return num === undefined || den === undefined || !(num > 0) || !(den > 0) ? null : num / den;
}

function inverse(timeBase: string | undefined): string {
  return (timeBase ?? '').split('/').toReversed().join('/');
}

function toNumber(rate: Ratio): number {
  return rate.num / rate.den;
}

function known(name: string | undefined): string | null {
  return name === undefined || name === 'unknown' || name === 'reserved' ? null : name;
}

function depthOf(pixelFormat: string | undefined): number | null {
  if (pixelFormat === undefined) return null;
  return Number(/(?:p|gray)(9|10|12|14|16)(?:le|be)$/u.exec(pixelFormat)?.[1] ?? 8);
}
