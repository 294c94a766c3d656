import { signal } from '@preact/signals';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Playback } from '#protocol/schema/playback.ts';
import type { Preferences } from '#client/store/preferences.ts';
import type { PlayerState, SubtitleOption } from './player-state.ts';
import { TrackSelection } from './track-selection.ts';

// What draws styles wants a browser. Here it meets one that refuses the worker that it needs.
vi.mock('./styled-captions.ts', () => ({
  StyledCaptions: class {
    constructor() {
      throw new Error('no worker here');
    }
  },
}));

const option = (id: string, format: SubtitleOption['format']): SubtitleOption => ({
  ...{ id, trackIndex: null, source: 'uploaded', format, problem: null, label: id, language: 'en', codec: '' },
  ...{ isForced: false, isDefault: false, isHearingImpaired: false, isCommentary: false },
  ...{ url: null, styledUrl: null, fontUrls: [], picturesUrl: format === 'pictures' ? '/x.pics' : null, offsetMs: 0 },
});

/** What of a playback the choice of subtitles looks at. */
function opened(part: Partial<Playback> = {}): Playback {
  return {
    ...{ fileId: 'file 1', part: null, reasons: [], selectedSubtitle: null },
    subtitleTracks: [option('t1', 'pictures'), option('s2', 'pictures')],
    ...part,
  } as unknown as Playback;
}

let playback: ReturnType<typeof signal<Playback | null>>;
let asked: (string | null | undefined)[];
let draws: boolean;
let learned: unknown[];
let keeping: PromiseWithResolvers<boolean>;
let tracks: TrackSelection;

beforeEach(() => {
  playback = signal<Playback | null>(opened());
  asked = [];
  draws = false;
  learned = [];
  keeping = Promise.withResolvers();
  const preferences = { areCaptionsOn: signal(false), captionLanguage: signal('') };
  tracks = new TrackSelection(
    {} as HTMLVideoElement,
    { playback } as unknown as PlayerState,
    preferences as unknown as Preferences,
    {
      switchRendition: () => false,
      reopen: () => void asked.push(tracks.wantedCaptions(null)),
      draws: () => draws,
      learnUndrawn: (...lesson) => {
        const isNews = draws;
        draws = false;
        learned.push(lesson);
        return isNews;
      },
      renewAddress: () => false,
      remember: () => undefined,
      rememberOffset: () => keeping.promise,
    },
  );
});

