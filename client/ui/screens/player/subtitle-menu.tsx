import { Captions as CaptionsIcon } from 'lucide-preact';
import type { Signal } from '@preact/signals';
import type { Player } from '#client/player/player.ts';
import { trackLabel } from '../../wording.ts';
import { withKey } from '../../key-hints.ts';
import { ChoiceMenu } from '../../parts/choice-menu.tsx';

const SOURCES = { embedded: null, sidecar: 'file beside the movie', uploaded: 'handed in' } as const;

interface Props {
  readonly player: Player;
  readonly isHeld: Signal<boolean>;
  /** Opens what stands beside the picture: timing, style, a file of one's own. */
  readonly onSettings: () => void;
}

/** Which subtitles show, and the way to their timing, their style, and a file of one's own. */
export function SubtitleMenu({ player, isHeld, onSettings }: Props) {
  const subtitles = player.playback.value?.subtitleTracks ?? [];
  return (
    <ChoiceMenu
      label={withKey('Subtitles', 'C')}
      icon={<CaptionsIcon aria-hidden="true" />}
      isOn={player.tracks.captionTrack.value !== null}
      isHeld={isHeld}
      groups={[
        {
          title: 'Subtitles',
          value: String(player.tracks.captionTrack.value),
          options: [
            ['null', 'Off'],
            ...subtitles.map((track) => {
              const from = SOURCES[track.source];
              const problem = track.problem === null ? undefined : `${track.codec}: can’t be shown here`;
              const label = trackLabel(track);
              return [track.id, from === null ? label : `${label} · ${from}`, problem] as const;
            }),
          ],
          onValue: (value) => player.tracks.chooseCaptions(value === 'null' ? null : value),
        },
      ]}
      actions={[{ text: 'Timing, style, add a file…', onDo: onSettings }]}
    />
  );
}
