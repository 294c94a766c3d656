/** Which audio and which subtitles play: what the person chooses, and what is chosen for them when a playback opens. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { DrawnSubtitles, Playback } from '#protocol/schema/playback.ts';
import { MAX_SUBTITLE_OFFSET_MS } from '#protocol/schema/subtitle.ts';
import type { Preferences } from '#client/store/preferences.ts';
import { Captions } from './captions.ts';
import type { CaptionProblem } from './captions.ts';
import type { AudioOption, PlayerState, SubtitleOption } from './player-state.ts';

export interface TrackSwitch {
  /** Changes the audio without opening anew; `false` where what plays has none of that name. */
  switchRendition(name: string): boolean;
  /** Opens anew where the movie is, with this audio; `null` leaves it to the server. Subtitles are asked for as `wantedCaptions`. */
  reopen(audioTrack: number | null): void;
  /**
   * Whether this device draws subtitles of this kind of a file. What it does not draw comes as a part of the movie's picture; scripts with
   * styles as text where that can't be.
   */
  draws(kind: DrawnSubtitles, fileId: string): boolean;
  /** Keeps that this device did not draw what it was given. Whether that was not known before. */
  learnUndrawn(fileId: string, kind: DrawnSubtitles): boolean;
  /** The address of the subtitles did not answer; `true` where they come again by themselves. */
  renewAddress(): boolean;
  /** Tells the server what the person chose in this movie, to be chosen the next time. */
  remember(choice: { readonly subtitle: string | null } | { readonly audioTrack: number }): void;
  /** Keeps how far subtitles are out of step. Whether it was kept. */
  rememberOffset(subtitleId: string, offsetMs: number): Promise<boolean>;
}

const OFFSET_DELAY_MS = 600;

export class TrackSelection {
  readonly captions: Captions;
  readonly #state: PlayerState;
  readonly #preferences: Preferences;
  readonly #switch: TrackSwitch;
  readonly #audioTrack = signal<number | null>(null);
  /** What is heard: another than was chosen until that has come. */
  readonly #heardTrack = signal<number | null>(null);
  readonly #captionTrack = signal<string | null>(null);
  /** What was set here, by id. */
  readonly #offsetsMs = signal<ReadonlyMap<string, number>>(new Map());
  /** The file in which the person has chosen subtitles since the player was made: ids mean nothing in another. */
  #chosenIn: string | null = null;
  #isAudioChosen = false;
  #offsetLater: ReturnType<typeof setTimeout> | undefined;

