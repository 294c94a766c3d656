import { Trash2 } from 'lucide-preact';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { subtitles as calls } from '#protocol/methods/subtitles.ts';
import type { UploadedSubtitle } from '#protocol/schema/subtitle.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { IconButton } from '../../parts/button.tsx';
import { SubtitleUpload } from '../../parts/subtitle-upload.tsx';
import { fileSize, languageName } from '../../wording.ts';
import styles from './files.module.css';

interface Props {
  readonly movieId: string;
  readonly fileId: string;
}

/** Subtitles that people handed in for one file, and the way to hand in more. Asked for when the file's details are opened. */
export function SubtitleFiles({ movieId, fileId }: Props) {
  const { server } = useCinema();
  const attempt = useAttempt();
  const list = useSignal<readonly UploadedSubtitle[]>([]);
  const load = async (): Promise<void> => {
    const { subtitles } = await server.call(calls.list, { movieId });
    list.value = subtitles.filter((subtitle) => subtitle.fileId === fileId);
  };
  useEffect(() => void attempt(load), []);
  const remove = (subtitle: UploadedSubtitle): void => {
    void attempt(async () => {
      await server.call(calls.remove, { subtitleId: subtitle.id });
      await load();
    }, `${subtitle.name} was removed.`);
  };
  return (
    <div>
      <ul class={styles.handedIn}>
        {list.value.map((subtitle) => (
          <li key={subtitle.id}>
            <span dir="auto">
              {[
                languageName(subtitle.language) ?? 'Unknown language',
                subtitle.name,
                fileSize(subtitle.sizeBytes),
                subtitle.uploadedBy === null ? null : `from ${subtitle.uploadedBy}`,
              ]
                .filter((part) => part !== null)
                .join(' · ')}
            </span>
            {subtitle.isMine && (
              <IconButton label={`Remove ${subtitle.name}`} onClick={() => remove(subtitle)}>
                <Trash2 aria-hidden="true" />
              </IconButton>
            )}
          </li>
        ))}
      </ul>
      <SubtitleUpload fileId={fileId} onDone={() => void attempt(load)} />
    </div>
  );
}