describe('[PLAY58] subtitles that are a part of the picture and out of step', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    playback.value = opened({ reasons: ['subtitlesBurnedIn'], selectedSubtitle: 't1' });
    tracks.takeCaptions(playback.value);
  });
  afterEach(() => void vi.useRealTimers());

  it('are made anew with it once it is kept, and once for presses in quick succession', async () => {
    tracks.shiftCaptions(50);
    tracks.shiftCaptions(50);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toEqual([]);
    keeping.resolve(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(1);
    expect(tracks.captionOffsetMs).toBe(100);
  });

  it('are said to be where they are, where it could not be kept', async () => {
    tracks.shiftCaptions(50);
    keeping.resolve(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toEqual([]);
    expect(tracks.captionOffsetMs).toBe(0);
  });

  it('which are drawn here need no other picture', async () => {
    draws = true;
    playback.value = opened();
    tracks.awaitCaptions('t1');
    tracks.shiftCaptions(50);
    keeping.resolve(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(asked).toEqual([]);
    expect(tracks.captionOffsetMs).toBe(50);
  });
});

describe('[PLAY59] a script with styles on a device that draws none', () => {
  beforeEach(() => {
    playback.value = opened({ subtitleTracks: [option('t3', 'styled')], audioTracks: [] });
    // What is read of text goes nowhere here.
    vi.stubGlobal('location', { href: 'http://films.test/' });
    vi.stubGlobal('fetch', () => new Promise(() => undefined));
  });
  afterEach(() => void vi.unstubAllGlobals());
  const burnt = (): Playback => opened({ ...playback.value, reasons: ['subtitlesBurnedIn'], selectedSubtitle: 't3' });

  it('is asked for as a part of the picture, is text until that comes, and is not asked for again', () => {
    const show = vi.spyOn(tracks.captions, 'show').mockReturnValue();
    const hide = vi.spyOn(tracks.captions, 'hide').mockReturnValue();
    tracks.chooseCaptions('t3');
    expect(asked).toEqual(['t3']);
    expect(show.mock.lastCall).toMatchObject([{ id: 't3', format: 'text' }]);
    expect(hide).not.toHaveBeenCalled();
    playback.value = burnt();
    tracks.takeCaptions(playback.value);
    expect(hide).toHaveBeenCalledOnce();
    expect(tracks.captionTrack.value).toBe('t3');
    expect(asked).toHaveLength(1);
  });

  it('stays text where the server says that it can’t be', () => {
    const show = vi.spyOn(tracks.captions, 'show').mockReturnValue();
    playback.value = opened({ ...playback.value, selectedSubtitle: 't3', styledTextReason: 'encodersBusy' });
    tracks.takeCaptions(playback.value);
    expect(show.mock.lastCall).toMatchObject([{ id: 't3', format: 'text' }]);
    expect(tracks.heardAndSeen(playback.value).subtitleTracks).toMatchObject([{ id: 't3', format: 'text' }]);
    expect(asked).toEqual([]);
  });

  it('is text for people who read all in a style of their own: it goes from the picture, and back into it', () => {
    vi.spyOn(tracks.captions, 'show').mockReturnValue();
    playback.value = burnt();
    tracks.takeCaptions(playback.value);
    tracks.reconsiderStyles(true);
    expect(asked).toEqual(['t3']);
    playback.value = opened({ ...playback.value, reasons: [], styledTextReason: 'preferred' });
    tracks.takeCaptions(playback.value);
    tracks.chooseCaptions('t3');
    expect(asked).toHaveLength(1);
    tracks.reconsiderStyles(false);
    expect(asked).toEqual(['t3', 't3']);
  });

  it('goes into the picture where this device fails to draw what it said it draws, once', async () => {
    draws = true;
    tracks.chooseCaptions('t3');
    await vi.waitFor(() => expect(asked).toEqual(['t3']));
    expect(learned).toEqual([['file 1', 'styled']]);
    playback.value = burnt();
    tracks.takeCaptions(playback.value);
    expect(tracks.captionTrack.value).toBe('t3');
    expect(asked).toHaveLength(1);
  });
});

describe('[PLAY59] pictures of subtitles on a device that draws none', () => {
  it('are asked for as a part of the picture when they are chosen, and none again when they are turned off', () => {
    tracks.chooseCaptions('s2');
    expect(asked).toEqual(['s2']);
    playback.value = opened({ reasons: ['subtitlesBurnedIn'], selectedSubtitle: 's2' });
    tracks.takeCaptions(playback.value);
    expect(tracks.captionTrack.value).toBe('s2');
    tracks.chooseCaptions('s2');
    expect(asked).toHaveLength(1);
    tracks.chooseCaptions(null);
    expect(asked).toEqual(['s2', null]);
  });

  it('go with the picture that is made anew where this device fails to draw what it said it draws, once', async () => {
    draws = true;
    // Nothing here has a document to draw in.
    tracks.chooseCaptions('t1');
    await vi.waitFor(() => expect(asked).toEqual(['t1']));
    expect(learned).toEqual([['file 1', 'pictures']]);
    playback.value = opened({ reasons: ['subtitlesBurnedIn'], selectedSubtitle: 't1' });
    tracks.takeCaptions(playback.value);
    expect(tracks.captionTrack.value).toBe('t1');
    expect(asked).toHaveLength(1);
  });

  it('are none where nobody draws them: neither this device nor a server that encodes nothing', () => {
    playback.value = opened({ selectedSubtitle: 't1' });
    tracks.takeCaptions(playback.value);
    expect(tracks.captionTrack.value).toBeNull();
  });

  it('stay chosen when the movie is opened anew, and are left to the server before anything was chosen', () => {
    expect(tracks.wantedCaptions(null)).toBeUndefined();
    tracks.chooseCaptions('t1');
    expect(tracks.wantedCaptions(null)).toBe('t1');
    expect(tracks.wantedCaptions('file 1')).toBe('t1');
    tracks.awaitCaptions('s9');
    expect(tracks.wantedCaptions(null)).toBe('s9');
  });

  it('mean nothing in another file: there the server chooses', () => {
    tracks.chooseCaptions('t1');
    expect(tracks.wantedCaptions('file 2')).toBeUndefined();
    const second = opened({
      fileId: 'file 2',
      part: { number: 2 } as Playback['part'],
      ...{ reasons: ['subtitlesBurnedIn'], selectedSubtitle: 's2' },
    });
    playback.value = second;
    expect(tracks.wantedCaptions(null)).toBeUndefined();
    tracks.takeCaptions(second);
    expect(tracks.captionTrack.value).toBe('s2');
  });
});

it('opens nothing anew where the device shows them itself', () => {
  draws = true;
  tracks.chooseCaptions('s2');
  tracks.chooseCaptions(null);
  expect(asked).toEqual([]);
});

describe('[PLAY42] the sound that plays', () => {
  const audioTracks = [1, 2].map((trackIndex) => ({
    trackIndex,
    label: `Sound ${trackIndex}`,
    isSelected: trackIndex === 1,
  }));
  const audio = { trackIndex: 1, method: 'copy', fromCodec: 'aac', toCodec: 'aac' } as const;
  const heard = (): Playback =>
    opened({ audio, audioTracks: audioTracks as Playback['audioTracks'], audioReason: 'spokenLanguage' });

  it('is asked for again only where the person chose it here: else the server chooses, and tells its reason', () => {
    playback.value = heard();
    tracks.takeAudio(playback.value);
    expect(tracks.audioTrack.value).toBe(1);
    expect(tracks.chosenAudioTrack).toBeNull();
    tracks.chooseAudio(1); // the one that plays
    expect(tracks.chosenAudioTrack).toBeNull();
    tracks.chooseAudio(2);
    expect(tracks.chosenAudioTrack).toBe(2);
  });

  it('is told as it is, also where it was switched without the server', () => {
    playback.value = heard();
    tracks.takeAudio(playback.value);
    expect(tracks.heardAndSeen(heard())).toMatchObject({ audio, audioReason: 'spokenLanguage' });
    tracks.chooseAudio(2);
    const selected = () => tracks.heardAndSeen(heard()).audioTracks.map(({ isSelected }) => isSelected);
    // Chosen, and not heard yet.
    expect(tracks.audioTrack.value).toBe(2);
    expect(tracks.heardAndSeen(heard())).toMatchObject({ audio, audioReason: 'spokenLanguage' });
    expect(selected()).toEqual([true, false]);
    tracks.takeSound('Sound 2');
    expect(tracks.heardAndSeen(heard())).toMatchObject({ audio: null, audioReason: 'chosen' });
    expect(selected()).toEqual([false, true]);
    tracks.takeSound('Nothing of this file');
    expect(selected()).toEqual([false, true]);
  });

  it('[PLAY96] and the subtitles that show are told with it', () => {
    playback.value = heard();
    const before = tracks.heardAndSeen(opened({ ...heard(), subtitleReason: 'audioUnderstood' }));
    expect(before).toMatchObject({ selectedSubtitle: null, subtitleReason: 'audioUnderstood' });
    tracks.chooseCaptions('s2');
    expect(tracks.heardAndSeen(heard())).toMatchObject({ selectedSubtitle: 's2', subtitleReason: 'chosen' });
  });
});
