/**
 * `npm run score -- decisions FILE.json`: how another server decides for a device and a file, beside how we do.
 *
 * FILE.json holds `devices` (profiles), `sources` (files with their streams) and `cases`: which device plays which source, by which
 * method, and why not directly. Both are put into our words as far as they reach; where the other server knows something that a profile
 * of ours can't say, that is named in what goes to stderr. `method`: sent as it is or not. `handling`: whether picture and sound are copied
 * or encoded. `reasons`: whether all of theirs are among ours; `no other reasons`: whether ours are all among theirs, who stop at the first of some.
 */
import { readFileSync } from 'node:fs';
import { decidePlayback } from '#engine/media/play-method.ts';
import type { PlayDecision } from '#engine/media/play-method.ts';
import { PLAY_REASONS } from '#protocol/schema/playback.ts';
import type { PlayReason } from '#protocol/schema/playback.ts';
import { deviceProfileOf } from './decision-devices.ts';
import type { TheirDevice } from './decision-devices.ts';
import { mediaOf } from './decision-sources.ts';
import type { TheirSource } from './decision-sources.ts';
import { Tally } from './score-row.ts';
import type { ScoreRow } from './score-row.ts';

interface Case {
  readonly id: string;
  readonly method: string;
  readonly device: string;
  readonly source: string;
  readonly playMethod: 'DirectPlay' | 'DirectStream' | 'Transcode' | null;
  readonly reasons: readonly string[] | null;
  readonly mode: 'Remux' | 'DirectStream' | 'Transcode' | null;
}

interface Reference {
  readonly cases: readonly Case[];
  readonly devices: Readonly<Record<string, TheirDevice>>;
  readonly sources: Readonly<Record<string, TheirSource>>;
}

/** What they call it → any one of what we do. Absent: we have no such reason, and `WITHOUT_REASON` says why. */
const REASONS: Readonly<Record<string, readonly PlayReason[]>> = {
  ContainerNotSupported: ['containerNotSupported'],
  VideoCodecNotSupported: ['videoCodecNotSupported'],
  VideoProfileNotSupported: ['videoBitDepthNotSupported', 'videoCodecNotSupported'],
  VideoLevelNotSupported: ['videoLevelNotSupported'],
  VideoResolutionNotSupported: ['videoResolutionNotSupported'],
  VideoBitDepthNotSupported: ['videoBitDepthNotSupported'],
  VideoFramerateNotSupported: ['videoFrameRateNotSupported'],
  VideoRangeTypeNotSupported: ['hdrNotSupported', 'dolbyVisionNotSupported'],
  VideoCodecTagNotSupported: ['videoTagNotSupported'],
  VideoRotationNotSupported: ['rotationNotSupported'],
  InterlacedVideoNotSupported: ['interlacedNotSupported'],
  AudioCodecNotSupported: ['audioCodecNotSupported'],
  AudioProfileNotSupported: ['audioCodecNotSupported'],
  AudioChannelsNotSupported: ['audioChannelsNotSupported'],
  SecondaryAudioNotSupported: ['audioTrackSelected'],
  SubtitleCodecNotSupported: ['subtitlesBurnedIn'],
  ContainerBitrateExceedsLimit: ['bitrateTooHigh'],
  VideoBitrateNotSupported: ['bitrateTooHigh'],
  AudioBitrateNotSupported: ['bitrateTooHigh'],
  // Also where a device names nothing that it plays as it is.
  DirectPlayError: ['failedOnThisDevice', 'containerNotSupported'],
};

const WITHOUT_REASON: Readonly<Record<string, string>> = {
  AudioIsExternal: 'sound in files of its own is not played',
  AnamorphicVideoNotSupported: 'oblong pixels are drawn by every player we know',
  RefFramesNotSupported: 'decoders are asked by level, which bounds reference frames',
  StreamCountExceedsLimit: 'no profile says how many tracks a file may have',
};

type Handling = 'none' | 'direct' | 'both copied' | 'picture copied' | 'encoded';

