/**
 * `npm run score -- naming FILE.json` (or a folder of such files): what we read from names of files against what other parsers read.
 *
 * FILE.json holds `cases` (`input` and the `expect`ed keys) or `groups` (`files` that lie together). Only keys that a case
 * asserts are compared. Every file is one project's opinion in that project's words, so both sides are put into the same ones:
 * - `title`, `edition`, `group`: without case, punctuation and separators. Parsers differ in dots, colons and capitals alone.
 * - `source`: HD DVD is `bluray`; where a file knows no more than `web`, both kinds of it are that. A codec by the name of its
 *   encoder (`x264`) is the codec.
 * - Tests of a *quality* ask for the class of a release with what is taken for granted where the name does not say
 *   (`releaseClassOf`), all others for what the name says.
 * - ctrl-video-filename-parser.json: its library says `English` where nothing is said, and counts it in for `MULTi`.
 * - jellyfin-files.json, `clean-…`: the last name of a path alone. `3d` without a packing is no 3D there, as its note says.
 * - Where something must not be found (`negated`), it is right not to find it. Cases of that kind that speak of something
 *   we do not read are left out.
 *
 * Left out as no business of a library of movies, and counted on stderr: titles and years of series (`tvLike`, `S01E02`
 * in the name), Radarr's own slugs and title keys, Jellyfin's raw results, and the order of versions, which comes from probing.
 */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import * as v from 'valibot';
import { movieNameOf } from '#engine/media/file-name.ts';
import type { MovieName } from '#engine/media/file-name.ts';
import { toLanguageTag } from '#engine/media/language-tag.ts';
import { imdbIdOf } from '#engine/media/naming/catalogue-ids.ts';
import { releaseClassOf } from '#engine/media/naming/release-facts.ts';
import { sidecarNameOf } from '#engine/media/naming/sidecar-name.ts';
import { groupFiles } from './naming-groups.ts';
import { editionNames, flagsOf, languageNames } from './naming-words.ts';
import { Tally } from './score-row.ts';
import type { ScoreRow } from './score-row.ts';

const Case = v.object({
  id: v.string(),
  input: v.string(),
  kind: v.optional(v.string(), 'name'),
  test: v.optional(v.string(), ''),
  rule: v.optional(v.string(), ''),
  tvLike: v.optional(v.boolean(), false),
  negated: v.optional(v.boolean(), false),
  libraryRoot: v.optional(v.string()),
  expect: v.optional(v.record(v.string(), v.unknown()), {}),
  guessit: v.optional(v.record(v.string(), v.unknown()), {}),
});
type Case = v.InferOutput<typeof Case>;

const Group = v.object({
  id: v.string(),
  files: v.array(v.string()),
  expect: v.record(v.string(), v.unknown()),
  inputsAreDirectories: v.optional(v.boolean(), false),
});

const File = v.object({
  source: v.optional(v.object({ repo: v.optional(v.string(), '') })),
  cases: v.optional(v.array(v.unknown()), []),
  groups: v.optional(v.array(v.unknown()), []),
});

/** Years of tests lie in the future of the day they were written. */
const OPTIONS = { latestYear: new Date().getUTCFullYear() + 1 };
const SLOW_MS = 5;
const SERIES = /\bS\d{1,2}[ ._]?E\d{1,3}|\b\d{1,2}x\d{2}\b|\bSeason \d|\bS\d{2}\b/i;

/** `path`: such a file, or a folder of them, which are counted together. */
export async function scoreNaming(path: string): Promise<ScoreRow[]> {
  const paths = (await stat(path)).isDirectory()
    ? (await readdir(path)).filter((name) => name.endsWith('.json')).map((name) => join(path, name))
    : [path];
  const tally = new Tally('naming');
  for (const one of paths) {
    const file = v.parse(File, JSON.parse(await readFile(one, 'utf8')));
    const score = new NamingScore(tally, file.source?.repo ?? '');
    for (const item of file.cases) score.judgeCase(v.parse(Case, item));
    for (const item of file.groups) score.judgeGroup(v.parse(Group, item));
    score.tell();
  }
  return tally.rows();
}

