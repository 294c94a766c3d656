import { describe, expect, it } from 'vitest';
import { isAnnexB, parameterSets, withoutKnownParameterSets } from './video-parameter-sets.ts';

const SPS = [0x67, 0x64, 0x00, 0x1f, 0xac];
const OTHER_SPS = [0x67, 0x64, 0x00, 0x28, 0xac];
const PPS = [0x68, 0xee, 0x3c];
const DELIMITER = [0x09, 0xf0];
const SLICE = [0x65, 0x88, 0x84, 0x00, 0x01, 0x02];

const stream = (...units: number[][]): Buffer => Buffer.from(units.flatMap((unit) => [0, 0, 0, 1, ...unit]));
const known = parameterSets(Buffer.from([0, 0, 0, 1, ...SPS, 0, 0, 1, ...PPS]));

describe('parameter sets in a sample [COPY2]', () => {
  it('are found in extradata behind start codes of either length', () => {
    expect(known.map((set) => [...set])).toEqual([SPS, PPS]);
  });

  it('are left out when the header has them', () => {
    expect(withoutKnownParameterSets(stream(DELIMITER, SPS, PPS, SLICE), known)).toEqual(stream(DELIMITER, SLICE));
  });

  it('stay when they differ, for the pictures that need them', () => {
    expect(withoutKnownParameterSets(stream(OTHER_SPS, PPS, SLICE), known)).toEqual(stream(OTHER_SPS, SLICE));
    expect(withoutKnownParameterSets(stream(OTHER_SPS, SLICE), known)).toBeNull();
  });

  it('leave a sample without them alone', () => {
    expect(withoutKnownParameterSets(stream(SLICE), known)).toBeNull();
    expect(withoutKnownParameterSets(Buffer.alloc(0), known)).toBeNull();
    expect(withoutKnownParameterSets(Buffer.from([1, 2, 3]), known)).toBeNull();
  });

  it('tell start codes from an MP4 record', () => {
    expect(isAnnexB(stream(SPS))).toBe(true);
    expect(isAnnexB(Buffer.from([1, 0x64, 0, 0x1f, 0xff]))).toBe(false);
    expect(isAnnexB(Buffer.alloc(0))).toBe(false);
  });
});
