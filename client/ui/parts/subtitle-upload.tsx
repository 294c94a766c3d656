import { Upload } from 'lucide-preact';
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { UploadRefused, uploadSubtitle } from '#client/store/subtitle-upload.ts';
import type { UploadedSubtitle } from '#protocol/schema/subtitle.ts';
import { useLobby } from '../house.ts';
import { languageName } from '../wording.ts';
import { Button } from './button.tsx';
import styles from './subtitle-upload.module.css';

const ACCEPTED = '.srt,.vtt,.ass,.ssa,.sub,.idx,.sup,text/plain';
/** Languages that files of subtitles are in most. */
const LANGUAGES: readonly string[] =
  'ar bg bn ca cs da de el en es et fa fi fr he hi hr hu id is it ja ko lt lv mk ms nb nl pl pt pt-BR ro ru sk sl sq sr sv ta te th tr uk ur vi zh zh-Hant'.split(
    ' ',
  );

interface Props {
  /** `null`: there is none yet. */
  readonly fileId: string | null;
  readonly onDone: (subtitle: UploadedSubtitle) => void;
}

/** Handing in a file of subtitles for a movie's file. What the server does not take is said in its words. */
export function SubtitleUpload({ fileId, onDone }: Props) {
  const { notices } = useLobby();
  const input = useRef<HTMLInputElement>(null);
  const isBusy = useSignal(false);
  const language = useSignal(LANGUAGES.find((tag) => tag === navigator.language.split('-')[0]) ?? '');
  const send = async (files: readonly File[]): Promise<void> => {
    if (fileId === null || files.length === 0) return;
    isBusy.value = true;
    try {
      onDone(await uploadSubtitle({ fileId, files, language: language.peek() || null }));
    } catch (error) {
      if (!(error instanceof UploadRefused)) throw error;
      notices.show(error.message, 'bad');
    } finally {
      isBusy.value = false;
    }
  };
  return (
    <div class={styles.upload}>
      <p>
        SubRip, WebVTT, ASS, MicroDVD (5 MB at most), PGS as .sup, VobSub as .idx with .sub (50 MB). Everyone who may
        watch this movie sees them.
      </p>
      <label>
        <span>Language</span>
        <select
          value={language.value}
          aria-label="Language"
          onChange={(event) => {
            language.value = event.currentTarget.value;
          }}
        >
          <option value="">Not said</option>
          {LANGUAGES.map((tag) => (
            <option key={tag} value={tag}>
              {languageName(tag)}
            </option>
          ))}
        </select>
      </label>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept={ACCEPTED}
        aria-label="File of subtitles"
        onChange={(event) => {
          const field = event.currentTarget;
          // The same file may be chosen again after it was put right.
          void send([...(field.files ?? [])]).finally(() => {
            field.value = '';
          });
        }}
      />
      <Button icon={<Upload aria-hidden="true" />} isBusy={isBusy.value} onClick={() => input.current?.click()}>
        Choose a file
      </Button>
    </div>
  );
}