class NamingScore {
  readonly #tally: Tally;
  readonly #repo: string;
  readonly #left = new Map<string, number>();
  #slowestMs = 0;
  #slowest = '';

  constructor(tally: Tally, repo: string) {
    this.#tally = tally;
    this.#repo = repo;
    // The first names pay for compiling.
    for (let round = 0; round < 300; round++) {
      movieNameOf(`Some.Title.${1900 + round}.1080p.BluRay.x264-GRP${round}.mkv`);
    }
  }

  judgeCase(item: Case): void {
    if (item.kind === 'slug' || item.kind === 'clean-title') return this.#leaveOut(item.kind, item);
    if (item.negated) return this.#judgeNegated(item);
    if (item.kind === 'subtitle-file' || item.kind === 'subtitle-suffix') return this.#judgeSubtitle(item);
    const name = this.#read(item);
    for (const [key, theirs] of Object.entries(item.expect)) this.#judgeKey(item, name, key, theirs);
  }

  #read(item: Case): MovieName {
    let path = item.input.replace(/^[a-z]:[\\/]/i, '').replace(/(?<=\w)\\(?=\w)/g, '/');
    // A slash in the name of a release parts its words.
    if (item.kind === 'name' && !this.#repo.startsWith('guessit') && path === item.input) {
      path = path.replaceAll('/', '-');
    }
    // “Only the last name of the path is parsed.”
    if (item.kind.startsWith('clean')) path = path.slice(path.lastIndexOf('/') + 1);
    if (item.libraryRoot !== undefined) path = path.slice(item.libraryRoot.length);
    let tookMs = Number.POSITIVE_INFINITY;
    let name = movieNameOf(path, OPTIONS);
    // The best of three: what the name costs, and not what else the machine does.
    for (let round = 0; round < 3; round++) {
      const startMs = performance.now();
      name = movieNameOf(path, OPTIONS);
      tookMs = Math.min(tookMs, performance.now() - startMs);
    }
    if (tookMs > this.#slowestMs) {
      this.#slowestMs = tookMs;
      this.#slowest = item.input;
    }
    return name;
  }

  #judgeKey(item: Case, name: MovieName, key: string, theirs: unknown): void {
    const isSeries = item.tvLike || SERIES.test(item.input);
    if (isSeries && /^(?:title|year|parsed)$/.test(key)) return this.#leaveOut(`${key} of a series`, item);
    const { release } = name;
    const isQuality = /quality/i.test(item.test) || item.test === 'filenameParse';
    const quality = isQuality ? releaseClassOf(release, item.input) : null;
    switch (key) {
      case 'title':
        return this.#text(item, key, name.title, theirs);
      case 'titles':
        return this.#list(item, key, spellings(name).map(loose), texts(theirs).map(loose));
      case 'year':
        return this.#same(item, key, name.year, theirs);
      case 'resolution': {
        // `R360P` is how one library writes lines it has no name for.
        const lines = typeof theirs === 'string' ? Number(/\d+/.exec(theirs)?.[0]) : theirs;
        return this.#same(
          item,
          key,
          quality?.resolution ??
            (item.test.startsWith('resolution.assume')
              ? releaseClassOf(release, item.input).resolution
              : release.resolution),
          lines,
        );
      }
      case 'source': {
        const source = quality === null ? (release.sources[0] ?? 'unknown') : (quality.source ?? 'unknown');
        if (theirs === 'web' && source.startsWith('web')) return this.#same(item, key, 'web', theirs);
        // Radarr counts a screener as a DVD that is modified so.
        return this.#same(item, key, source === 'screener' && this.#repo.startsWith('Radarr') ? 'dvd' : source, theirs);
      }
      case 'sources':
        return this.#list(
          item,
          key,
          item.test === 'filenameParse' && quality?.source ? [quality.source] : release.sources,
          texts(theirs),
        );
      case 'modifier':
        return this.#same(item, key, modifierOf(release, item.input), lower(theirs));
      case 'codec':
        return this.#same(item, key, release.videoCodec, lower(theirs)?.replace(/^x(?=26\d)/, 'h'));
      case 'audioCodec':
        return this.#same(item, key, release.audioCodecs[0] ?? null, lower(theirs)?.replace('dolby', 'ac3'));
      case 'audioChannels':
        return this.#same(item, key, release.channels, theirs);
      case 'group':
        return this.#text(item, key, release.group, theirs);
      case 'version':
        return this.#same(item, key, release.version, theirs);
      case 'revision':
        this.#same(item, 'version', release.version, (theirs as { version: number }).version);
        return this.#same(item, 'real', release.realCount, (theirs as { real: number }).real);
      case 'real':
        return this.#same(item, key, release.realCount, theirs);
      case 'repack':
        return this.#same(item, key, release.flags.includes('repack'), theirs);
      case 'proper':
        return this.#same(item, key, release.version > 1, theirs);
      case 'multi':
        return this.#same(item, key, release.flags.includes('multi'), theirs);
      case 'complete':
        return this.#same(
          item,
          key,
          release.flags.includes('complete') || release.flags.includes('completeDvd'),
          theirs,
        );
      case 'hardcodedSubs':
        return this.#same(item, key, release.flags.includes('burnedIn'), theirs !== null && theirs !== false);
      case 'languages':
      case 'languagesContain':
        return this.#languages(item, key, release, texts(theirs));
      case 'edition':
        return Array.isArray(theirs)
          ? this.#list(item, key, editionNames(release.editions), texts(theirs))
          : this.#text(item, key, name.edition, theirs);
      case 'editionFlags': {
        const ours = flagsOf(release);
        for (const [flag, value] of Object.entries(theirs as object)) {
          this.#same(item, key, ours.has(flag), value, flag);
        }
        return;
      }
      case 'part':
        return this.#same(item, key, name.part ?? release.instalment, theirs);
      case 'container':
        return this.#same(item, key, release.extension, theirs);
      case 'tmdbId':
        return this.#same(item, key, name.tmdbId, theirs);
      case 'imdbId':
        return this.#same(item, key, item.kind === 'imdb-id' ? imdbIdOf(item.input) : name.imdbId, theirs);
      case 'parsed':
        return this.#same(item, key, release.isRecognised, theirs);
      case 'extra':
        return this.#same(item, key, extraName(name, item.input, theirs), theirs);
      case 'is3d':
        return this.#same(
          item,
          key,
          release.packing3d !== null && (this.#repo !== 'jellyfin/jellyfin' || release.packing3d !== 'frames'),
          theirs,
        );
      case 'format3d':
        return this.#same(item, key, release.packing3d === 'frames' ? null : release.packing3d, theirs);
      case 'isStub':
        return this.#same(item, key, release.extension === 'disc', theirs);
      case 'stubType':
        return this.#same(item, key, release.extension === 'disc' ? (release.sources[0] ?? null) : null, theirs);
      default:
        return this.#leaveOut(key, item);
    }
  }

  #judgeNegated(item: Case): void {
    const facts = Object.entries(item.guessit).filter(([key]) => !key.startsWith('-'));
    const found = facts.map(([key, value]) => this.#isFound(this.#read(item), key, value));
    if (found.includes(null)) return this.#leaveOut('negated, of something not read', item);
    const [key = ''] = facts[0] ?? [];
    this.#count(
      item,
      NEGATED_KEYS[key] ?? key,
      'not found',
      found.every(Boolean) ? 'found' : 'not found',
      `not ${JSON.stringify(item.guessit)}`,
    );
  }

  /** `null`: we do not read such a thing. */
  #isFound(name: MovieName, key: string, value: unknown): boolean | null {
    const { release } = name;
    const text = String(value);
    if (key === 'screen_size') {
      return release.resolution === Number.parseInt(text, 10) && release.isInterlaced === text.endsWith('i');
    }
    if (key === 'aspect_ratio') return true;
    if (key === 'edition') return [value].flat().every((one) => editionNames(release.editions).includes(String(one)));
    if (key === 'title') return loose(name.title) === loose(text);
    if (key === 'part') return (name.part ?? release.instalment) === value;
    if (key === 'video_codec') {
      return loose(release.videoCodec ?? '') === loose(text.replace('.', '')).replace('realvideo', 'realvideo');
    }
    if (key === 'source') {
      return GUESSIT_SOURCES[text] === undefined
        ? null
        : release.sources.includes(GUESSIT_SOURCES[text]) &&
            (!text.startsWith('Ultra') || release.flags.includes('uhd'));
    }
    return null;
  }

  #judgeSubtitle(item: Case): void {
    const video = this.#repo.startsWith('jellyfin') ? 'My.Video' : null;
    const side = sidecarNameOf(item.input, video);
    const language = side?.language ?? null;
    for (const [key, theirs] of Object.entries(item.expect)) {
      if (key === 'subtitleLanguage') {
        this.#same(item, key, languageNames(language === null ? [] : [language])[0] ?? null, theirs);
      } else if (key === 'language') {
        this.#same(item, key, language, toLanguageTag(told(theirs)));
      } else if (key === 'subtitleTags') {
        this.#list(
          item,
          key,
          [
            side?.isDefault ? 'default' : '',
            side?.isForced ? 'forced' : '',
            side?.isHearingImpaired ? 'sdh' : '',
          ].filter((tag) => tag !== ''),
          texts(theirs),
        );
      } else if (key === 'subtitleTitle' || key === 'title') {
        this.#text(item, 'subtitleTitle', side?.title ?? null, theirs);
      } else if (key === 'default') this.#same(item, key, side?.isDefault ?? false, theirs);
      else if (key === 'forced') this.#same(item, key, side?.isForced ?? false, theirs);
      else if (key === 'hearingImpaired') this.#same(item, key, side?.isHearingImpaired ?? false, theirs);
      else this.#leaveOut(key, item);
    }
  }

  judgeGroup(group: v.InferOutput<typeof Group>): void {
    const item = v.parse(Case, { id: group.id, input: group.files.join(' · ') });
    if (group.files.some((file) => SERIES.test(file))) return this.#leaveOut('group of a series', item);
    const files = group.files.map(
      (file) =>
        file.replace(/^[a-z]:[\\/]/i, '').replace(/^\/+/, '') + (group.inputsAreDirectories ? '/movie.mkv' : ''),
    );
    const found = groupFiles(files, OPTIONS);
    const extras = found.flatMap(({ extras: some }) => some);
    const movies = found.filter(({ versions }) => versions.length > 0);
    for (const [key, theirs] of Object.entries(group.expect)) {
      if (key === 'items') this.#same(item, key, movies.length + extras.length, theirs);
      else if (key === 'nonExtraItems') this.#same(item, key, movies.length, theirs);
      else if (key === 'extraItems') this.#same(item, key, extras.length, theirs);
      else if (key === 'alternatesOfFirst') {
        this.#same(item, key, Math.max(0, (movies[0]?.versions.length ?? 1) - 1), theirs);
      } else if (key === 'extraTypes') this.#list(item, key, extras.map(loose), texts(theirs).map(loose));
      else if (key === 'stacks') {
        const ours = movies.flatMap(({ versions }) =>
          versions.filter(({ files: parts }) => parts.length > 1).map(({ files: parts }) => parts.length),
        );
        this.#list(
          item,
          key,
          ours.map(String),
          (theirs as { parts: number }[]).map(({ parts }) => String(parts)),
        );
      } else this.#leaveOut(key, item);
    }
  }

  tell(): void {
    for (const [what, count] of this.#left) console.error(`left out: ${count} × ${what}`);
    console.error(`slowest: ${this.#slowestMs.toFixed(2)} ms (${this.#slowest})`);
    this.#tally.count('speed', this.#slowestMs <= SLOW_MS ? 'right' : 'wrong');
  }

  #languages(item: Case, key: string, release: MovieName['release'], theirs: readonly string[]): void {
    const ours = languageNames(release.languages);
    if (this.#repo.startsWith('Radarr') && release.flags.includes('original')) ours.push('Original');
    if (this.#repo.startsWith('scttcper')) {
      if (ours.length === 0 || (release.flags.includes('multi') && !ours.includes('English'))) ours.push('English');
    }
    if (key === 'languagesContain') {
      const missing = theirs.filter((language) => !ours.includes(language));
      return this.#count(
        item,
        'languages',
        missing.length === 0 ? 'contained' : ours.join(),
        'contained',
        theirs.join(),
      );
    }
    this.#list(item, 'languages', ours, theirs);
  }

  #text(item: Case, key: string, ours: string | null, theirs: unknown): void {
    const said = told(theirs);
    const isSame = ours !== null && said !== null && loose(ours) === loose(said);
    this.#count(item, key, isSame ? said : ours, said);
  }

  #same(item: Case, key: string, ours: string | number | boolean | null | undefined, theirs: unknown, what = ''): void {
    const say = (value: unknown): string | null => {
      const text = told(value);
      return text === null ? null : `${what} ${text}`.trim();
    };
    this.#count(item, key, say(ours), say(theirs));
  }

  #list(item: Case, key: string, ours: readonly string[], theirs: readonly string[]): void {
    this.#count(item, key, sorted(ours), sorted(theirs));
  }

  #count(item: Case, key: string, ours: string | null, theirs: string | null, said = theirs): void {
    const verdict = ours === theirs ? 'right' : ours === null || ours === '' ? 'missing' : 'wrong';
    this.#tally.count(key, verdict);
    if (verdict !== 'right') {
      console.error(
        `${item.id} ${item.test || item.rule || item.kind} ${key}: ours ${ours ?? 'nothing'}, theirs ${said ?? 'nothing'}  ${JSON.stringify(item.input)}`,
      );
    }
  }

  #leaveOut(what: string, { id: _id }: { id: string }): void {
    this.#left.set(what, (this.#left.get(what) ?? 0) + 1);
  }
}

