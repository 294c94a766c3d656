import { ArrowUp, RotateCcw, X } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { deviceLessons } from '#client/player/browser-media.ts';
import { wishesOf } from '#client/store/wishes.ts';
import type { PlaybackLesson, PlaybackPreferences, PreferenceChanges } from '#protocol/schema/preferences.ts';
import { useAttempt, useCinema, useLobby } from '../../house.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { Choice } from '../../parts/field.tsx';
import { Waiting } from '../../parts/state-page.tsx';
import { codecName, containerName, counted, languageName, methodName, resolutionName, timeAgo } from '../../wording.ts';
import own from './metadata.module.css';
import playback from './playback.module.css';
import styles from './settings.module.css';

/** Languages that many movies are in, or have subtitles in. Those of the browser are added. */
const LANGUAGES =
  'en de fr es it pt pt-BR nl sv da nb fi is pl cs sk hu ro bg el tr ru uk sr hr sl lt lv et he ar fa hi bn ta te th vi id ms zh-Hans zh-Hant ja ko ca eu gl ka'.split(
    ' ',
  );

const SUBTITLES = [
  ['foreign', 'for foreign sound'],
  ['always', 'always'],
  ['forced', 'for foreign lines only'],
  ['off', 'never'],
] as const;

const SKIPS = [
  ['offer', 'offer a button'],
  ['skip', 'skip by itself'],
  ['nothing', 'do nothing'],
] as const;

const HEIGHTS = [
  ['', 'any size'],
  ['2160', '4K'],
  ['1440', '1440p'],
  ['1080', '1080p'],
  ['720', '720p'],
  ['480', '480p'],
  ['360', '360p'],
] as const;

const BITRATES = [
  ['', 'any bit rate'],
  ['40000000', '40 Mbit/s'],
  ['20000000', '20 Mbit/s'],
  ['12000000', '12 Mbit/s'],
  ['8000000', '8 Mbit/s'],
  ['4000000', '4 Mbit/s'],
  ['2000000', '2 Mbit/s'],
  ['1000000', '1 Mbit/s'],
] as const;

/** What is set, also where it is none of the usual. */
function withCurrent(
  options: readonly (readonly [string, string])[],
  value: number | null,
  name: (value: number) => string,
): readonly (readonly [string, string])[] {
  if (value === null || options.some(([option]) => option === String(value))) return options;
  return [...options, [String(value), name(value)]];
}

const nameOf = (tag: string): string => languageName(tag) ?? tag;

interface SwitchProps {
  readonly label: string;
  readonly hint?: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
}

function Switch({ label, hint, isOn, onChange }: SwitchProps) {
  return (
    <label class={own.switch}>
      <input
        type="checkbox"
        role="switch"
        aria-checked={isOn}
        checked={isOn}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        {label}
        {hint !== undefined && <small>{hint}</small>}
      </span>
    </label>
  );
}

interface PartProps {
  readonly preferences: PlaybackPreferences;
  readonly change: (changes: PreferenceChanges) => void;
}

function Languages({ preferences, change }: PartProps) {
  const { spokenLanguages } = preferences;
  const shown = spokenLanguages ?? navigator.languages.slice(0, 16);
  const others = [...new Set([...navigator.languages, ...LANGUAGES])]
    .filter((tag) => !shown.includes(tag))
    .map((tag) => [tag, nameOf(tag)] as const)
    .toSorted(([, a], [, b]) => a.localeCompare(b));
  const set = (languages: readonly string[]): void => change({ spokenLanguages: [...languages] });
  return (
    <section class={styles.block} aria-labelledby="languages-title">
      <div class={styles.head}>
        <h2 id="languages-title">Languages you understand</h2>
        {spokenLanguages !== null && (
          <Button
            look="quiet"
            icon={<RotateCcw aria-hidden="true" />}
            onClick={() => change({ spokenLanguages: null })}
          >
            As the browser says
          </Button>
        )}
      </div>
      <p class={styles.note}>
        {spokenLanguages === null
          ? 'These are the languages of this browser. Change them here, and they count on all your devices.'
          : 'The best first. Sound and subtitles are chosen by them on all your devices.'}
      </p>
      <ol class={playback.languages}>
        {shown.map((tag, at) => (
          <li key={tag}>
            <span dir="auto">{nameOf(tag)}</span>
            {at > 0 && (
              <IconButton
                label={`${nameOf(tag)} before ${nameOf(shown[at - 1]!)}`}
                onClick={() => set([...shown.slice(0, at - 1), tag, shown[at - 1]!, ...shown.slice(at + 1)])}
              >
                <ArrowUp aria-hidden="true" />
              </IconButton>
            )}
            <IconButton label={`Without ${nameOf(tag)}`} onClick={() => set(shown.filter((one) => one !== tag))}>
              <X aria-hidden="true" />
            </IconButton>
          </li>
        ))}
      </ol>
      {shown.length < 16 && (
        <Choice
          label="Add"
          value=""
          options={[['', 'a language'], ...others]}
          onValue={(tag) => tag !== '' && set([...shown, tag])}
        />
      )}
    </section>
  );
}

