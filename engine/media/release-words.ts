/** Words that release names put beside a movie's title, as data for `file-name.ts`. All lower case, without separators. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Words that are never part of a title: the title ends before the first of them. */
export const STRONG_WORDS = words(`
  4k 8k uhd ultrahd fullhd fhd hdr hdr10 hdr10plus hdr10p hlg sdr 10bit 8bit 12bit hi10p hi10
  bluray bdrip brrip bdremux bd25 bd50 bdmv remux hddvd dvdrip dvdr dvd5 dvd9 dvdscr dvdremux hdrip webrip webdl webhd hdtv hdtvrip pdtv dsr dsrip
  dvbrip tvrip satrip vhsrip vhs vodrip ppvrip hdcam hdts camrip telesync telecine workprint screener scr bdscr webscr uhdrip uhdremux
  x264 x265 h264 h265 hevc xvid divx avc av1 vp9 vp8 mpeg2 mpeg4 vc1
  aac aac2 ac3 ac3d eac3 dd5 dd2 ddp ddp5 ddp2 ddpa ddpatmos dts dtshd dtsx truehd atmos flac flacx2 mp3 lpcm opus
  nf amzn dsnp hmax atvp hulu
  truefrench vostfr subfrench vff vfq vof nlsubs engsubs esubs msubs dubbed subbed multisubs softsub
  hsbs hou sbs halfsbs halfou fansub fansubbed
`);

/** Pairs that are strong together although either half may stand in a title. */
export const STRONG_PAIRS = words(`
  web-dl web-rip blu-ray bd-rip br-rip dvd-rip dvd-scr hd-rip hd-dvd hd-tv tv-rip ultra-hd full-hd h-264 h-265 x-264 x-265 dts-hd dts-x dts-es true-hd
  dolby-vision dolby-atmos dolby-digital dual-audio multi-subs multiple-subtitle multiple-subtitles english-subbed english-dubbed half-sbs half-ou
`);

/** Words that belong to the release only where such words, a year or a strong word follow. They stand on either side of the year. */
export const CUT_WORDS = words(`
  extended uncut unrated uncensored remastered restored theatrical imax dc dl ml multi
`);

/** The same, but never in front of a year: “The Darjeeling Limited 2007”, “The Girl in the Spider's Web 2018”. */
export const WEAK_WORDS = words(`
  web hd sd dv dovi cam ts tc r5 r6 hc 3d ntsc pal int retail complete custom hybrid line md ld mic dual
  proper repack rerip real internal limited festival readnfo dirfix nfofix stv convert se ee oar ws fs criterion remaster
  ita eng ger fre fra esp spa rus jpn jap kor hin tam tel pol nld dut swe nor dan fin por ptbr ukr tur chi vf vo
`);

/** Languages written out: in release names they stand just before the year or the format. */
export const LANGUAGE_WORDS = words(`
  english german french italian spanish castellano russian polish dutch danish swedish swesub norwegian nordic finnish hungarian czech greek turkish
  portuguese brazilian hebrew arabic hindi tamil telugu malayalam kannada bengali punjabi korean japanese chinese mandarin cantonese thai vietnamese
  ukrainian romanian bulgarian flemish latino
`);

/** Names of cuts in two words: the second, and what may stand before it. */
export const EDITION_PHRASES: readonly (readonly [last: string, before: RegExp])[] = [
  [
    'cut',
    /^(?:directors?|director['’]s|extended|final|theatrical|ultimate|unrated|uncut|international|rough|alternate|special|despecialized)$/,
  ],
  [
    'edition',
    /^(?:extended|special|collectors?|collector['’]s|anniversary|ultimate|limited|definitive|deluxe|criterion|theatrical|directors|remastered|imax|unrated|uncut)$/,
  ],
  ['version', /^(?:extended|uncut|unrated|theatrical|international|directors|restored|remastered|long|final)$/],
  ['release', /^(?:theatrical|unrated)$/],
  ['collection', /^criterion$/],
  ['matte', /^open$/],
  ['anniversary', /^\d{1,3}(?:st|nd|rd|th)$/],
];

/** A title that ends in one of these has lost its last word: then nothing is taken off. */
export const NEVER_LAST = words(
  'the a an of and or in on at to for from with my our der die das le la les il lo el los las un une ein eine & +',
);
export const ARTICLES = words('the a an der die das le la les il lo el los las un une ein eine');

/** Stems that name nothing: the folder must. */
export const GENERIC_STEM =
  /^(?:movie|film|video|main|feature|mainfeature|index|untitled|output|file|full ?movie|title|title ?t?\d{1,3}|t\d{2,3}|vts ?\d\d ?\d|video ?ts|\d{4,5}|[0-9a-f]{16,64}|stream|disc|disk|dvd|cd|mkv|mp4|avi)$/;

/** Folders that are part of how a disc or a download is stored and name nothing. */
export const STRUCTURE_FOLDER =
  /^(?:bdmv|stream|video_ts|hvdvd_ts|(?:cd|dis[ck]|dvd|part|pt)[ ._-]?(?:\d{1,2}|[a-d])|subs?|mkv|mp4|avi)$/;

/** Folders that hold several movies: their name is nobody's title. */
export const COLLECTION_WORDS = words(
  'collection trilogy saga anthology duology quadrilogy pentalogy hexalogy boxset movies films filme peliculas cinema videos collezione complete',
);
