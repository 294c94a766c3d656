import { Settings2 } from 'lucide-preact';
import type { Signal } from '@preact/signals';
import { SPEEDS } from '#client/player/key-map.ts';
import type { PlayerCommand } from '#client/player/key-map.ts';
import type { Player } from '#client/player/player.ts';
import type { QualityChoice } from '#client/player/player-state.ts';
import { SLEEP_MINUTES } from '#client/player/sleep-timer.ts';
import type { SleepChoice } from '#client/player/sleep-timer.ts';
import { withKey } from '../../key-hints.ts';
import { bitrate } from '../../wording.ts';
import { ChoiceMenu } from '../../parts/choice-menu.tsx';
import type { Action, Group } from '../../parts/choice-menu.tsx';
import { variantName } from './variant-words.ts';

/** What a movie that comes in one form only can be brought down to, where it is larger. */
const LIMITS_BPS = [20_000_000, 10_000_000, 6_000_000, 4_000_000, 2_000_000, 1_000_000, 500_000] as const;

const qualityValue = (choice: QualityChoice): string =>
  choice.kind === 'auto' ? 'auto' : choice.kind === 'variant' ? `v${choice.index}` : `l${choice.maxBitrateBps}`;

function qualityGroup(player: Player): Group | null {
  const variants = player.variants.value;
  const playback = player.playback.value;
  const sourceBps = playback?.source.bitrateBps ?? null;
  const now = player.variant.value;
  const choice = player.quality.value;
  const isLimited = choice.kind === 'limit';
  const limits = LIMITS_BPS.filter((bps) => sourceBps === null || bps < sourceBps);
  const options: (readonly [string, string])[] =
    variants.length > 0 && !isLimited
      ? variants.toReversed().map((variant) => [`v${variant.index}`, variantName(variant, playback)] as const)
      : limits.map((bps) => [`l${bps}`, `Up to ${bitrate(bps)}`] as const);
  if (options.length === 0) return null;
  const auto = now === null || choice.kind !== 'auto' ? 'Automatic' : `Automatic: ${variantName(now, playback)}`;
  return {
    title: 'Quality',
    value: qualityValue(choice),
    options: [['auto', variants.length > 0 || isLimited ? auto : 'As it is'], ...options],
    onValue: (value) =>
      player.chooseQuality(
        value === 'auto'
          ? { kind: 'auto' }
          : value.startsWith('v')
            ? { kind: 'variant', index: Number(value.slice(1)) }
            : { kind: 'limit', maxBitrateBps: Number(value.slice(1)) },
      ),
  };
}

const sleepValue = (choice: SleepChoice | null): string =>
  choice === null ? 'off' : choice.kind === 'after' ? String(choice.minutes) : choice.kind;

function sleepGroup(player: Player): Group {
  const hasChapters = (player.playback.value?.chapters.length ?? 0) > 1;
  const leftMs = player.sleep.leftMs.value;
  const choice = player.sleep.choice.value;
  const left = choice?.kind === 'after' && leftMs !== null ? ` · ${Math.ceil(leftMs / 60_000)} min left` : '';
  return {
    title: 'Sleep timer',
    value: sleepValue(choice),
    options: [
      ['off', 'Off'],
      ...SLEEP_MINUTES.map(
        (minutes) =>
          [
            String(minutes),
            `${minutes} minutes${choice?.kind === 'after' && choice.minutes === minutes ? left : ''}`,
          ] as const,
      ),
      ...(hasChapters ? [['chapter', 'End of the chapter'] as const] : []),
      ['end', 'End of the movie'] as const,
    ],
    onValue: (value) =>
      player.sleep.choose(
        value === 'off'
          ? null
          : value === 'chapter' || value === 'end'
            ? { kind: value }
            : { kind: 'after', minutes: Number(value) },
      ),
  };
}

interface Props {
  readonly player: Player;
  readonly isHeld: Signal<boolean>;
  readonly obey: (command: PlayerCommand) => void;
  readonly actions: readonly Action[];
}

/** Quality, speed, sleep timer, repeating a part, and what has no button of its own. */
export function SettingsMenu({ player, isHeld, obey, actions }: Props) {
  const rate = player.rate.value;
  const marks = player.loop.marks.value;
  const quality = qualityGroup(player);
  return (
    <ChoiceMenu
      label="Settings"
      icon={<Settings2 aria-hidden="true" />}
      isPaged
      isOn={rate !== 1 || player.sleep.choice.value !== null || marks !== null}
      isHeld={isHeld}
      groups={[
        ...(quality === null ? [] : [quality]),
        {
          title: 'Speed',
          value: String(rate),
          options: SPEEDS.map((speed) => [String(speed), speed === 1 ? 'Normal' : `${speed}×`] as const),
          onValue: (value) => player.setRate(Number(value)),
        },
        sleepGroup(player),
      ]}
      actions={[
        {
          text: withKey(
            marks === null ? 'Repeat a part from here' : marks.endMs === null ? 'Repeat up to here' : 'Stop repeating',
            'B',
          ),
          onDo: () => obey({ kind: 'markLoop' }),
        },
        ...actions,
      ]}
    />
  );
}
