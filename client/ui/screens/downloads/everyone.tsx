import { ChevronDown, Trash2 } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import type { DownloadsStore, EveryonesDownloads as All } from '#client/store/downloads.ts';
import { isFailure } from '#protocol/errors.ts';
import { downloadFacts, downloadTitle, stateLine } from '../../download-words.ts';
import { failureText } from '../../failure-text.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { Button, IconButton } from '../../parts/button.tsx';
import { Waiting } from '../../parts/state-page.tsx';
import { fileSize } from '../../wording.ts';
import styles from './everyone.module.css';

/** What all people have had prepared, for who runs the server: looked up when it is opened, and again when one's own list changes. */
export function EveryonesDownloads({ store }: { readonly store: DownloadsStore }) {
  const { server } = useCinema();
  const attempt = useAttempt();
  const [isOpen, setOpen] = useState(false);
  const [all, setAll] = useState<All | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [looks, setLooks] = useState(0);
  const own = store.downloads.value?.map(({ id, state }) => `${id} ${state}`).join();

  useEffect(() => {
    if (!isOpen) return;
    let isCurrent = true;
    store.everyones().then(
      (found) => {
        if (!isCurrent) return;
        setAll(found);
        setProblem(null);
      },
      (error: unknown) => {
        if (!isFailure(error)) throw error;
        if (isCurrent) setProblem(failureText(error));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [store, isOpen, looks, own]);

  return (
    <section class={styles.everyone} aria-label="Everyone’s downloads" data-spatial>
      <Button
        look="quiet"
        aria-expanded={isOpen}
        icon={<ChevronDown class={styles.chevron} aria-hidden="true" />}
        onClick={() => setOpen(!isOpen)}
      >
        Everyone’s downloads
      </Button>
      {isOpen && problem !== null && (
        <div role="alert">
          <p class={styles.problem}>{problem}</p>
          <Button onClick={() => setLooks(looks + 1)}>Try again</Button>
        </div>
      )}
      {isOpen && problem === null && all === null && <Waiting />}
      {isOpen && problem === null && all !== null && (
        <>
          <p class={styles.sum}>
            {all.limitBytes === 0
              ? 'This server prepares no copies.'
              : `All copies together take ${fileSize(all.usedBytes)} of ${fileSize(all.limitBytes)}.`}{' '}
            {all.downloads.length === 0 && 'Nobody has any downloads.'}
          </p>
          <ul>
            {all.downloads.map((download) => (
              <li key={download.id}>
                <div>
                  <p>
                    <strong dir="auto">{download.title}</strong>{' '}
                    <span dir="auto">for {download.person ?? 'nobody'}</span>
                  </p>
                  <p class={styles.facts}>{downloadFacts(download).join(' · ')}</p>
                  <p class={styles.facts}>{stateLine(download, server.now())}</p>
                </div>
                <IconButton
                  label={`Remove ${downloadTitle(download)} of ${download.person ?? 'nobody'}`}
                  onClick={() =>
                    void attempt(
                      () => store.drop(download.id),
                      `“${downloadTitle(download)}” is removed from the server.`,
                    ).then(() => setLooks((count) => count + 1))
                  }
                >
                  <Trash2 aria-hidden="true" />
                </IconButton>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
