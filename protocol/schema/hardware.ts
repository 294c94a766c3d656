/** What the machine's own decoders, filters and encoders were proven to do. */
import * as v from 'valibot';
import { Count, Id, ShortText, Timestamp } from './scalar.ts';

/** Ways to reach a graphics chip, the one that is preferred first. `vaapi` is Intel and AMD on Linux, `qsv` Intel alone. */
export const HARDWARE_KINDS = ['nvenc', 'qsv', 'vaapi', 'videotoolbox', 'vulkan'] as const;
export type HardwareKind = (typeof HARDWARE_KINDS)[number];

/** A codec with its bit depth: a chip that decodes one often does not decode the other. All with 4:2:0 colour. */
export const HARDWARE_CODECS = ['h264', 'hevc', 'hevc10', 'av1', 'av110', 'vp9', 'vp910', 'mpeg2', 'vc1'] as const;
export type HardwareCodec = (typeof HARDWARE_CODECS)[number];

/** What a picture can be encoded as. */
export const HARDWARE_ENCODE_CODECS = ['h264', 'hevc', 'hevc10', 'av1'] as const;
export type HardwareEncodeCodec = (typeof HARDWARE_ENCODE_CODECS)[number];

/**
 * What is tried, one by one. `scale`, `deinterlace` and `toneMap` work on pictures on the chip; `whole` decodes, scales and
 * encodes without a picture leaving it.
 */
export const HARDWARE_TESTS = [
  'encode-h264',
  'encode-hevc',
  'encode-hevc10',
  'encode-av1',
  'decode-h264',
  'decode-hevc',
  'decode-hevc10',
  'decode-av1',
  'decode-av110',
  'decode-vp9',
  'decode-vp910',
  'decode-mpeg2',
  'decode-vc1',
  'scale',
  'deinterlace',
  'toneMap',
  'whole',
] as const;
export type HardwareTest = (typeof HARDWARE_TESTS)[number];

/**
 * - `works`: the picture that came out is the one that went in
 * - `notThisSystem`: this kind does not exist on this operating system or in this build
 * - `noDevice`: no chip of this kind
 * - `permissionDenied`: the device is there, and this program may not open it
 * - `driverMissing`: a library of the driver is not installed
 * - `driverTooOld`: the driver, or libva, is older than what we were built for
 * - `deviceFailed`: the device does not open, and says no more
 * - `notSupported`: the chip or its driver has no such thing
 * - `wrongPicture`: what came out is not what went in
 * - `noKeyframe`: the encoder does not begin afresh where it is told to
 * - `crashed`: the driver ended the process that tried it
 * - `timedOut`: no answer in time
 * - `tooSlow`: slower than the processor by far
 * - `busy`: as many sessions as the driver allows were open
 * - `noSample`: no stream of this kind could be made to try it with
 * - `notTried`: switched off, or nothing to try it with
 */
export const HARDWARE_VERDICTS = [
  'works',
  'notThisSystem',
  'noDevice',
  'permissionDenied',
  'driverMissing',
  'driverTooOld',
  'deviceFailed',
  'notSupported',
  'wrongPicture',
  'noKeyframe',
  'crashed',
  'timedOut',
  'tooSlow',
  'busy',
  'noSample',
  'notTried',
] as const;
export type HardwareVerdict = (typeof HARDWARE_VERDICTS)[number];

export const HardwareRow = v.object({
  test: v.picklist(HARDWARE_TESTS),
  verdict: v.picklist(HARDWARE_VERDICTS),
  /** Of a picture of 1280 × 720, with everything that is on its way; `null` where nothing came out. */
  msPerFrame: v.nullable(v.pipe(v.number(), v.minValue(0))),
  /** Which of several ways to do it works: a rate control, a filter. */
  variant: v.nullable(ShortText),
  /** A group, a library or a device that the verdict is about. */
  detail: v.nullable(ShortText),
});
export type HardwareRow = v.InferOutput<typeof HardwareRow>;

export const HardwareCard = v.object({
  kind: v.picklist(HARDWARE_KINDS),
  /** Why nothing of this kind works, or `works` where something does. */
  verdict: v.picklist(HARDWARE_VERDICTS),
  detail: v.nullable(ShortText),
  /** `/dev/dri/renderD128`, a number, a name; `null` where the driver chooses. */
  device: v.nullable(ShortText),
  /** Vendor and driver in words. */
  deviceName: v.nullable(ShortText),
  /** Encoders that can be open at once; `null` where nothing limits them. */
  maxSessions: v.nullable(Count),
  rows: v.array(HardwareRow),
  /** Playbacks that it failed since the last test. At three it is left alone until the next. */
  failures: Count,
});
export type HardwareCard = v.InferOutput<typeof HardwareCard>;

export const HardwareState = v.object({
  /** As it is set: `auto`, `off`, a kind, or a kind with a device: `vaapi:/dev/dri/renderD129`. */
  setting: ShortText,
  /** What pictures are decoded and encoded with; `null`: the processor. */
  used: v.nullable(v.picklist(HARDWARE_KINDS)),
  /** Encoders that are open on it just now. */
  sessions: Count,
  /** `null` until the first test has ended. */
  testedAt: v.nullable(Timestamp),
  /** The test that runs; its progress is in the `jobs` feed. */
  jobId: v.nullable(Id),
  cards: v.array(HardwareCard),
  /** The same work done by the processor, to compare. */
  software: v.array(HardwareRow),
});
export type HardwareState = v.InferOutput<typeof HardwareState>;