export function scoreDecisions(file: string): Promise<ScoreRow[]> {
  const { cases, devices, sources } = JSON.parse(readFileSync(file, 'utf8')) as Reference;
  const tally = new Tally('decisions');
  const differences = new Map<string, string[]>();
  for (const one of cases) {
    const device = devices[one.device];
    const source = sources[one.source];
    if (device === undefined || source === undefined) {
      tally.count('method', 'missing');
      console.error(`${one.id}: the file lacks ${device === undefined ? one.device : one.source}`);
      continue;
    }
    const decision = decide(one, device, source);
    const theirs = handlingOf(one);
    const ours = ourHandling(decision);
    tally.count(
      'method',
      isDirect(theirs) === isDirect(ours) && (theirs === 'none') === (ours === 'none') ? 'right' : 'wrong',
    );
    const isSame = theirs === null || theirs === ours || (theirs === 'any' && ours !== 'direct' && ours !== 'none');
    tally.count('handling', isSame ? 'right' : 'wrong');
    const missing = (one.reasons ?? []).filter(
      (reason) => !(REASONS[reason] ?? []).some((mine) => decision?.reasons.includes(mine)),
    );
    if (one.reasons !== null && one.playMethod !== 'DirectPlay') {
      tally.count('reasons', missing.length === 0 || theirs === 'none' ? 'right' : 'wrong');
      const more = (decision?.reasons ?? []).filter(
        (mine) => !one.reasons!.some((reason) => REASONS[reason]?.includes(mine)),
      );
      tally.count('no other reasons', more.length === 0 ? 'right' : 'wrong');
      if (more.length > 0) {
        const kind = `we also say ${more.join(' ')}`;
        differences.set(kind, [...(differences.get(kind) ?? []), `${one.id} ${one.device} × ${one.source}`]);
      }
    }
    if (isSame && (missing.length === 0 || theirs === 'none')) continue;
    const kind = isSame ? `reason ${missing.join(', ')}` : `they ${theirs}, we ${ours}`;
    const said = `${one.id} ${one.device} × ${one.source}: theirs ${(one.reasons ?? []).join(' ') || '–'}; ours ${decision?.reasons.join(' ') || '–'}`;
    const why = missing.flatMap((reason) => (WITHOUT_REASON[reason] === undefined ? [] : [WITHOUT_REASON[reason]]));
    differences.set(kind, [...(differences.get(kind) ?? []), [said, ...why].join('; ')]);
  }
  for (const [kind, lines] of [...differences].toSorted(([, a], [, b]) => b.length - a.length)) {
    console.error(`${lines.length} × ${kind}`);
    for (const line of lines) console.error(`    ${line}`);
  }
  return Promise.resolve(tally.rows(null));
}

const isDirect = (handling: Handling | 'any' | null): boolean => handling === 'direct';

function handlingOf({ playMethod, mode }: Case): Handling | 'any' {
  if (playMethod === null || (playMethod as string) === 'None') return 'none';
  if (playMethod === 'DirectPlay') return 'direct';
  if (mode === 'Remux') return 'both copied';
  if (mode === 'DirectStream' || playMethod === 'DirectStream') return 'picture copied';
  return mode === 'Transcode' ? 'encoded' : 'any';
}

function ourHandling(decision: PlayDecision | null): Handling {
  if (decision === null) return 'none';
  if (decision.method === 'directPlay') return 'direct';
  if (decision.method === 'transcode') return 'encoded';
  return decision.audio?.method === 'transcode' ? 'picture copied' : 'both copied';
}

function decide(one: Case, device: TheirDevice, source: TheirSource): PlayDecision | null {
  const media = mediaOf(source);
  const profile = deviceProfileOf(one.device, device, media);
  const ask = (audioTrack: number | null): PlayDecision | null =>
    decidePlayback({
      ...{ media, profile, audioTrack, hasUsableKeyframes: true, without: [], subtitle: null },
      limits: { maxHeightPx: 2160 },
    });
  if (one.method.endsWith('WithFirstExplicitStream')) return ask(media.audio[0]?.index ?? null);
  if (!one.method.endsWith('WithDirectPlayExplicitStreams')) return ask(source.DefaultAudioStreamIndex ?? null);
  // They picked a track that the device plays, where there is one.
  const best = media.audio
    .map(({ index }) => ask(index))
    .filter((decision) => decision !== null)
    .toSorted((a, b) => rank(a) - rank(b));
  return best[0] ?? ask(null);
}

/** The fewer reasons stand in the way, the better; a track that is only not the first is as good as any. */
function rank({ reasons }: PlayDecision): number {
  return PLAY_REASONS.filter((reason) => reason !== 'audioTrackSelected' && reasons.includes(reason)).length;
}