function Sound({ preferences, change }: PartProps) {
  return (
    <section class={styles.block} aria-labelledby="sound-title">
      <div class={styles.head}>
        <h2 id="sound-title">Sound and subtitles</h2>
      </div>
      <div class={playback.stack}>
        <Switch
          label="The original sound first"
          hint="The language in which a movie was made, before those that you understand."
          isOn={preferences.prefersOriginalAudio}
          onChange={(prefersOriginalAudio) => change({ prefersOriginalAudio })}
        />
        <Switch
          label="Audio description"
          hint="Sound that also tells what is to be seen, where a movie has it."
          isOn={preferences.prefersAudioDescription}
          onChange={(prefersAudioDescription) => change({ prefersAudioDescription })}
        />
        <Switch
          label="Subtitles for the hard of hearing"
          hint="Of two in one language the one that also tells noises and music."
          isOn={preferences.prefersHearingImpaired}
          onChange={(prefersHearingImpaired) => change({ prefersHearingImpaired })}
        />
      </div>
      <div class={own.choices}>
        <Choice
          label="Show subtitles"
          value={preferences.subtitleMode}
          options={SUBTITLES}
          onValue={(subtitleMode) => change({ subtitleMode })}
        />
      </div>
      <p class={playback.more}>
        What you choose while a movie plays is remembered for that movie. How subtitles look is set in the player.
      </p>
    </section>
  );
}

function Picture({ preferences, change }: PartProps) {
  const { maxHeightPx, maxBitrateBps } = preferences;
  const numberOf = (text: string): number | null => (text === '' ? null : Number(text));
  return (
    <section class={styles.block} aria-labelledby="picture-title">
      <div class={styles.head}>
        <h2 id="picture-title">Picture</h2>
      </div>
      <div class={own.choices}>
        <Choice
          label="At most"
          value={maxHeightPx === null ? '' : String(maxHeightPx)}
          options={withCurrent(HEIGHTS, maxHeightPx, (value) => resolutionName(value) ?? `${value}p`)}
          onValue={(text) => change({ maxHeightPx: numberOf(text) })}
        />
        <Choice
          label="and at most"
          value={maxBitrateBps === null ? '' : String(maxBitrateBps)}
          options={withCurrent(BITRATES, maxBitrateBps, (value) => `${value / 1e6} Mbit/s`)}
          onValue={(text) => change({ maxBitrateBps: numberOf(text) })}
        />
      </div>
      <p class={playback.more}>
        Larger movies are made smaller for you on every device. A weak line needs no limit: the picture follows it by
        itself.
      </p>
    </section>
  );
}

