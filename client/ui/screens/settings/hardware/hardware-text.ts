/** The words for what hardware can do and why it cannot: the screen and the report that goes into a question both use them. */
import type { Hardware } from '#client/store/hardware.ts';
import type { HardwareKind, HardwareTest, HardwareVerdict } from '#protocol/schema/hardware.ts';

export const KIND_NAMES: Readonly<Record<HardwareKind, string>> = {
  nvenc: 'NVIDIA (NVENC, NVDEC)',
  qsv: 'Intel Quick Sync',
  vaapi: 'VA-API (Intel, AMD)',
  videotoolbox: 'Apple VideoToolbox',
  vulkan: 'Vulkan',
};

/** One line of the table: a codec, and what is tried with it. */
export const CODEC_LINES: readonly {
  readonly name: string;
  readonly decode: HardwareTest | null;
  readonly encode: HardwareTest | null;
}[] = [
  { name: 'H.264', decode: 'decode-h264', encode: 'encode-h264' },
  { name: 'HEVC', decode: 'decode-hevc', encode: 'encode-hevc' },
  { name: 'HEVC, 10 bit', decode: 'decode-hevc10', encode: 'encode-hevc10' },
  { name: 'AV1', decode: 'decode-av1', encode: 'encode-av1' },
  { name: 'AV1, 10 bit', decode: 'decode-av110', encode: null },
  { name: 'VP9', decode: 'decode-vp9', encode: null },
  { name: 'VP9, 10 bit', decode: 'decode-vp910', encode: null },
  { name: 'MPEG-2', decode: 'decode-mpeg2', encode: null },
  { name: 'VC-1', decode: 'decode-vc1', encode: null },
];

export const FILTER_LINES: readonly { readonly name: string; readonly test: HardwareTest }[] = [
  { name: 'Scaling', test: 'scale' },
  { name: 'Deinterlacing', test: 'deinterlace' },
  { name: 'HDR to SDR', test: 'toneMap' },
  { name: 'All the way in one', test: 'whole' },
];

/** In a cell of the table. */
export const VERDICT_NAMES: Readonly<Record<HardwareVerdict, string>> = {
  works: 'Works',
  notThisSystem: 'Not in this build',
  noDevice: 'No device',
  permissionDenied: 'Not permitted',
  driverMissing: 'Driver missing',
  driverTooOld: 'Driver too old',
  deviceFailed: 'Does not open',
  notSupported: 'Not supported',
  wrongPicture: 'Wrong picture',
  noKeyframe: 'No keyframes',
  crashed: 'Crashed',
  timedOut: 'No answer',
  tooSlow: 'Too slow',
  busy: 'Busy',
  noSample: 'Nothing to test with',
  notTried: 'Not tested',
};

/** Why nothing of a kind works, and what to do about it. */
export function verdictSentence({ verdict, detail, kind }: Hardware['cards'][number]): string {
  switch (verdict) {
    case 'works':
      return '';
    case 'notThisSystem':
      return 'This does not exist on the operating system of this server.';
    case 'noDevice':
      return `There is no such device (${detail ?? ''}). In a virtual machine or a container it has to be passed through.`;
    case 'permissionDenied': {
      const [path = '', group = ''] = (detail ?? '').split(': ');
      return `${path} is there, but this server may not open it. Put its user into the group ${group} and start it again.`;
    }
    case 'driverMissing':
      return `A part of the driver is not installed: ${detail ?? ''}.`;
    case 'driverTooOld':
      return kind === 'nvenc'
        ? 'The NVIDIA driver is older than needed: 570 or later.'
        : `${detail ?? 'libva'} is too old: 2.20 or later is needed, as in Debian 13.`;
    case 'deviceFailed':
      return `The device is there, but its driver does not open it (${detail ?? 'no reason given'}).`;
    case 'crashed':
      return 'The driver crashed in every test. The server was not touched by it.';
    case 'timedOut':
      return 'The driver did not answer.';
    case 'tooSlow':
      return 'It works, but more slowly than the processor.';
    case 'notTried':
      return 'Not tested: the setting leaves it out.';
    default:
      return `${VERDICT_NAMES[verdict]}${detail === null ? '' : ` (${detail})`}.`;
  }
}

/** Everything as text, for a question to others. Names no file and no person. */
export function hardwareReport(state: Hardware, version: string): string {
  const cell = ({ test, verdict, msPerFrame, variant, detail }: Hardware['software'][number]): string =>
    [
      `${test}: ${verdict}`,
      ...(msPerFrame === null ? [] : [`${msPerFrame} ms`]),
      ...(variant === null ? [] : [`by ${variant}`]),
      ...(detail === null ? [] : [`(${detail})`]),
    ].join(' ');
  return [
    `Matinee ${version}, setting ${state.setting}, used: ${state.used ?? 'processor'}`,
    ...state.cards.flatMap((card) => [
      `${card.kind}: ${card.verdict}${card.detail === null ? '' : ` (${card.detail})`}, device ${card.device ?? 'any'}, ` +
        `${card.deviceName ?? 'unknown'}, ${card.failures} failures, sessions ${card.maxSessions ?? 'unlimited'}`,
      ...card.rows.map((row) => `  ${cell(row)}`),
    ]),
    ...(state.software.length > 0 ? ['processor:', ...state.software.map((row) => `  ${cell(row)}`)] : []),
  ].join('\n');
}
