/** Words that tell where a title ends, as data for `title.ts`. All lower case, without separators. */
import { wordSet as words } from './words.ts';

/** Words that belong to the release only where such words, a year or a strong word follow. They stand on either side of the year. */
export const CUT_WORDS = words(`
  extended uncut unrated uncensored remastered restored theatrical imax fanedit despecialized anniversary dc dl ml multi
`);

/** The same, but never in front of a year: “The Darjeeling Limited 2007”, “The Girl in the Spider's Web 2018”. */
export const WEAK_WORDS = words(`
  web hd sd dv dovi cam scr ts tc bd dvd alternate alternative  r5 r6 hc 3d ntsc pal int retail complete custom hybrid line md ld mic dual
  proper repack rerip real internal limited festival readnfo dirfix nfofix stv convert se ee oar ws fs criterion remaster
  ita eng ger fre fra esp spa rus jpn jap kor hin tam tel pol nld dut swe nor dan fin por ptbr ukr tur chi vf vo
`);

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
