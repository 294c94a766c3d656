/** Colours in the forms that tests of tone mapping compare them in, each from its standard, and how far apart two look. */

export type Triple = readonly [number, number, number];

/** SMPTE ST 2084: light in cd/m² to a signal of 0 to 1, and back. */
const [M1, M2, C1, C2, C3] = [2610 / 16_384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128];
export function toPq(nits: number): number {
  const y = Math.max(0, nits / 10_000) ** M1;
  return ((C1 + C2 * y) / (1 + C3 * y)) ** M2;
}
export function fromPq(signal: number): number {
  const e = Math.max(0, signal) ** (1 / M2);
  return 10_000 * (Math.max(0, e - C1) / (C2 - C3 * e)) ** (1 / M1);
}

/** ITU-R BT.2100: HLG's signal for scene light of 0 to 1. */
export function toHlg(light: number): number {
  const [a, b, c] = [0.17883277, 0.28466892, 0.55991073];
  return light <= 1 / 12 ? Math.sqrt(3 * light) : a * Math.log(12 * light - b) + c;
}

export function times(matrix: readonly Triple[], [x, y, z]: Triple): Triple {
  const row = (index: number): number => matrix[index]![0] * x + matrix[index]![1] * y + matrix[index]![2] * z;
  return [row(0), row(1), row(2)];
}

/** Linear light of BT.2020 to BT.709 primaries, both D65 (ITU-R BT.2087, inverted). */
export const BT2020_TO_BT709: readonly Triple[] = [
  [1.6605, -0.5876, -0.0728],
  [-0.1246, 1.1329, -0.0083],
  [-0.0182, -0.1006, 1.1187],
];

/** R'G'B' to Y'CbCr of BT.2020 (non-constant luminance), 0 to 1 and −0.5 to 0.5. */
export function toYcc2020([r, g, b]: Triple): Triple {
  const y = 0.2627 * r + 0.678 * g + 0.0593 * b;
  return [y, (b - y) / 1.8814, (r - y) / 1.4746];
}

/** An sRGB colour of 0 to 1, to CIE 1976 L*a*b* under D65. */
export function toLab(rgb: Triple): Triple {
  const linear = rgb.map((value) =>
    value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
  ) as unknown as Triple;
  const [x, y, z] = times(
    [
      [0.4124564, 0.3575761, 0.1804375],
      [0.2126729, 0.7151522, 0.072175],
      [0.0193339, 0.119192, 0.9503041],
    ],
    linear,
  );
  const f = (t: number): number => (t > 216 / 24_389 ? Math.cbrt(t) : (t * 24_389) / 27 / 116 + 16 / 116);
  const [fx, fy, fz] = [f(x / 0.95047), f(y), f(z / 1.08883)];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

/** CIEDE2000 (CIE 142-2001, as in Sharma, Wu and Dalal 2005): 1 is a difference that is just seen, side by side. */
export function deltaE2000([l1, a1, b1]: Triple, [l2, a2, b2]: Triple): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const mean = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const g = 0.5 * (1 - Math.sqrt(mean ** 7 / (mean ** 7 + 25 ** 7)));
  const [ap1, ap2] = [(1 + g) * a1, (1 + g) * a2];
  const [cp1, cp2] = [Math.hypot(ap1, b1), Math.hypot(ap2, b2)];
  const angle = (b: number, a: number): number =>
    a === 0 && b === 0 ? 0 : ((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
  const [hp1, hp2] = [angle(b1, ap1), angle(b2, ap2)];
  const isGrey = cp1 * cp2 === 0;
  const turn = hp2 - hp1;
  const dh = isGrey ? 0 : Math.abs(turn) <= 180 ? turn : turn > 180 ? turn - 360 : turn + 360;
  const [dl, dc, dhh] = [l2 - l1, cp2 - cp1, 2 * Math.sqrt(cp1 * cp2) * Math.sin(radians(dh / 2))];
  const lm = (l1 + l2) / 2;
  const cm = (cp1 + cp2) / 2;
  const sum = hp1 + hp2;
  const hm = isGrey ? sum : Math.abs(hp1 - hp2) <= 180 ? sum / 2 : sum < 360 ? (sum + 360) / 2 : (sum - 360) / 2;
  const t =
    1 -
    0.17 * Math.cos(radians(hm - 30)) +
    0.24 * Math.cos(radians(2 * hm)) +
    0.32 * Math.cos(radians(3 * hm + 6)) -
    0.2 * Math.cos(radians(4 * hm - 63));
  const rotation = 30 * Math.exp(-(((hm - 275) / 25) ** 2));
  const rc = 2 * Math.sqrt(cm ** 7 / (cm ** 7 + 25 ** 7));
  const sl = 1 + (0.015 * (lm - 50) ** 2) / Math.sqrt(20 + (lm - 50) ** 2);
  const sc = 1 + 0.045 * cm;
  const sh = 1 + 0.015 * cm * t;
  const rt = -Math.sin(radians(2 * rotation)) * rc;
  return Math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dhh / sh) ** 2 + rt * (dc / sc) * (dhh / sh));
}
