import { describe, expect, it } from 'vitest';
import { parsePlainAacLc } from './aac.ts';
import { hasAv1Hdr10Plus, parseAv1Header } from './av1.ts';
import { BitReader } from './bit-reader.ts';
import { isAvcPacketInterlaced, parseAvcHeader } from './h264.ts';
import { hasHevcHdr10Plus, parseHevcHeader } from './hevc.ts';
import { isMpeg2PacketInterlaced } from './mpeg2.ts';
import { annexBNals, lengthPrefixedNals, unescapeNal } from './nal-unit.ts';
import { pixelFormatName } from './video-header.ts';
import { parseVp9Header } from './vp9.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

// Configuration records that x264 and x265 wrote for small pictures.
const AVC_PROGRESSIVE = hex('014d400cffe10019674d400ceca0a0cfcf80880000030008000003018078a14cb001000468ce0fc8');
const AVC_INTERLACED = hex('014d401effe10018674d401eeca05a126c0440000003004000000c87c50a658001000468de0fc8');
const AVC_ANAMORPHIC = hex('014d401effe1001c674d401eeca05a0937fe0080005a20000003002000000641e2c5b2c001000468ce0fc8');
const HEVC_HDR10 = hex(
  '0102200000009000000000003cf000fcfdfafa00000f02200001001840010c01ffff0220000003009000000300000300' +
    '3c959409210001002e42010102200000030090000003000003003ca00a080c1f3b6595952930bc05a848804820000003' +
    '00200000030301',
);
const AV1_HLG = hex('81054c000a0e0000002cd59f3fc02f8509120904');

describe('BitReader', () => {
  it('reads bits across bytes and both Exp-Golomb codes', () => {
    const r = new BitReader(hex('a6420000000fff'));
    expect([r.ue(), r.ue(), r.ue(), r.ue()]).toEqual([0, 1, 2, 3]);
    const s = new BitReader(hex('a6429800'));
    expect([s.se(), s.se(), s.se(), s.se()]).toEqual([0, 1, -1, 2]);
    expect(new BitReader(hex('ffffffff')).bits(32)).toBe(0xffffffff);
  });

  it('throws RangeError past the end, also for endless codes', () => {
    expect(() => new BitReader(hex('ff')).bits(9)).toThrow(RangeError);
    expect(() => new BitReader(hex('000000000000')).ue()).toThrow(RangeError);
    expect(() => new BitReader(hex('ff')).skip(9)).toThrow(RangeError);
  });
});

describe('NAL units', () => {
  it('removes emulation prevention bytes and only those', () => {
    expect([...unescapeNal(hex('000003010000030000030303'))]).toEqual([...hex('0000010000000003' + '03')]);
  });

  it('splits both forms and stops where a length lies', () => {
    expect([...annexBNals(hex('00000167aa000001 68bb'))].map((nal) => Buffer.from(nal).toString('hex'))).toEqual([
      '67aa',
      '68bb',
    ]);
    expect([...lengthPrefixedNals(hex('00000002 67aa 000000ff 68'), 4)]).toHaveLength(1);
  });
});

describe('H.264', () => {
  it('reads size, profile, level and codec string', () => {
    const header = parseAvcHeader(AVC_PROGRESSIVE);
    expect(header).toMatchObject({
      profile: 77,
      level: 12,
      width: 320,
      height: 180,
      chroma: '420',
      bitDepth: 8,
      isInterlaced: false,
    });
    expect(header?.codecString).toBe('avc1.4d400c');
    expect(header === null ? '' : pixelFormatName(header, 'h264')).toBe('yuv420p');
  });

  it('reads pixel aspect from the VUI', () => {
    expect(parseAvcHeader(AVC_ANAMORPHIC)).toMatchObject({
      width: 720,
      height: 576,
      pixelAspect: { num: 64, den: 45 },
    });
  });

  it('leaves interlacing to the pictures where frames may be fields, and finds it in a field slice', () => {
    const header = parseAvcHeader(AVC_INTERLACED);
    expect(header).toMatchObject({ width: 720, height: 576, isInterlaced: null });
    if (header === null) return;
    // Slice header: first_mb 0, slice_type 7, pps 0, frame_num 0 in as many bits as the SPS says, then field_pic_flag.
    const slice = (field: string): Buffer => {
      const bits = `100010001${'0'.repeat(header.log2MaxFrameNum)}${field}1111111`;
      const bytes = (bits.match(/.{1,8}/gu) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '1'), 2));
      return Buffer.from([0, 0, 0, bytes.length + 1, 0x65, ...bytes]);
    };
    const plain = { ...header, isMbaff: false, picStructAtBit: null };
    expect(isAvcPacketInterlaced(slice('1'), plain)).toBe(true);
    expect(isAvcPacketInterlaced(slice('0'), plain)).toBe(false);
    expect(isAvcPacketInterlaced(slice('0'), { ...plain, isMbaff: true })).toBe(true);
  });

  it('gives null for what is cut off or none', () => {
    for (let length = 0; length < AVC_PROGRESSIVE.length; length += 1) {
      expect(() => parseAvcHeader(AVC_PROGRESSIVE.subarray(0, length))).not.toThrow();
    }
    expect(parseAvcHeader(hex('014d400cffe1ffff67'))).toBeNull();
    expect(parseAvcHeader(Buffer.alloc(0))).toBeNull();
  });
});

