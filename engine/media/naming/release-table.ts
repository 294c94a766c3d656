/**
 * What the words of release names mean, as data. A word that is written in several ways (`WEB-DL`, `WEB DL`, `WEBDL`) stands
 * here once, joined and in lower case.
 */
import { wordSet } from './words.ts';

/** Where a picture came from, the best first: the order in which one of several is chosen. */
export const RELEASE_SOURCES = [
  'bluray',
  'webrip',
  'webdl',
  'tv',
  'screener',
  'dvd',
  'cam',
  'telesync',
  'telecine',
  'workprint',
  'ppv',
  'vhs',
] as const;
export type ReleaseSource = (typeof RELEASE_SOURCES)[number];

const SOURCES: Readonly<Record<ReleaseSource, string>> = {
  bluray: `bluray blueray mbluray bluerayrip blurayrip bd bdr bdrip brrip bdmux bdlight bdfull bdremux bdiso bdmv bd5 bd9 bd25 bd50 bd66 bd100
    uhdbd uhd2bd uhdbdrip uhdbdremux uhdremux bdscr brscr bdscreener brscreener brdisk bddisk hddvd hddvdrip minibd microhd`,
  webrip: 'webrip webcap webcaprip webmux webdlrip webtvrip',
  webdl: `webdl web webhd webdlmux webuhd hdrip vod vodrip ituneshd amazonhd netflixhd netflixuhd maxdomehd netflix amzn nf dsnp dsny hmax atvp aptv hulu pcok itunes`,
  tv: 'hdtv hdtvrip tvrip sdtv sdtvrip pdtv pdtvrip dsr dsrip dsrrip satrip dth dthrip dvb dvbrip dvbs uhdtv uhdtvrip uhdrip ahdtv ldtv tvdub tvriphd riptv ripsdtv hdtvmux dvbt',
  screener: 'screener scr dvdscr dvdscreener dvdanythingelsescreener webscr webscreener',
  dvd: 'dvd dvdr dvdrip dvd5 dvd9 dvd10 dvdmux dvdremux dvdivx xvidvd videots ntsc pal r5 r6 hdvdrip',
  cam: 'cam camrip hdcam hdcamrip hqcam hqcamrip',
  telesync: 'telesync telesyncrip telesynch ts tsrip hdts hdtsrip pdvd predvd predvdrip',
  telecine: 'telecine telecinerip tc tcrip hdtc hdtcrip hdtelecine hdtelecinerip',
  workprint: 'workprint wp',
  ppv: 'ppv ppvrip',
  vhs: 'vhs vhsrip',
};

export const VIDEO_CODECS = [
  'h264',
  'h265',
  'h266',
  'av1',
  'vp9',
  'vp8',
  'vp7',
  'vc1',
  'mpeg2',
  'mpeg4',
  'xvid',
  'divx',
  'h263',
  'wmv',
  'realvideo',
] as const;
export type NamedVideoCodec = (typeof VIDEO_CODECS)[number];

const CODECS: Readonly<Record<NamedVideoCodec, string>> = {
  h264: 'h264 x264 avc avchd mpeg4avc',
  h265: 'h265 x265 hevc hevc10 hvec',
  h266: 'h266 x266 vvc',
  av1: 'av1 svtav1',
  vp9: 'vp9',
  vp8: 'vp8 vp80',
  vp7: 'vp7',
  vc1: 'vc1',
  mpeg2: 'mpeg2 mpg2 h262 x262',
  mpeg4: 'mpeg4 mp4v',
  xvid: 'xvid xvidhd',
  divx: 'divx dvdivx divx5 divx6',
  h263: 'h263 x263',
  wmv: 'wmv wmv9 wmvhd',
  realvideo: 'rv10 rv13 rv20 rv30 rv40',
};

export const AUDIO_CODECS = [
  'ac3',
  'eac3',
  'truehd',
  'dts',
  'dtshd',
  'aac',
  'flac',
  'mp3',
  'mp2',
  'opus',
  'vorbis',
  'pcm',
  'lpcm',
  'alac',
] as const;
export type NamedAudioCodec = (typeof AUDIO_CODECS)[number];

/** Numbers of channels are read apart: `dd5` `1` and `aac2` `0`. */
const AUDIO: Readonly<Record<NamedAudioCodec, string>> = {
  ac3: 'ac3 ac3d dd dd5 dd2 dd51 dd20 dolbydigital dolby ddex ac3hq',
  eac3: 'eac3 eac3d ddp ddp2 ddp5 ddp7 ddp51 ddpa ddpa5 ddpatmos dolbydigitalplus dolbyatmos',
  truehd: 'truehd truehd5 truehd7 truehd51 truehd71',
  dts: 'dts dts5 dtses dtsd',
  dtshd: 'dtshd dtshdma dtshdhra dtshdhr dtshr dtsma dtsx dtshdmaster ma5 ma7',
  aac: 'aac aac2 aac5 aac20 aac51 aac2ch aac1 aaclc aache heaac aacd',
  flac: 'flac flacx2 flac2 flac5',
  mp3: 'mp3 lame lame3',
  mp2: 'mp2',
  opus: 'opus opus5 opus2',
  vorbis: 'vorbis',
  pcm: 'pcm',
  lpcm: 'lpcm lpcm2',
  alac: 'alac',
};

