/**
 * Media URLs. The part behind `/media/` is a grant: everything that is needed to serve one playback, signed by this server, so
 * that it works across restarts without being remembered, and can be made by nobody else. Rules PLAY1 to PLAY4 of SPEC.md.
 *
 *     base64url(deflated JSON) . base64url(HMAC-SHA256 of the first part)
 *
 * Deflated, since a hundred tracks of sound in one form say the same a hundred times, and an address has 4 kB.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import * as v from 'valibot';
import { SOUND_CODECS, VIDEO_CODECS, VIDEO_ENCODERS, X264_PRESETS } from '#engine/media/rendition-spec.ts';
import type { CopyOutput, SoundOutput, VideoOutput } from '#engine/media/rendition-spec.ts';
import { Count, Id } from '#protocol/schema/scalar.ts';
import { SubtitleId, SubtitleOffset } from '#protocol/schema/subtitle.ts';
import { PLAN_KINDS } from './movie-plans.ts';
import type { PlanKind } from './movie-plans.ts';

/** Longer than any that is given out; what is longer is not even hashed. */
const MAX_LENGTH = 4_096;
/** Written into every grant: an older server's are refused instead of misread. */
const VERSION = 3;
const PURPOSE = 'matinee media grant 2\n';
/** Of the largest grant, as text. What was signed is ours, and still no more than this is ever unpacked. */
const MAX_TEXT_BYTES = 64 << 10;
/** Tracks of sound that one playback offers; a file may claim a thousand. */
export const MAX_SOUND_TRACKS = 200;

export interface MediaGrant {
  readonly sessionId: string;
  readonly fileId: string;
  /** The file's version: another one is another movie. */
  readonly sizeBytes: number;
  readonly mtimeUs: number;
  readonly expiresAtMs: number;
  /** Tells the viewers of one rendition apart: another for each playback. */
  readonly viewerId: string;
  /** `null`: the file as it is. */
  readonly hls: HlsForm | null;
}

/** What an HLS playback is made of. */
export interface HlsForm {
  readonly plan: PlanKind;
  /** `planFingerprint`: segments of another plan are other segments. */
  readonly planId: string;
  readonly video: {
    readonly trackIndex: number;
    /** Best first. `v<k>` in a URL is the one at `k`. The one that is copied, where there is one, is the first. */
    readonly variants: readonly (CopyOutput | VideoOutput)[];
  } | null;
  readonly audio: readonly {
    readonly trackIndex: number;
    readonly output: CopyOutput | SoundOutput;
    readonly isDefault: boolean;
  }[];
}

const Flag = v.picklist([0, 1]);
/** More than any ladder has: eight rungs of three codecs, and the copy. */
const MAX_VARIANTS = 25;
/** The subtitles that are burnt in; with how much later than their file says, where they are. */
const Burnt = v.nullable(v.union([SubtitleId, v.strictTuple([SubtitleId, SubtitleOffset])]));
const Encoded = v.strictTuple([
  v.picklist(VIDEO_CODECS),
  v.picklist(VIDEO_ENCODERS),
  v.pipe(Count, v.minValue(2), v.maxValue(8_192)),
  v.pipe(Count, v.maxValue(186)),
  v.pipe(v.number(), v.minValue(0), v.maxValue(51)),
  Count,
  v.picklist(X264_PRESETS),
  Flag,
  Flag,
  Burnt,
]);
/** `null`: as it is. 0: as it is, but for Dolby Vision. */
const Picture = v.union([v.null(), v.literal(0), Encoded]);
/** `null`: as it is. */
const Sound = v.nullable(v.strictTuple([v.picklist(SOUND_CODECS), v.picklist([2, 6]), Count, Flag]));
const Payload = v.strictTuple([
  v.literal(VERSION),
  Id,
  Id,
  Count,
  Count,
  Count,
  v.pipe(v.string(), v.regex(/^[\w-]{8}$/)),
  v.nullable(
    v.strictTuple([
      v.picklist(PLAN_KINDS),
      v.pipe(v.string(), v.regex(/^[0-9a-z]{1,11}$/)),
      v.nullable(v.strictTuple([Count, v.pipe(v.array(Picture), v.minLength(1), v.maxLength(MAX_VARIANTS))])),
      v.pipe(v.array(v.strictTuple([Count, Sound, Flag])), v.maxLength(MAX_SOUND_TRACKS)),
    ]),
  ),
]);

/** Why a grant opens nothing. The caller learns no more than that. */
export type GrantRefusal = 'invalid' | 'expired';

export class GrantSigner {
  readonly #key: Uint8Array;

  /** `key`: 32 random bytes that only this server knows and keeps. */
  constructor(key: Uint8Array) {
    if (key.length < 32) throw new RangeError('a key for media URLs has at least 32 bytes');
    this.#key = key;
  }