describe('HEVC', () => {
  it('reads depth, colour and codec string', () => {
    const header = parseHevcHeader(HEVC_HDR10);
    expect(header).toMatchObject({
      profile: 2,
      level: 60,
      width: 320,
      height: 180,
      bitDepth: 10,
      color: { primaries: 9, transfer: 16, matrix: 9 },
      isFullRange: false,
      isInterlaced: false,
    });
    expect(header?.codecString).toBe('hvc1.2.4.L60.90');
    expect(header === null ? '' : pixelFormatName(header, 'hevc')).toBe('yuv420p10le');
  });

  it('gives null or less for every truncation', () => {
    for (let length = 0; length < HEVC_HDR10.length; length += 1) {
      expect(() => parseHevcHeader(HEVC_HDR10.subarray(0, length))).not.toThrow();
    }
  });

  it('finds HDR10+ in an SEI message', () => {
    const message = hex('4e01 04 08 b5003c00010401ff 80');
    const packet = Buffer.concat([hex('0000000d'), message, hex('00000003 2601af')]);
    expect(hasHevcHdr10Plus(packet, 4)).toBe(true);
    const other = Buffer.concat([hex('0000000d'), hex('4e01 04 08 b5003100010401ff 80')]);
    expect(hasHevcHdr10Plus(other, 4)).toBe(false);
  });
});

describe('AV1', () => {
  it('reads the sequence header of a container record', () => {
    expect(parseAv1Header(AV1_HLG)).toMatchObject({
      profile: 0,
      level: 5,
      width: 720,
      height: 1280,
      bitDepth: 10,
      chroma: '420',
      color: { primaries: 9, transfer: 18, matrix: 9 },
    });
    for (let length = 0; length < AV1_HLG.length; length += 1) {
      expect(() => parseAv1Header(AV1_HLG.subarray(0, length))).not.toThrow();
    }
  });

  it('finds HDR10+ in a metadata unit', () => {
    expect(hasAv1Hdr10Plus(hex('1200 2a08 04b5003c00010401'))).toBe(true);
    expect(hasAv1Hdr10Plus(hex('1200 2a02 0400'))).toBe(false);
  });
});

describe('VP9', () => {
  it('reads a keyframe header and refuses others', () => {
    // frame_marker 2, profile 2, key frame, sync code, 10 bit, BT.2020, limited range, 1920x1080.
    const size = (1919).toString(2).padStart(16, '0') + (1079).toString(2).padStart(16, '0');
    const bits = `10010011${(0x498342).toString(2).padStart(24, '0')}01010${size}`;
    const bytes = (bits.match(/.{1,8}/gu) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
    expect(parseVp9Header(Buffer.from(bytes))).toMatchObject({
      profile: 2,
      bitDepth: 10,
      width: 1920,
      height: 1080,
      isFullRange: false,
    });
    expect(parseVp9Header(hex('86 00 40 92 9c'))).toBeNull();
    expect(parseVp9Header(Buffer.alloc(0))).toBeNull();
  });
});

describe('MPEG-2', () => {
  const sequence = (progressive: boolean): Buffer => hex(`000001b5 14${progressive ? '8a' : '82'}00010000`);
  const picture = (progressive: boolean): Buffer =>
    hex(`000001b5 8fff f3 80 ${progressive ? '80' : '00'} 0000 000001010000`);

  it('is interlaced only where neither sequence nor frame is progressive', () => {
    expect(isMpeg2PacketInterlaced(Buffer.concat([sequence(false), picture(false)]))).toBe(true);
    expect(isMpeg2PacketInterlaced(Buffer.concat([sequence(false), picture(true)]))).toBe(false);
    expect(isMpeg2PacketInterlaced(Buffer.concat([sequence(true), picture(false)]))).toBe(false);
    expect(isMpeg2PacketInterlaced(hex('000001b3 00000000 00000000 00000000'))).toBeNull();
  });
});

describe('AAC', () => {
  it('knows plain LC by itself and leaves the rest to the decoder', () => {
    expect(parsePlainAacLc(hex('1210'))).toEqual({ sampleRateHz: 44100, channels: 2, channelLayout: 'stereo' });
    expect(parsePlainAacLc(hex('11b0'))).toEqual({ sampleRateHz: 48000, channels: 6, channelLayout: '5.1' });
    // 22.05 kHz may hide band replication; HE-AAC says so; a sync extension announces it; garbage says nothing.
    for (const other of ['1390', '2b92 0800', '1210 56e5 a5', '', 'ff']) expect(parsePlainAacLc(hex(other))).toBeNull();
  });
});