export const HDR_MARKS = ['dolbyVision', 'hdr10plus', 'hdr10', 'hdr', 'hlg', 'sdr'] as const;
export type HdrMark = (typeof HDR_MARKS)[number];

const HDR: Readonly<Record<HdrMark, string>> = {
  dolbyVision: 'dv dovi dolbyvision dvhdr dvhdr10',
  hdr10plus: 'hdr10plus hdr10p',
  hdr10: 'hdr10 dvhdr10',
  hdr: 'hdr dvhdr',
  hlg: 'hlg',
  sdr: 'sdr',
};

/** How the two pictures of a 3D movie are packed; `frames`: it says 3D and not how. */
export const PACKINGS_3D = ['hsbs', 'fsbs', 'sbs', 'htab', 'ftab', 'tab', 'mvc', 'frames'] as const;
export type Packing3d = (typeof PACKINGS_3D)[number];

const PACKINGS: Readonly<Record<Packing3d, string>> = {
  hsbs: 'hsbs halfsbs',
  fsbs: 'fsbs fullsbs',
  sbs: 'sbs',
  htab: 'htab hou halfou halftab',
  ftab: 'ftab fou fullou',
  tab: 'tab ou',
  mvc: 'mvc',
  frames: '3d',
};

export const RELEASE_FLAGS = [
  'remux',
  'disc',
  'raw',
  'proper',
  'repack',
  'internal',
  'limited',
  'complete',
  'completeDvd',
  'multi',
  'original',
  'regional',
  'burnedIn',
  'uhd',
  'oar',
  'bw',
  'bonus',
  'deletedScenes',
  'hybrid',
  'other',
] as const;
export type ReleaseFlag = (typeof RELEASE_FLAGS)[number];

const FLAGS: Readonly<Record<ReleaseFlag, string>> = {
  remux: 'remux bdremux uhdremux uhdbdremux dvdremux',
  disc: 'iso bdiso bd25 bd50 bd66 bd100 brdisk bddisk bdmv untouched bdfull',
  raw: 'rawhd',
  proper: 'proper',
  repack: 'repack rerip',
  internal: 'internal int',
  limited: 'limited',
  complete: 'complete',
  completeDvd: 'dvdr dvd5 dvd9',
  multi: 'multi dual dl ml dualaudio multilang',
  original: 'original',
  regional: 'r3 r5 r6 regional',
  burnedIn: 'hc subbed korsub korsubs hardsub hardsubs hardcoded hardcodedsubs hcsubs',
  uhd: 'uhd ultrahd uhdbd uhdbdrip uhdremux uhdbdremux uhdrip uhdtv',
  oar: 'oar',
  bw: 'bw blackandwhite blackwhite',
  bonus: 'bonus',
  deletedScenes: 'deletedscenes',
  hybrid: 'hybrid',
  other: `hq hr ws hd sd fs stv convert retail readnfo nfofix dirfix line md ld mic custom dubbed dub esub esubs msub msubs engsubs nlsubs nlsub multisub
    multisubs subs sub softsub softsubs multiplesubtitle multiplesubtitles multisubtitle fansub fansubbed fastsub horriblesubs atmos ma hra 10bits hi10p hi10 hi10pp fhd
    fullhd 4k 8k mkv mp4 avi regraded upscaled upscale reencoded reenc nordicsubs open matte 2in1 xxx real rip new h m4v mic festival se extras dxva hdc chaps
    bit audio audiostereo audiomono stereo mono mhd hdlight light ultra`,
};

export type ReleaseFact =
  | { readonly kind: 'source'; readonly value: ReleaseSource }
  | { readonly kind: 'codec'; readonly value: NamedVideoCodec }
  | { readonly kind: 'audio'; readonly value: NamedAudioCodec }
  | { readonly kind: 'hdr'; readonly value: HdrMark }
  | { readonly kind: 'packing'; readonly value: Packing3d }
  | { readonly kind: 'flag'; readonly value: ReleaseFlag };

/** Facts by word. */
export const FACTS_BY_WORD: ReadonlyMap<string, readonly ReleaseFact[]> = (() => {
  const found = new Map<string, ReleaseFact[]>();
  const add = (kind: ReleaseFact['kind'], table: Readonly<Record<string, string>>): void => {
    for (const [value, text] of Object.entries(table)) {
      for (const word of wordSet(text)) {
        const facts = found.get(word) ?? [];
        facts.push({ kind, value } as ReleaseFact);
        found.set(word, facts);
      }
    }
  };
  add('source', SOURCES);
  add('codec', CODECS);
  add('audio', AUDIO);
  add('hdr', HDR);
  add('packing', PACKINGS);
  add('flag', FLAGS);
  return found;
})();

/** Words of the table that may as well stand in a title: they end none, and count only behind one. */
export const AMBIGUOUS = wordSet(`
  web cam ts tc wp scr dth pal ntsc ppv vod bd bdr itunes netflix hulu r5 r6 videots riptv opus dolby stereo mono lame dv sdr tab ou 3d nf pcm
  complete internal int limited proper multi dual dl ml hc line md ld mic hq hr ws hd sd fs stv convert retail custom hybrid iso untouched sub subs dub oar bw bonus
  real rip new h open matte original regional r3 audio ultra se extras festival mhd light bit ma hra xxx multilang blackandwhite blackwhite hardcoded mkv mp4 avi chaps
`);
