import { Check, Copy, FlaskConical, Minus } from 'lucide-preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { HardwareStore } from '#client/store/hardware.ts';
import type { Hardware } from '#client/store/hardware.ts';
import { jobsOf } from '#client/store/jobs.ts';
import type { HardwareTest } from '#protocol/schema/hardware.ts';
import { failureText } from '../../../failure-text.ts';
import { useAttempt, useCinema, useLobby } from '../../../house.ts';
import { Button } from '../../../parts/button.tsx';
import { ProgressBar, shareOf } from '../../../parts/progress-bar.tsx';
import { Waiting } from '../../../parts/state-page.tsx';
import { counted, timeAgo } from '../../../wording.ts';
import shared from '../settings.module.css';
import {
  CODEC_LINES,
  FILTER_LINES,
  KIND_NAMES,
  VERDICT_NAMES,
  hardwareReport,
  verdictSentence,
} from './hardware-text.ts';
import styles from './hardware.module.css';

type Rows = Hardware['software'];
const NUMBER = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

function Cell({ rows, test }: { readonly rows: Rows; readonly test: HardwareTest | null }) {
  const row = rows.find((one) => one.test === test);
  if (!row) {
    return (
      <td class={styles.none}>
        <Minus aria-label="Not tested" />
      </td>
    );
  }
  if (row.verdict === 'works') {
    return (
      <td class={styles.works}>
        <Check aria-label="Works" />{' '}
        {row.msPerFrame !== null && <span class={styles.time}>{NUMBER.format(row.msPerFrame)} ms</span>}
      </td>
    );
  }
  return (
    <td class={styles.no}>
      {VERDICT_NAMES[row.verdict]}
      {row.msPerFrame !== null && <span class={styles.time}> {NUMBER.format(row.msPerFrame)} ms</span>}
      {row.detail !== null && <span class={styles.detail}>{row.detail}</span>}
    </td>
  );
}