function Going({ preferences, change }: PartProps) {
  const { skips } = preferences;
  return (
    <section class={styles.block} aria-labelledby="going-title">
      <div class={styles.head}>
        <h2 id="going-title">Going on</h2>
      </div>
      <div class={playback.stack}>
        <Switch
          label="Play the next movie of a collection"
          hint="After a countdown that you can stop."
          isOn={preferences.playsNext}
          onChange={(playsNext) => change({ playsNext })}
        />
      </div>
      <div class={own.choices}>
        {(['intro', 'recap', 'credits'] as const).map((kind) => (
          <Choice
            key={kind}
            label={{ intro: 'At the intro', recap: 'At a recap', credits: 'At the credits' }[kind]}
            value={skips[kind]}
            options={SKIPS}
            onValue={(mode) => change({ skips: { ...skips, [kind]: mode } })}
          />
        ))}
      </div>
    </section>
  );
}

/** `HEVC, 4K, 10 bit with E-AC-3 in Matroska`. */
function formText({ form }: PlaybackLesson): string {
  if (form.subtitles !== undefined) return form.subtitles === 'pictures' ? 'Subtitles as pictures' : 'Styled subtitles';
  const picture =
    form.videoCodec === null
      ? null
      : [
          codecName(form.videoCodec),
          form.videoBoxPx === null ? null : resolutionName(form.videoBoxPx),
          form.videoBitDepth === null || form.videoBitDepth === 8 ? null : `${form.videoBitDepth} bit`,
        ]
          .filter((part) => part !== null)
          .join(', ');
  const sound = form.audioCodec === null ? null : codecName(form.audioCodec);
  const streams = [picture, sound].filter((part) => part !== null).join(' with ');
  return form.method === 'directPlay' ? `${streams} in ${containerName(form.container)}` : streams;
}

function Lessons() {
  const cinema = useCinema();
  const wishes = wishesOf(cinema);
  const { server } = cinema;
  const { notices } = useLobby();
  const attempt = useAttempt();
  const here = deviceLessons();
  const lessons = wishes.lessons.value;
  const forget = (lesson: PlaybackLesson | null): void =>
    void attempt(async () => {
      const forgotten = await wishes.forget(lesson?.id ?? null);
      if (lesson === null) here.forget();
      else if (lesson.deviceId === here.deviceId) here.forgetForm(lesson.form);
      notices.show(`${counted(forgotten, 'thing')} will be tried again.`);
    });
  return (
    <section class={styles.block} aria-labelledby="lessons-title">
      <div class={styles.head}>
        <h2 id="lessons-title">What did not play</h2>
        {lessons.length > 1 && <Button onClick={() => forget(null)}>Forget all</Button>}
      </div>
      {lessons.length === 0 ? (
        <p class={styles.note}>
          When a device fails to play something as it is, it plays another way, and that is remembered here. So far
          nothing has.
        </p>
      ) : (
        <ul class={styles.rows}>
          {lessons.map((lesson) => (
            <li key={lesson.id} class={styles.row}>
              <div class={styles.rowTop}>
                <div>
                  <span class={styles.name} dir="auto">
                    {formText(lesson)}
                    {lesson.deviceId === here.deviceId && <span class={styles.tag}>Here</span>}
                  </span>
                  <p class={styles.facts}>
                    {lesson.form.subtitles === undefined ? methodName(lesson.form.method) : 'Drawing them'} failed on{' '}
                    {lesson.device} with {counted(lesson.fileIds.length, 'file')} ·{' '}
                    {timeAgo(lesson.learnedAt, server.now())} · until its browser ({lesson.browser}) is updated
                  </p>
                </div>
                <Button look="quiet" onClick={() => forget(lesson)}>
                  Try again
                </Button>
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

export function PlaybackSettings() {
  const wishes = wishesOf(useCinema());
  const attempt = useAttempt();
  const [refusals, setRefusals] = useState(0);
  if (!wishes.isKnown) return <Waiting />;
  const preferences = wishes.preferences.value;
  const change = (changes: PreferenceChanges): void =>
    void attempt(() => wishes.change(changes)).then((isDone) => {
      // A switch that the browser has moved already is drawn anew.
      if (!isDone) setRefusals((count) => count + 1);
    });
  return (
    <div key={refusals}>
      <Languages preferences={preferences} change={change} />
      <Sound preferences={preferences} change={change} />
      <Picture preferences={preferences} change={change} />
      <Going preferences={preferences} change={change} />
      <Lessons />
    </div>
  );
}
