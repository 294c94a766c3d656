/**
 * Dolby Vision for tests: the metadata of a picture (RPU), written bit by bit as FFmpeg's `dovi_rpu` reads it, put into an HEVC stream
 * behind each picture, with the record that announces it. Reshaping is left out (identity), so that what a picture shows follows
 * from its matrices alone.
 */
import { AVMEDIA_TYPE_VIDEO, AV_PKT_DATA_DOVI_CONF } from 'node-av/constants';
import { FormatContext, Packet, Rational } from 'node-av/lib';

export interface DolbyVision {
  readonly profile: 5 | 7 | 8;
  /** `dv_bl_signal_compatibility_id`: 0 none, 1 HDR10, 2 SDR, 4 HLG, 6 Blu-ray. */
  readonly compatibility: 0 | 1 | 2 | 4 | 6;
}

/** Copies an HEVC file (MP4 or Matroska, by the name) with metadata behind each picture. */
export function addDolbyVision(source: string, target: string, kind: DolbyVision): void {
  const input = new FormatContext();
  const output = new FormatContext();
  check(input.openInputSync(`file:${source}`, null, null));
  check(input.findStreamInfoSync(null));
  check(output.allocOutputContext2(null, null, `file:${target}`));
  output.strictStdCompliance = -2;
  const streams = input.streams.map((from) => {
    const to = output.newStream(null);
    check(from.codecpar.copy(to.codecpar));
    to.codecpar.codecTag = 0;
    to.timeBase = new Rational(from.timeBase.num, from.timeBase.den);
    if (from.codecpar.codecType === AVMEDIA_TYPE_VIDEO) {
      if (target.endsWith('.mp4')) to.codecpar.codecTag = kind.profile === 5 ? 'dvh1' : 'hvc1';
      to.codecpar.addCodedSideData(AV_PKT_DATA_DOVI_CONF, recordOf(kind));
    }
    return { from, to };
  });
  check(output.openOutputSync());
  check(output.writeHeaderSync(null));
  const unit = metadataUnit(kind);
  const packet = new Packet();
  packet.alloc();
  while (input.readFrameSync(packet) >= 0) {
    const { from, to } = streams[packet.streamIndex]!;
    if (from.codecpar.codecType === AVMEDIA_TYPE_VIDEO && packet.data) {
      const { pts, dts, duration, flags, streamIndex } = packet;
      const length = Buffer.alloc(4);
      length.writeUInt32BE(unit.length);
      packet.data = Buffer.concat([packet.data, length, unit]);
      Object.assign(packet, { pts, dts, duration, flags, streamIndex });
    }
    packet.rescaleTs(from.timeBase, to.timeBase);
    check(output.writeFrameSync(packet));
    packet.unref();
  }
  check(output.writeTrailerSync());
  packet.free();
  output.closeOutputSync();
  output.freeContext();
  input.closeInputSync();
}

function check(code: number): void {
  if (code < 0) throw new Error(`FFmpeg failed with ${code}`);
}

/** AVDOVIDecoderConfigurationRecord: versions, profile, level, three flags, compatibility, compression. */
function recordOf({ profile, compatibility }: DolbyVision): Buffer {
  return Buffer.from([1, 0, profile, 4, 1, profile === 7 ? 1 : 0, 1, compatibility, 0]);
}

/** A NAL unit of type 62, with its emulation prevention. */
function metadataUnit(kind: DolbyVision): Buffer {
  const payload = rpu(kind);
  const escaped: number[] = [0x7c, 0x01];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      escaped.push(3);
      zeros = 0;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    escaped.push(byte);
  }
  return Buffer.from(escaped);
}

/** IPTPQc2 to non-linear LMS, in 1/8192, and crosstalk out of linear LMS, in 1/16384: the numbers of every profile 5 stream. */
const IPT_TO_LMS = [8192, 799, 1681, 8192, -933, 1091, 8192, 267, -5545];
const LMS_TO_LMS = [17_081, -349, -349, -349, 17_081, -349, -349, -349, 17_081];
/** Y'CbCr of BT.2020 in limited range to R'G'B', and linear BT.2020 to LMS, for a base layer that others can show. */
const YCC_TO_RGB = [9574, 0, 13_802, 9574, -1540, -5348, 9574, 17_610, 0];
const RGB_TO_LMS = [7222, 8771, 390, 2654, 12_430, 1300, 0, 422, 15_962];

