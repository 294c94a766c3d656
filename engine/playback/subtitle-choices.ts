/** The subtitles of a file as people choose them: its own tracks, the files beside it, and what was handed in. */
import { isStyledSubtitle, isTextSubtitle, pictureSubtitleKind } from '#engine/media/subtitle-kind.ts';
import { subtitleLabels } from '#engine/media/track-choice.ts';
import type { MediaInfo, SubtitleTrack } from '#protocol/schema/media.ts';
import type { SubtitleChoice, SubtitleFormat } from '#protocol/schema/subtitle.ts';
import type { SubtitleFile } from './subtitle-ports.ts';

/** Many files mark a commentary only in the track's title. */
const COMMENTARY_TITLE = /\b(comment(ary|aries|aire|ario|i)?|kommentar|coment[aá]rio)/i;

export interface SubtitleChoiceInput {
  readonly media: MediaInfo;
  /** Beside the file, and handed in for it. */
  readonly files: readonly SubtitleFile[];
  /** `/media/<grant>`. */
  readonly base: string;
  /** By id, what this person has set. */
  readonly offsetsMs: ReadonlyMap<string, number>;
}

/** In the order of the file, then what lies beside it, then what was handed in, the newest first. */
export function subtitleChoices({ media, files, base, offsetsMs }: SubtitleChoiceInput): SubtitleChoice[] {
  const tracks = [...media.subtitles, ...files.map(asTrack)];
  const labels = subtitleLabels(tracks);
  const fontUrls = media.attachments.filter(({ kind }) => kind === 'font').map(({ index }) => `${base}/f${index}`);
  return tracks.map((track, at) => {
    const file = files[at - media.subtitles.length];
    const id = file === undefined ? `t${track.index}` : `s${file.id}`;
    const format = subtitleFormat(track.codec);
    return {
      id,
      trackIndex: file === undefined ? track.index : null,
      source: file?.source ?? 'embedded',
      format,
      problem: format === 'none' ? 'codecNotSupported' : null,
      label: labels[at]!,
      language: track.language,
      codec: track.codec,
      isForced: track.disposition.forced,
      isDefault: track.disposition.default,
      isHearingImpaired: track.disposition.hearingImpaired,
      isCommentary: track.disposition.commentary || COMMENTARY_TITLE.test(track.title ?? ''),
      url: format === 'text' || format === 'styled' ? `${base}/${id}.vtt` : null,
      styledUrl: format === 'styled' ? `${base}/${id}.ass` : null,
      fontUrls: format === 'styled' && file === undefined ? fontUrls : [],
      picturesUrl: format === 'pictures' ? `${base}/${id}.pics` : null,
      offsetMs: offsetsMs.get(id) ?? 0,
    };
  });
}

/** What a codec, as FFmpeg or `codecOfFile` names it, is shown as. */
export function subtitleFormat(codec: string): SubtitleFormat {
  if (isStyledSubtitle(codec)) return 'styled';
  if (isTextSubtitle(codec) || codec === 'microdvd') return 'text';
  return pictureSubtitleKind(codec) === null ? 'none' : 'pictures';
}

const CODECS: Readonly<Record<string, string>> = {
  srt: 'subrip',
  ass: 'ass',
  ssa: 'ssa',
  vtt: 'webvtt',
  sup: 'hdmv_pgs_subtitle',
  vobsub: 'dvd_subtitle',
};

/** A `.sub` is VobSub where an `.idx` lies beside it, and else MicroDVD or a like of it. */
export function codecOfFile(file: Pick<SubtitleFile, 'format' | 'indexPath'>): string {
  if (file.format === 'sub') return file.indexPath === null ? 'microdvd' : 'dvd_subtitle';
  return CODECS[file.format] ?? file.format;
}

function asTrack(file: SubtitleFile): SubtitleTrack {
  const codec = codecOfFile(file);
  return {
    index: 0,
    codec,
    profile: null,
    language: file.language,
    title: file.title,
    disposition: {
      default: file.isDefault,
      forced: file.isForced,
      original: false,
      commentary: false,
      hearingImpaired: file.isHearingImpaired,
      visualImpaired: false,
    },
    bitrateBps: null,
    codecString: null,
    isText: isTextSubtitle(codec),
  };
}
