/** Which audio and which subtitles play: what the person chooses, and what is chosen for them when a playback opens. */
import { signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import type { Playback } from '#protocol/schema/playback.ts';
import type { Preferences } from '#client/store/preferences.ts';
import { Captions } from './captions.ts';
import type { AudioOption, PlayerState, SubtitleOption } from './player-state.ts';

export interface TrackSwitch {
  /** Changes the audio without opening anew; `false` where what plays has none of that name. */
  switchRendition(name: string): boolean;
  /** Opens anew with this audio, where the movie is. */
  reopen(audioTrack: number): void;
  /** The address of the subtitles did not answer; `true` where they come again by themselves. */
  renewAddress(): boolean;
}

export class TrackSelection {
  readonly captions: Captions;
  readonly #state: PlayerState;
  readonly #preferences: Preferences;
  readonly #switch: TrackSwitch;
  readonly #audioTrack = signal<number | null>(null);
  readonly #captionTrack = signal<string | null>(null);

  constructor(video: HTMLVideoElement, state: PlayerState, preferences: Preferences, trackSwitch: TrackSwitch) {
    this.#state = state;
    this.#preferences = preferences;
    this.#switch = trackSwitch;
    this.captions = new Captions(video, () => this.#onCaptionsFailed());
  }

  /** FFmpeg's number of the audio track that plays. */
  get audioTrack(): ReadonlySignal<number | null> {
    return this.#audioTrack;
  }

  /** Id of the subtitles that show; `null` for none. */
  get captionTrack(): ReadonlySignal<string | null> {
    return this.#captionTrack;
  }

  /** A playback was opened: its audio is the one that plays. */
  takeAudio(playback: Playback): void {
    this.#audioTrack.value = playback.audioTracks.find((track) => track.isSelected)?.trackIndex ?? null;
  }

  takeCaptions(playback: Playback): void {
    this.#showCaptions(this.#captionsToShow(playback));
  }

  /** The option that was chosen; `null` where there is none of that number. */
  chooseAudio(trackIndex: number): AudioOption | null {
    const option = this.#state.playback.peek()?.audioTracks.find((track) => track.trackIndex === trackIndex) ?? null;
    if (option === null || trackIndex === this.#audioTrack.peek()) return option;
    this.#audioTrack.value = trackIndex;
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
    const option = this.#state.playback.peek()?.subtitleTracks.find((track) => track.id === subtitleId);
    this.#preferences.areCaptionsOn.value = option !== undefined;
    if (option !== undefined) this.#preferences.captionLanguage.value = option.language ?? '';
    this.#showCaptions(option ?? null);
  }

  toggleCaptions(): void {
    const options = this.showableCaptions();
    if (this.#captionTrack.peek() !== null) this.chooseCaptions(null);
    else this.chooseCaptions(preferredCaptions(options, this.#preferences.captionLanguage.peek())?.id ?? null);
  }

  showableCaptions(): readonly SubtitleOption[] {
    return this.#state.playback.value?.subtitleTracks.filter((track) => track.url !== null) ?? [];
  }

  #captionsToShow(playback: Playback): SubtitleOption | null {
    const options = playback.subtitleTracks.filter((track) => track.url !== null);
    const current = this.#captionTrack.peek();
    if (current !== null) return options.find((track) => track.id === current) ?? null;
    if (this.#preferences.areCaptionsOn.peek()) {
      return preferredCaptions(options, this.#preferences.captionLanguage.peek());
    }
    // Forced subtitles translate what is foreign in the language that is heard, so they belong to the sound.
    const heard = playback.audioTracks.find((track) => track.isSelected)?.language ?? null;
    return options.find((track) => track.isForced && track.language === heard) ?? null;
  }

  #showCaptions(option: SubtitleOption | null): void {
    this.#captionTrack.value = option?.id ?? null;
    if (option?.url == null) this.captions.hide();
    else this.captions.show(option.url, option.language, option.label);
  }

  #onCaptionsFailed(): void {
    if (this.#switch.renewAddress()) return;
    this.#captionTrack.value = null;
    this.captions.hide();
  }
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