function rpu({ profile }: DolbyVision): Buffer {
  const bits = new BitWriter();
  const isIpt = profile === 5;
  bits.put(25, 8);
  bits.put(2, 6); // rpu_type
  bits.put(18, 11); // rpu_format
  bits.put(isIpt ? 0 : 1, 4); // vdr_rpu_profile
  bits.put(0, 4); // vdr_rpu_level
  bits.put(1, 1); // vdr_seq_info_present_flag
  bits.put(0, 1); // chroma_resampling_explicit_filter_flag
  bits.put(0, 2); // coefficients in fixed point
  bits.unsigned(23); // coef_log2_denom
  bits.put(1, 2); // vdr_rpu_normalized_idc
  bits.put(isIpt ? 1 : 0, 1); // bl_video_full_range_flag
  bits.unsigned(2); // 10 bits
  bits.unsigned(2);
  bits.unsigned(4); // 12 bits
  bits.put(0, 1); // spatial_resampling_filter_flag
  bits.put(0, 3);
  bits.put(0, 1); // el_spatial_resampling_filter_flag
  bits.put(1, 1); // disable_residual_flag
  bits.put(1, 1); // vdr_dm_metadata_present_flag
  bits.put(0, 1); // use_prev_vdr_rpu_flag
  bits.unsigned(0); // vdr_rpu_id
  bits.unsigned(0); // mapping_color_space
  bits.unsigned(0); // mapping_chroma_format_idc
  for (let component = 0; component < 3; component++) {
    bits.unsigned(0); // two pivots: one piece
    bits.put(0, 10);
    bits.put(1023, 10);
  }
  bits.unsigned(0); // num_x_partitions_minus1
  bits.unsigned(0);
  for (let component = 0; component < 3; component++) {
    bits.unsigned(0); // a polynomial
    bits.unsigned(0); // of the first order
    bits.put(0, 1); // linear_interp_flag
    for (const whole of [0, 1]) {
      bits.signed(whole);
      bits.put(0, 23);
    }
  }
  for (let count = 0; count < 2; count++) bits.unsigned(0); // affected and current dm_metadata_id
  bits.unsigned(1); // scene_refresh_flag
  for (const value of isIpt ? IPT_TO_LMS : YCC_TO_RGB) bits.put(value & 0xffff, 16);
  const half = 2 ** 27;
  // Limited range begins at 64 of 1023.
  for (const offset of isIpt ? [0, half, half] : [Math.round((2 ** 28 * 64) / 1023), half, half]) bits.put(offset, 32);
  for (const value of isIpt ? LMS_TO_LMS : RGB_TO_LMS) bits.put(value & 0xffff, 16);
  bits.put(65_535, 16); // signal_eotf: PQ
  bits.put(0, 16);
  bits.put(0, 16);
  bits.put(0, 32);
  bits.put(12, 5); // signal_bit_depth
  bits.put(isIpt ? 2 : 0, 2); // signal_color_space
  bits.put(0, 2);
  bits.put(isIpt ? 1 : 0, 2); // signal_full_range_flag
  bits.put(62, 12); // 0.005 cd/m²
  bits.put(3079, 12); // 1000 cd/m²
  bits.put(42, 10); // source_diagonal
  bits.unsigned(0); // num_ext_blocks
  bits.align();
  const body = bits.bytes();
  const tail = Buffer.alloc(5);
  tail.writeUInt32BE(crc32Mpeg(body.subarray(1)));
  tail[4] = 0x80;
  return Buffer.concat([body, tail]);
}

function crc32Mpeg(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000_0000 ? (crc << 1) ^ 0x04c1_1db7 : crc << 1;
  }
  return crc >>> 0;
}

class BitWriter {
  readonly #bits: number[] = [];

  put(value: number, width: number): void {
    for (let bit = width - 1; bit >= 0; bit--) this.#bits.push(Math.floor(value / 2 ** bit) & 1);
  }

  /** Exp-Golomb, ue(v). */
  unsigned(value: number): void {
    const width = Math.floor(Math.log2(value + 1));
    this.put(0, width);
    this.put(value + 1, width + 1);
  }

  /** se(v). */
  signed(value: number): void {
    this.unsigned(value > 0 ? 2 * value - 1 : -2 * value);
  }

  align(): void {
    while (this.#bits.length % 8 !== 0) this.#bits.push(0);
  }

  bytes(): Buffer {
    const bytes = Buffer.alloc(this.#bits.length / 8);
    this.#bits.forEach((bit, index) => (bytes[index >> 3]! |= bit << (7 - (index % 8))));
    return bytes;
  }
}
