const SEQUENCE_PARAMETER_SET = 7;
const PICTURE_PARAMETER_SET = 8;

/** Whether H.264 or HEVC extradata holds start codes (MPEG-TS, AVI) and not the record of an MP4 or Matroska file. */
export function isAnnexB(extradata: Buffer): boolean {
  return extradata.length > 4 && extradata[0] === 0 && extradata[1] === 0;
}

/**
 * An H.264 access unit without those parameter sets that its track's header holds as well, `null` when it has none such.
 *
 * Broadcasts repeat them before every keyframe; in an `avc1` track they belong in the header alone (ISO 14496-15 5.3.3).
 * Ones that differ stay, since without them what follows could not be decoded.
 */
export function withoutKnownParameterSets(accessUnit: Buffer, known: readonly Buffer[]): Buffer | null {
  const units = nalUnits(accessUnit);
  const kept = units.filter((unit) => !isParameterSet(unit) || !known.some((set) => set.equals(unit)));
  if (kept.length === units.length) return null;
  const startCode = Buffer.from([0, 0, 0, 1]);
  return Buffer.concat(kept.flatMap((unit) => [startCode, unit]));
}

/** The parameter sets in extradata with start codes. */
export function parameterSets(extradata: Buffer): Buffer[] {
  return nalUnits(extradata)
    .filter(isParameterSet)
    .map((unit) => Buffer.from(unit));
}

function isParameterSet(unit: Buffer): boolean {
  const type = unit[0]! & 0x1f;
  return type === SEQUENCE_PARAMETER_SET || type === PICTURE_PARAMETER_SET;
}

/** NAL units between start codes (ITU-T H.264 Annex B), as views. */
function nalUnits(bytes: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let start = nextStartCode(bytes, 0);
  while (start < bytes.length) {
    const from = start + 3;
    const next = nextStartCode(bytes, from);
    let to = next;
    while (to > from && bytes[to - 1] === 0) to--; // trailing zeros, and the first of a four-byte start code
    if (to > from) units.push(bytes.subarray(from, to));
    start = next;
  }
  return units;
}

/** Position of the next 00 00 01, the length when there is none. */
function nextStartCode(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(START_CODE, from);
  return at < 0 ? bytes.length : at;
}

const START_CODE = Buffer.from([0, 0, 1]);
