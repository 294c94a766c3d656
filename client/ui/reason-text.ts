/** Why a movie is not sent as it is, as people read it. Beside the player, which alone says so. */
import type { AudioReason, PLAY_REASONS, StyledTextReason, SubtitleReason } from '#protocol/schema/playback.ts';

type Reason = (typeof PLAY_REASONS)[number];

/** Why a file is not sent as it is; each a whole sentence. */
export const REASON_TEXTS: Readonly<Record<Reason, string>> = {
  containerNotSupported: 'This device does not open this kind of file.',
  videoCodecNotSupported: 'This device can’t decode the picture’s codec.',
  videoBitDepthNotSupported: 'This device can’t decode this many bits of colour.',
  videoLevelNotSupported: 'The picture is coded at a higher level than this device decodes.',
  videoResolutionNotSupported: 'The picture is larger than this device decodes.',
  videoFrameRateNotSupported: 'The picture has more frames a second than this device decodes.',
  hdrNotSupported: 'This screen does not show high dynamic range, so the colours are brought into its range.',
  dolbyVisionNotSupported: 'This device does not show this profile of Dolby Vision.',
  videoNotSmooth: 'This device says that a picture of this size would stutter.',
  videoTagNotSupported: 'This device opens the picture’s codec only when it is wrapped another way.',
  interlacedNotSupported: 'The picture is interlaced, which browsers show with combs.',
  rotationNotSupported: 'The picture is stored turned, which this device does not put right.',
  audioCodecNotSupported: 'This device can’t decode the sound’s codec.',
  audioChannelsNotSupported: 'The sound has more channels than this device plays.',
  audioTrackSelected: 'Not the first audio track plays, and this device can’t choose another in the file as it is.',
  nightSound: 'Night sound is on: the sound is made anew with its voices up and its effects down.',
  subtitlesBurnedIn: 'This device can’t draw these subtitles, so they are made part of the picture.',
  bitrateTooHigh: 'The file needs more bandwidth than the limit that is set on this device.',
  personLimit: 'The file is larger than the quality that you chose.',
  serverLimit: 'The file is larger than the person who runs this server lets it send.',
  timestampsUnreliable: 'The file’s own timing is unreliable, so it is made anew.',
  keyframesUnusable: 'The file has too few places to cut or seek at, so the picture is coded anew.',
  failedOnThisDevice: 'Playing it a simpler way was tried on this device and failed.',
};

/** Why the audio track that plays does. */
export const AUDIO_REASON_TEXTS: Readonly<Record<AudioReason, string>> = {
  chosen: 'You chose this sound.',
  remembered: 'You chose this sound for this movie before.',
  audioDescription: 'You want sound with a description of the picture.',
  originalLanguage: 'It is the movie’s original language.',
  spokenLanguage: 'It is in a language that you speak.',
  fileDefault: 'The file names this sound as its usual one.',
  firstTrack: 'It is the first sound of the file.',
  nothingElse: 'The file has no other sound.',
};

/** Why these subtitles show, or none do. */
export const SUBTITLE_REASON_TEXTS: Readonly<Record<SubtitleReason, string>> = {
  chosen: 'You chose so.',
  remembered: 'You chose so for this movie before.',
  turnedOff: 'You want no subtitles.',
  forced: 'They translate what is said in another language than the sound.',
  audioUnderstood: 'You understand the sound.',
  audioForeign: 'The sound is in a language that you do not speak.',
  always: 'You always want subtitles.',
  noneFits: 'There are none in a language that you read.',
};

/** Of a device that draws no styles, where the server gave no reason: they were to be drawn. */
export const UNDRAWN_TEXT = 'This device can’t draw their style, so they are shown as text.';
/** The same, where they could have become a part of the picture. */
export const STYLED_TEXT_TEXTS: Readonly<Record<StyledTextReason, string>> = {
  preferred: 'You want styled subtitles as text, too.',
  noEncoding:
    'This device can’t draw their style, and this server can’t make it part of the picture, so they are shown as text.',
  encodersBusy:
    'This device can’t draw their style, and the server is busy encoding for others, so they are shown as text for now.',
  encodingFailed:
    'This device can’t draw their style, and did not play a picture that has it, so they are shown as text.',
};
