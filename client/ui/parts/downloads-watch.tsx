/** What the rest of the client tells of downloads: a notice when one is ready, and a mark at the way to them. */
import { useEffect } from 'preact/hooks';
import { downloadsOf, isUnderWay } from '#client/store/downloads.ts';
import { downloadTitle } from '../download-words.ts';
import { useDownloading } from '../downloading.ts';
import { useCinema, useLobby } from '../house.ts';
import { counted } from '../wording.ts';

/** Draws nothing: says by a notice what became of a copy while the person is elsewhere. */
export function DownloadsWatch() {
  const { store, save } = useDownloading();
  const { navigation, notices } = useLobby();
  useEffect(
    () =>
      store?.onChange((download, before) => {
        if (before === undefined || !isUnderWay(before) || navigation.route.peek().screen === 'downloads') return;
        const title = `“${downloadTitle(download)}”`;
        const all = { label: 'Downloads', run: () => navigation.go({ screen: 'downloads' }) };
        if (download.state === 'ready') {
          notices.show(`${title} is ready to be saved.`, 'plain', [
            { label: 'Save', run: () => void save(download) },
            all,
          ]);
        } else if (download.state === 'failed') {
          notices.show(`${title} could not be prepared.`, 'bad', [all]);
        }
      }),
    [store],
  );
  return null;
}

function useMark(): { readonly tone: 'good' | 'busy'; readonly words: string } | null {
  const store = downloadsOf(useCinema());
  const ready = store?.fresh.value.size ?? 0;
  if (ready > 0) return { tone: 'good', words: `${counted(ready, 'download')} ready` };
  const underWay = store?.downloads.value?.filter(isUnderWay).length ?? 0;
  return underWay === 0 ? null : { tone: 'busy', words: `${counted(underWay, 'download')} on the way` };
}

export function DownloadsDot({ class: look }: { readonly class: string | undefined }) {
  const mark = useMark();
  return mark && <span class={look} data-tone={mark.tone} />;
}

/** The same for ears. */
export function DownloadsWords() {
  const mark = useMark();
  return mark && <span class="unseen">, {mark.words}</span>;
}