function Matrix({ name, rows }: { readonly name: string; readonly rows: Rows }) {
  return (
    <div class={styles.tables}>
      <table class={styles.table}>
        <caption class={styles.caption}>{name}: codecs</caption>
        <thead>
          <tr>
            <th scope="col">Codec</th>
            <th scope="col">Decode</th>
            <th scope="col">Encode</th>
          </tr>
        </thead>
        <tbody>
          {CODEC_LINES.map((line) => (
            <tr key={line.name}>
              <th scope="row">{line.name}</th>
              <Cell rows={rows} test={line.decode} />
              <Cell rows={rows} test={line.encode} />
            </tr>
          ))}
        </tbody>
      </table>
      <table class={styles.table}>
        <caption class={styles.caption}>{name}: filters</caption>
        <thead>
          <tr>
            <th scope="col">Filter</th>
            <th scope="col">Result</th>
          </tr>
        </thead>
        <tbody>
          {FILTER_LINES.map((line) => (
            <tr key={line.name}>
              <th scope="row">{line.name}</th>
              <Cell rows={rows} test={line.test} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Card({ card, isUsed }: { readonly card: Hardware['cards'][number]; readonly isUsed: boolean }) {
  const facts = [
    card.deviceName,
    card.device,
    card.maxSessions === null ? null : `${counted(card.maxSessions, 'encoder')} at once`,
    card.failures > 0 ? `failed in ${counted(card.failures, 'playback')} since the test` : null,
  ].filter((fact) => fact !== null && fact !== '');
  return (
    <li class={shared.row}>
      <div>
        <h3 class={shared.name}>
          {KIND_NAMES[card.kind]}
          {isUsed && <span class={shared.tag}>In use</span>}
        </h3>
        {facts.length > 0 && <p class={shared.facts}>{facts.join(' · ')}</p>}
        {card.verdict !== 'works' && <p class={styles.reason}>{verdictSentence(card)}</p>}
      </div>
      {card.rows.length > 0 && <Matrix name={KIND_NAMES[card.kind]} rows={card.rows} />}
    </li>
  );
}

function Report({ text }: { readonly text: string }) {
  const { notices } = useLobby();
  const area = useRef<HTMLTextAreaElement>(null);
  const [isShown, setShown] = useState(false);
  const copy = async (): Promise<void> => {
    const isDone = await (navigator.clipboard as Clipboard | undefined)?.writeText(text).then(
      () => true,
      () => false,
    );
    if (isDone === true) notices.show('The report is copied.');
    else setShown(true); // browsers have a clipboard on https and on this machine only
  };
  useEffect(() => {
    if (isShown) area.current?.select();
  }, [isShown]);
  return (
    <>
      <Button icon={<Copy aria-hidden="true" />} onClick={() => void copy()}>
        Copy a report
      </Button>
      {isShown && (
        <textarea ref={area} class={styles.report} readOnly rows={12} aria-label="Report to copy" value={text} />
      )}
    </>
  );
}

export function HardwareSettings() {
  const cinema = useCinema();
  const { session } = useLobby();
  const attempt = useAttempt();
  const store = useMemo(() => new HardwareStore(cinema.server, jobsOf(cinema)), [cinema]);
  useEffect(() => () => store.dispose(), [store]);
  const state = store.state.value;
  const running = store.running.value;
  const failure = store.failure.value;
  if (failure !== null) return <p class={shared.bad}>{failureText(failure)}</p>;
  if (state === null) return <Waiting />;
  const isTesting = running !== null || state.jobId !== null;
  const used = state.cards.find(({ kind }) => kind === state.used);
  // What is there comes first, what was never possible last.
  const order = state.cards.toSorted((a, b) => rank(a) - rank(b));
  return (
    <section class={shared.block} aria-labelledby="hardware-title">
      <div class={shared.head}>
        <h2 id="hardware-title">Hardware</h2>
        <Button
          icon={<FlaskConical aria-hidden="true" />}
          isBusy={isTesting}
          disabled={state.setting === 'off'}
          onClick={() => void attempt(() => store.test())}
        >
          {isTesting ? 'Testing' : 'Test again'}
        </Button>
      </div>
      <p class={shared.note} role="status">
        {used === undefined
          ? 'Movies are decoded and encoded by the processor.'
          : `Movies are decoded and encoded by ${KIND_NAMES[used.kind]}, as far as it was proven to.`}{' '}
        {state.sessions > 0 && `${counted(state.sessions, 'encoder')} at work. `}
        {state.setting === 'off' && 'Hardware is switched off by the setting “hardware”. '}
        {state.setting !== 'off' && state.setting !== 'auto' && `The setting “hardware” says ${state.setting}. `}
        {state.testedAt !== null && `Tested ${timeAgo(state.testedAt, cinema.server.now())}.`}
      </p>
      {running !== null && (
        <ProgressBar
          label="Test of the hardware"
          share={shareOf(running.done, running.total)}
          text={running.note ?? 'Starting'}
        />
      )}
      <ul class={shared.rows}>
        {order.map((card) => (
          <Card key={card.kind} card={card} isUsed={card.kind === state.used} />
        ))}
        {state.software.length > 0 && (
          <li class={shared.row}>
            <div>
              <h3 class={shared.name}>The processor</h3>
              <p class={shared.facts}>The same work without hardware, to compare. Times are for one picture of 720p.</p>
            </div>
            <Matrix name="The processor" rows={state.software} />
          </li>
        )}
      </ul>
      <div class={styles.foot}>
        <Report text={hardwareReport(state, session.serverVersion.value ?? '')} />
      </div>
    </section>
  );
}

function rank({ verdict, rows }: Hardware['cards'][number]): number {
  if (rows.length > 0) return 0;
  return verdict === 'noDevice' || verdict === 'notThisSystem' || verdict === 'notTried' ? 2 : 1;
}