/** In Radarr's words. */
function modifierOf(release: MovieName['release'], input: string): string | null {
  const { modifier } = releaseClassOf(release, input);
  if (modifier !== null) return { remux: 'remux', disc: 'brdisk', raw: 'rawhd' }[modifier];
  if (release.sources.includes('screener')) return 'screener';
  return release.flags.includes('regional') ? 'regional' : null;
}

const NEGATED_KEYS: Readonly<Record<string, string>> = { screen_size: 'resolution', video_codec: 'codec' };

const GUESSIT_SOURCES: Readonly<Record<string, MovieName['release']['sources'][number]>> = {
  VHS: 'vhs',
  Camera: 'cam',
  'HD Camera': 'cam',
  Telesync: 'telesync',
  'HD Telesync': 'telesync',
  Workprint: 'workprint',
  Telecine: 'telecine',
  'HD Telecine': 'telecine',
  TV: 'tv',
  'Digital TV': 'tv',
  HDTV: 'tv',
  'Ultra HDTV': 'tv',
  DVD: 'dvd',
  'Blu-ray': 'bluray',
  'Ultra HD Blu-ray': 'bluray',
};

const loose = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/&/g, 'and')
    .replace(/[^\p{L}\p{N}]+/gu, '');
const told = (value: unknown): string | null =>
  value === null || value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);
const lower = (value: unknown): string | null => (typeof value === 'string' ? value.toLowerCase() : null);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
/** With other titles, some list the whole first. */
const spellings = ({ title, alternativeTitles }: MovieName): string[] =>
  alternativeTitles.length === 0 ? [title] : [[title, ...alternativeTitles].join(' AKA '), title, ...alternativeTitles];

const sorted = (items: readonly string[]): string => items.toSorted().join(', ');

/** In Jellyfin's words. `Unknown` is any extra, and `ThemeSong` a theme that is no picture. */
function extraName({ extra }: MovieName, input: string, theirs: unknown): string | null {
  if (extra === null) return null;
  if (theirs === 'Unknown') return 'Unknown';
  if (extra === 'theme') return /\.(?:mp3|flac|ogg|m4a)$/i.test(input) ? 'ThemeSong' : 'ThemeVideo';
  return extra === 'other' ? 'Unknown' : extra[0]!.toUpperCase() + extra.slice(1);
}