  sign(grant: MediaGrant): string {
    const { hls } = grant;
    const payload: v.InferInput<typeof Payload> = [
      VERSION,
      grant.sessionId,
      grant.fileId,
      grant.sizeBytes,
      grant.mtimeUs,
      grant.expiresAtMs,
      grant.viewerId,
      hls && [
        hls.plan,
        hls.planId,
        hls.video && [hls.video.trackIndex, hls.video.variants.map(tupleOf)],
        hls.audio.map(({ trackIndex, output, isDefault }) => [trackIndex, soundTupleOf(output), isDefault ? 1 : 0]),
      ],
    ];
    // What could not be read again must not be given out.
    const json = Buffer.from(JSON.stringify(v.parse(Payload, payload)));
    const text = deflateRawSync(json, { level: 9 }).toString('base64url');
    const token = `${text}.${this.#mac(text).toString('base64url')}`;
    if (token.length > MAX_LENGTH || json.length > MAX_TEXT_BYTES) {
      throw new RangeError(`a media URL of ${token.length} characters would be refused when it comes back`);
    }
    return token;
  }

  /** Reads a grant that this server made and that has not expired. Takes as long for a wrong signature as for a right one. */
  open(token: string, nowMs: number): MediaGrant | GrantRefusal {
    if (token.length > MAX_LENGTH) return 'invalid';
    const [, text = '', mac = ''] = /^([\w-]+)\.([\w-]{43})$/.exec(token) ?? [];
    const given = Buffer.from(mac, 'base64url');
    // The text form, too: base64 has several spellings of the same bytes, and a grant has one.
    const isCanonical = text !== '' && given.toString('base64url') === mac;
    if (!isCanonical || !timingSafeEqual(given, this.#mac(text))) return 'invalid';
    const parsed = v.safeParse(Payload, unpacked(text));
    if (!parsed.success) return 'invalid'; // of a version that this server no longer reads
    const [, sessionId, fileId, sizeBytes, mtimeUs, expiresAtMs, viewerId, hls] = parsed.output;
    if (expiresAtMs <= nowMs) return 'expired';
    return { sessionId, fileId, sizeBytes, mtimeUs, expiresAtMs, viewerId, hls: hls && formOf(hls) };
  }

  #mac(text: string): Buffer {
    return createHmac('sha256', this.#key).update(PURPOSE).update(text).digest();
  }
}

/** `null` for what is not of this version's making. */
function unpacked(text: string): unknown {
  try {
    const json = inflateRawSync(Buffer.from(text, 'base64url'), { maxOutputLength: MAX_TEXT_BYTES });
    return JSON.parse(json.toString());
  } catch {
    return null;
  }
}

function formOf([plan, planId, video, audio]: NonNullable<v.InferOutput<typeof Payload>[7]>): HlsForm {
  return {
    plan,
    planId,
    video: video && {
      trackIndex: video[0],
      variants: video[1].map(pictureOf),
    },
    audio: audio.map(([trackIndex, sound, isDefault]) => ({
      trackIndex,
      output: soundOf(sound),
      isDefault: isDefault === 1,
    })),
  };
}

function soundTupleOf(output: CopyOutput | SoundOutput): v.InferInput<typeof Sound> {
  return output.method === 'copy'
    ? null
    : [output.method, output.channels, output.bitrateBps, output.isNight === true ? 1 : 0];
}

function soundOf(sound: v.InferOutput<typeof Sound>): CopyOutput | SoundOutput {
  if (sound === null) return { method: 'copy' };
  const [method, channels, bitrateBps, isNight] = sound;
  return { method, channels, bitrateBps, ...(isNight === 1 && { isNight: true }) };
}

function pictureOf(picture: v.InferOutput<typeof Picture>): CopyOutput | VideoOutput {
  if (picture === null) return { method: 'copy' };
  return picture === 0 ? { method: 'copy', withoutDolbyVision: true } : outputOf(picture);
}

function tupleOf(output: CopyOutput | VideoOutput): v.InferInput<typeof Picture> {
  if (output.method === 'copy') return output.withoutDolbyVision ? 0 : null;
  const { method, encoder, heightPx, level, crf, maxBitrateBps, preset, toneMap, deinterlace } = output;
  const { burnIn = null, burnInOffsetMs } = output;
  const burnt: v.InferInput<typeof Burnt> =
    burnIn === null || burnInOffsetMs === undefined ? burnIn : [burnIn, burnInOffsetMs];
  return [method, encoder, heightPx, level, crf, maxBitrateBps, preset, toneMap ? 1 : 0, deinterlace ? 1 : 0, burnt];
}

function outputOf([
  method,
  encoder,
  heightPx,
  level,
  crf,
  maxBitrateBps,
  preset,
  toneMap,
  deinterlace,
  burnIn,
]: v.InferOutput<typeof Encoded>): VideoOutput {
  return {
    method,
    encoder,
    heightPx,
    level,
    crf,
    maxBitrateBps,
    preset,
    toneMap: toneMap === 1,
    deinterlace: deinterlace === 1,
    ...(typeof burnIn === 'string' && { burnIn }),
    ...(Array.isArray(burnIn) && { burnIn: burnIn[0], burnInOffsetMs: burnIn[1] }),
  };
}