  constructor(video: HTMLVideoElement, state: PlayerState, preferences: Preferences, trackSwitch: TrackSwitch) {
    this.#state = state;
    this.#preferences = preferences;
    this.#switch = trackSwitch;
    this.captions = new Captions(video, (problem) => this.#onCaptionsFailed(problem));
  }

  /** FFmpeg's number of the audio track that plays, or was chosen and is about to. */
  get audioTrack(): ReadonlySignal<number | null> {
    return this.#audioTrack;
  }

  /** The one that the person chose here; `null` where it is the server's choice, which it makes again, and tells why. */
  get chosenAudioTrack(): number | null {
    return this.#isAudioChosen ? this.#audioTrack.peek() : null;
  }

  /** A playback with the tracks that play now: a rendition is switched without the server. */
  heardAndSeen(playback: Playback): Playback {
    const audioTrack = this.#heardTrack.value;
    const isOpened = playback.audio?.trackIndex === audioTrack;
    const isChosen = this.#isAudioChosen && (!isOpened || audioTrack === this.#audioTrack.value);
    const subtitle = this.#captionTrack.value;
    return {
      ...playback,
      audio: isOpened ? playback.audio : null,
      audioTracks: playback.audioTracks.map((track) => ({ ...track, isSelected: track.trackIndex === audioTrack })),
      audioReason: isChosen ? 'chosen' : playback.audioReason,
      selectedSubtitle: subtitle,
      subtitleTracks: playback.subtitleTracks.map((option) => this.#asShown(option, playback.fileId)),
      subtitleReason: this.#chosenIn === playback.fileId ? 'chosen' : playback.subtitleReason,
    };
  }

  /** Id of the subtitles that show; `null` for none. */
  get captionTrack(): ReadonlySignal<string | null> {
    return this.#captionTrack;
  }

  /** A playback was opened: its audio is the one that plays. */
  takeAudio(playback: Playback): void {
    this.#audioTrack.value = playback.audioTracks.find((track) => track.isSelected)?.trackIndex ?? null;
    this.#heardTrack.value = this.#audioTrack.peek();
  }

  /** A rendition is heard from now on. */
  takeSound(name: string): void {
    const option = this.#state.playback.peek()?.audioTracks.find(({ label }) => label === name);
    if (option !== undefined) this.#heardTrack.value = option.trackIndex;
  }

  takeCaptions(playback: Playback): void {
    const option = this.#captionsToShow(playback);
    // Neither drawn here nor made a part of the picture, as by a server that encodes nothing. What has styles is text then.
    const isLost = this.#isUnseen(option, playback.fileId) && !this.isBurntIn(option);
    this.#showCaptions(isLost ? null : option);
  }

  /** The option that was chosen; `null` where there is none of that number. */
  chooseAudio(trackIndex: number): AudioOption | null {
    const option = this.#state.playback.peek()?.audioTracks.find((track) => track.trackIndex === trackIndex) ?? null;
    if (option === null || trackIndex === this.#audioTrack.peek()) return option;
    this.#audioTrack.value = trackIndex;
    this.#isAudioChosen = true;
    this.#switch.remember({ audioTrack: trackIndex });
    // A rendition of the playlist has the name of its choice. In a file as it is there is nothing to switch.
    if (!this.#switch.switchRendition(option.label)) this.#switch.reopen(trackIndex);
    return option;
  }

  /** The next track in the row, after the last the first; `null` where there is nothing to choose. */
  nextAudio(): AudioOption | null {
    const tracks = this.#state.playback.peek()?.audioTracks ?? [];
    if (tracks.length < 2) return null;
    const at = tracks.findIndex(({ trackIndex }) => trackIndex === this.#audioTrack.peek());
    return this.chooseAudio(tracks[(at + 1) % tracks.length]!.trackIndex);
  }

  /** `null` turns subtitles off. The choice is remembered for the next movie. */
  chooseCaptions(subtitleId: string | null): void {
    const playback = this.#state.playback.peek();
    const option = playback?.subtitleTracks.find((track) => track.id === subtitleId);
    this.#preferences.areCaptionsOn.value = option !== undefined;
    if (option !== undefined) this.#preferences.captionLanguage.value = option.language ?? '';
    this.#switch.remember({ subtitle: option?.id ?? null });
    this.#chosenIn = playback?.fileId ?? null;
    const isBurnt = playback?.reasons.includes('subtitlesBurnedIn') === true;
    const isToBurn = this.#isToBurn(option ?? null, playback?.fileId ?? '');
    // What is a part of the picture comes and goes with the picture only.
    const needsAnother = option?.id !== this.#captionTrack.peek() && (isBurnt || isToBurn);
    this.#showCaptions(option ?? null);
    if (needsAnother) this.#switch.reopen(this.#audioTrack.peek());
  }

  /** Id of the subtitles that the person has chosen in a file, `null` for none; absent: the server's choice. */
  wantedCaptions(fileId: string | null): string | null | undefined {
    // Any file of a movie that is cut into several may be another than theirs.
    const isWhole = this.#state.playback.peek()?.part === null;
    const isTheirs = this.#chosenIn !== null && (fileId === null ? isWhole : fileId === this.#chosenIn);
    return isTheirs ? this.#captionTrack.peek() : undefined;
  }

  /** The subtitles that show. */
  get captionOption(): SubtitleOption | null {
    const id = this.#captionTrack.value;
    return this.#state.playback.value?.subtitleTracks.find((track) => track.id === id) ?? null;
  }

  /** How much later than their file says the subtitles show that are chosen. */
  get captionOffsetMs(): number {
    const option = this.captionOption;
    return option === null ? 0 : (this.#offsetsMs.value.get(option.id) ?? option.offsetMs);
  }

  /** Later by so much; `null` for as their file says. Returns what is set then. */
  shiftCaptions(byMs: number | null): number {
    const option = this.captionOption;
    if (option === null) return 0;
    const wanted = byMs === null ? 0 : this.captionOffsetMs + byMs;
    const offsetMs = Math.min(MAX_SUBTITLE_OFFSET_MS, Math.max(-MAX_SUBTITLE_OFFSET_MS, wanted));
    this.#offsetsMs.value = new Map(this.#offsetsMs.peek()).set(option.id, offsetMs);
    this.captions.setOffset(offsetMs);
    clearTimeout(this.#offsetLater);
    // Presses in quick succession are one change.
    this.#offsetLater = setTimeout(() => void this.#keepOffset(option, offsetMs), OFFSET_DELAY_MS);
    return offsetMs;
  }

  /** What is a part of the picture is made anew with it, at the same place. */
  async #keepOffset(option: SubtitleOption, offsetMs: number): Promise<void> {
    const isKept = await this.#switch.rememberOffset(option.id, offsetMs);
    // Shifted again meanwhile, or other subtitles were chosen.
    if (this.#offsetsMs.peek().get(option.id) !== offsetMs || this.captionOption?.id !== option.id) return;
    if (!this.isBurntIn(option)) return;
    if (isKept) this.#switch.reopen(this.#audioTrack.peek());
    else {
      // Nothing has changed in the picture, and nothing says so.
      const offsets = new Map(this.#offsetsMs.peek());
      offsets.delete(option.id);
      this.#offsetsMs.value = offsets;
    }
  }

  /** Whether the subtitles are a part of the picture that plays. */
  isBurntIn(option: SubtitleOption | null): boolean {
    const playback = this.#state.playback.value;
    const isInPicture = playback?.reasons.includes('subtitlesBurnedIn') === true;
    return option !== null && isInPicture && playback.selectedSubtitle === option.id;
  }

  /** The person has said anew whether styled subtitles are text for them, and the server knows. */
  reconsiderStyles(prefersText: boolean): void {
    this.captions.preferText(prefersText);
    const [option, playback] = [this.captionOption, this.#state.playback.peek()];
    if (option?.format !== 'styled' || playback === null) return;
    if (this.isBurntIn(option) === this.#isToBurn(option, playback.fileId)) return;
    this.#chosenIn = playback.fileId;
    this.#switch.reopen(this.#audioTrack.peek());
  }

  /** What somebody just handed in is there after the movie was opened anew, and is to be shown then. */
  awaitCaptions(subtitleId: string): void {
    this.#chosenIn = this.#state.playback.peek()?.fileId ?? null;
    this.#captionTrack.value = subtitleId;
  }

  toggleCaptions(): void {
    const options = this.showableCaptions();
    if (this.#captionTrack.peek() !== null) this.chooseCaptions(null);
    else this.chooseCaptions(preferredCaptions(options, this.#preferences.captionLanguage.peek())?.id ?? null);
  }

  showableCaptions(): readonly SubtitleOption[] {
    return this.#state.playback.value?.subtitleTracks.filter(isShowable) ?? [];
  }

  /** What was chosen here stays chosen while that file plays; before, and in another file, the server's choice counts. */
  #captionsToShow(playback: Playback): SubtitleOption | null {
    const options = playback.subtitleTracks.filter(isShowable);
    const current = this.#captionTrack.peek();
    if (this.#chosenIn === playback.fileId) return options.find((track) => track.id === current) ?? null;
    return options.find((track) => track.id === playback.selectedSubtitle) ?? null;
  }

  #showCaptions(option: SubtitleOption | null): void {
    this.#captionTrack.value = option?.id ?? null;
    const fileId = this.#state.playback.peek()?.fileId ?? '';
    // Scripts are text until the picture comes that has them.
    if (option === null || this.#isUnseen(option, fileId) || this.isBurntIn(option)) this.captions.hide();
    else {
      const offsetMs = this.#offsetsMs.peek().get(option.id) ?? option.offsetMs;
      this.captions.show({ ...this.#asShown(option, fileId), offsetMs });
    }
  }

  /** Styles that this device does not draw are left out. */
  #asShown(option: SubtitleOption, fileId: string): SubtitleOption {
    const isText = option.format === 'styled' && !this.#switch.draws('styled', fileId);
    return isText ? { ...option, format: 'text' } : option;
  }

  /** Whether nothing of them is seen here but what is a part of the picture. */
  #isUnseen(option: SubtitleOption | null, fileId: string): boolean {
    return option?.format === 'pictures' && !this.#switch.draws('pictures', fileId);
  }

  #isToBurn(option: SubtitleOption | null, fileId: string): boolean {
    const isStyled = option?.format === 'styled' && !this.captions.prefersText;
    return this.#isUnseen(option, fileId) || (isStyled && !this.#switch.draws('styled', fileId));
  }

  #onCaptionsFailed(problem: CaptionProblem): void {
    if (problem === 'expired' && this.#switch.renewAddress()) return;
    const [option, playback] = [this.captionOption, this.#state.playback.peek()];
    const kind = option?.format;
    const isDrawn = kind === 'pictures' || kind === 'styled';
    if (problem === 'undrawable' && isDrawn && playback && this.#switch.learnUndrawn(playback.fileId, kind)) {
      this.#showCaptions(option);
      // What was chosen for this person is asked for as theirs: they were to see it.
      this.#chosenIn = playback.fileId;
      return this.#switch.reopen(this.#audioTrack.peek());
    }
    this.#captionTrack.value = null;
    this.captions.hide();
  }
}

function isShowable({ format }: SubtitleOption): boolean {
  return format !== 'none';
}

/** In the language chosen last, whole dialogue before forced signs, plain before hearing-impaired. */
export function preferredCaptions(options: readonly SubtitleOption[], language: string): SubtitleOption | null {
  const score = (option: SubtitleOption): number =>
    Number((option.language ?? '') === language) * 8 +
    Number(!option.isForced) * 4 +
    Number(option.isDefault) * 2 +
    Number(!option.isHearingImpaired);
  return options.reduce<SubtitleOption | null>(
    (best, option) => (best === null || score(option) > score(best) ? option : best),
    null,
  );
}
