import { CircleSlash, Clock, Search, Sparkles } from 'lucide-preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import type { MatchCandidate, ReviewItem } from '#protocol/schema/match.ts';
import { MetadataSettingsStore } from '#client/store/metadata-settings.ts';
import { ALL_MOVIES } from '#client/store/navigation.ts';
import { ReviewStore } from '#client/store/review.ts';
import type { ReviewState } from '#client/store/review.ts';
import { failureText } from '../failure-text.ts';
import { useAttempt, useCinema, useLobby } from '../house.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Candidate } from '../parts/candidate.tsx';
import { CandidateSearch } from '../parts/candidate-search.tsx';
import { MoviePicture } from '../parts/picture.tsx';
import { StatePage } from '../parts/state-page.tsx';
import { TmdbKey } from '../parts/tmdb-key.tsx';
import { count, counted, spokenDuration } from '../wording.ts';
import styles from './review.module.css';

/** As many as there are keys that pick them at a glance. */
const SHOWN = 5;

interface CardProps {
  readonly item: ReviewItem;
  readonly store: ReviewStore;
  readonly onConfirm: () => void;
  readonly onLeaveOut: () => void;
  /** A search has an answer: said for who can't see it. */
  readonly onFound: (amount: number) => void;
  readonly isBusy: boolean;
  readonly isFirst: boolean;
}

function ReviewCard({ item, store, onConfirm, onLeaveOut, onFound, isBusy, isFirst }: CardProps) {
  const candidates = store.candidatesOf(item);
  const shown = candidates.slice(0, SHOWN);
  const picked = store.picks.value.get(item.movieId) ?? null;
  const [isSearching, setSearching] = useState(candidates.length === 0);
  const [problem, setProblem] = useState<string | null>(null);
  const [hasSearched, setSearched] = useState(false);
  const search = async (query: string, year: number | null): Promise<boolean | null> => {
    setProblem(null);
    try {
      await store.search(item.movieId, query, year);
      setSearched(true);
      const found = store.candidatesOf(item).length;
      onFound(found);
      return found > 0;
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
      return null;
    }
  };
  const pick = (candidate: MatchCandidate): void =>
    store.pick(item.movieId, candidate.tmdbId === picked ? null : candidate.tmdbId);

  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- shortcuts for what its buttons do too
    <section
      class={styles.card}
      // Not a landmark: there are as many of them as there are doubts.
      role="group"
      data-card={item.movieId}
      data-picked={picked !== null}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it takes the shortcuts, and arrow keys stop at it
      tabIndex={0}
      data-spatial-start={isFirst ? '' : undefined}
      aria-label={`${item.fileNames[0] ?? item.title}: ${item.match.state === 'doubtful' ? 'doubtful' : 'not recognised'}`}
      onKeyDown={(event) => {
        if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
        const number = Number(event.key);
        const at = shown.findIndex(({ tmdbId }) => tmdbId === picked);
        const move = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
        if (Number.isInteger(number) && number >= 1 && number <= shown.length) {
          event.preventDefault();
          store.pick(item.movieId, shown[number - 1]!.tmdbId);
        } else if (move !== 0 && shown.length > 0) {
          event.preventDefault();
          const to = at < 0 ? (move > 0 ? 0 : shown.length - 1) : (at + move + shown.length) % shown.length;
          store.pick(item.movieId, shown[to]!.tmdbId);
        } else if (event.key === 'Enter' && picked !== null && !meansItself(event.target)) {
          event.preventDefault();
          onConfirm();
        } else if (event.key === 's') {
          event.preventDefault();
          setSearching(true);
        }
      }}
    >
      <div class={styles.file}>
        <span class={styles.frame}>
          <MoviePicture
            movie={{ id: item.movieId, title: item.title, year: item.year, picture: item.picture }}
            sizes="16rem"
          />
        </span>
        <div class={styles.fileWords}>
          <span class={styles.state} data-state={item.match.state}>
            {item.match.state === 'doubtful' ? 'Doubtful' : 'Not recognised'}
          </span>
          <h2 dir="auto">
            {item.title} {item.year !== null && <span>{item.year}</span>}
          </h2>
          {item.fileNames.slice(0, 3).map((name) => (
            <p key={name} class={styles.fileName} dir="auto">
              {name}
            </p>
          ))}
          {item.fileNames.length > 3 && (
            <p class={styles.note}>and {counted(item.fileNames.length - 3, 'other file')}</p>
          )}
        </div>
        <div class={styles.actions}>
          <Button look="bright" disabled={picked === null} isBusy={isBusy} onClick={onConfirm}>
            Confirm
          </Button>
          <Button
            look="quiet"
            icon={<Search aria-hidden="true" />}
            aria-expanded={isSearching}
            onClick={() => setSearching(!isSearching)}
          >
            Search
          </Button>
          <Button look="quiet" icon={<CircleSlash aria-hidden="true" />} onClick={onLeaveOut}>
            None of these
          </Button>
        </div>
      </div>
      <div class={styles.choice}>
        {isSearching && <CandidateSearch title={item.title} year={item.year} onSearch={search} />}
        {problem !== null && (
          <p class={styles.problem} role="alert">
            {problem}
          </p>
        )}
        {shown.length === 0 && (
          <p class={styles.note}>
            {hasSearched
              ? 'TMDB knows nothing like that. Try other words, the original title, or its number.'
              : 'Nothing like it was found. Search for it by its title or number.'}
          </p>
        )}
        {shown.length > 0 && (
          <div class={styles.candidates} role="radiogroup" aria-label="What it may be">
            {shown.map((candidate, index) => (
              <Candidate
                key={candidate.tmdbId}
                candidate={candidate}
                number={index + 1}
                isPicked={candidate.tmdbId === picked}
                onPick={() => pick(candidate)}
              />
            ))}
          </div>
        )}
      </div>
    </section>
  );
}

/** Whether Enter has a meaning of its own there. On what is picked already it has none but to confirm it. */
const meansItself = (target: EventTarget | null): boolean =>
  target instanceof Element && target.matches('a, input, button:not([role=radio][aria-checked=true])');

/** What is typed there is text. */
const isTyping = (target: EventTarget | null): boolean =>
  target instanceof Element && target.matches('input, textarea, select');

const TABS: readonly (readonly [ReviewState, string])[] = [
  [null, 'All'],
  ['doubtful', 'Doubtful'],
  ['unmatched', 'Not recognised'],
];

function Placeholder() {
  return (
    <div class={styles.list} role="status">
      <span class="unseen">Loading</span>
      {Array.from({ length: 3 }, (_, index) => (
        <span key={index} class={styles.blank} aria-hidden="true" />
      ))}
    </div>
  );
}

/** Where a person says what Matinee could not tell: which movie a file is. */
export function ReviewScreen() {
  const cinema = useCinema();
  const { session, notices } = useLobby();
  const attempt = useAttempt();
  const [state, setState] = useState<ReviewState>(null);
  const store = useMemo(() => new ReviewStore(cinema.server, cinema.link, cinema.library, state), [cinema, state]);
  useEffect(() => () => store.dispose(), [store]);
  const isAdmin = session.may('server:manage');
  const settingsStore = useMemo(
    () => (isAdmin ? new MetadataSettingsStore(cinema.server, cinema.link) : null),
    [cinema, isAdmin],
  );
  useEffect(() => () => settingsStore?.dispose(), [settingsStore]);
  const [busy, setBusy] = useState<string | null>(null);
  const [said, setSaid] = useState('');
  const list = useRef<HTMLDivElement>(null);

  const items = store.items.value;
  const counts = store.counts.value;
  const picks = store.picks.value;
  const failure = store.failure.value;
  const settings = settingsStore?.settings.value ?? null;

  const cards = (): HTMLElement[] => [...(list.current?.querySelectorAll<HTMLElement>('[data-card]') ?? [])];
  const focusCard = (at: number): void => {
    const all = cards();
    const card = all[Math.max(0, Math.min(all.length - 1, at))];
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: 'nearest' });
  };

  // The keys that are advertised work from the beginning, unless the person is busy elsewhere.
  const hasItems = items !== null && items.length > 0;
  useEffect(() => {
    if (!hasItems) return;
    const active = document.activeElement;
    const isFree = active === null || active === document.body || active.matches('main, a[aria-current=page]');
    if (isFree && document.querySelector('dialog[open]') === null) cards()[0]?.focus({ preventScroll: true });
  }, [hasItems, state]);

  const latest = useRef(items);
  latest.current = items;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (list.current?.contains(document.activeElement) === true || document.querySelector('dialog[open]') !== null) {
        return;
      }
      const number = Number(event.key);
      if (!Number.isInteger(number) || number < 1 || number > SHOWN) return;
      // From anywhere else on the page a number means the first card in sight.
      const all = cards();
      const card = all.find((one) => one.getBoundingClientRect().bottom > innerHeight / 3) ?? all[0];
      const item = latest.current?.find(({ movieId }) => movieId === card?.dataset['card']);
      const candidate = item === undefined ? undefined : store.candidatesOf(item)[number - 1];
      if (card === undefined || item === undefined || candidate === undefined) return;
      event.preventDefault();
      card.focus({ preventScroll: true });
      card.scrollIntoView({ block: 'nearest' });
      store.pick(item.movieId, candidate.tmdbId);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [store]);

  // One voice for the whole screen: a card of its own for each would drown what just happened.
  const pickCount = picks.size;
  useEffect(() => {
    if (pickCount > 0) setSaid(`${counted(pickCount, 'movie')} picked`);
  }, [pickCount]);

  const confirm = async (item: ReviewItem): Promise<void> => {
    // Enter is held down longer than it takes.
    if (busy === item.movieId) return;
    const at = cards().findIndex(({ dataset }) => dataset['card'] === item.movieId);
    setBusy(item.movieId);
    const isDone = await attempt(() => store.confirm([item.movieId]));
    setBusy(null);
    // The next one takes its place.
    if (isDone) setTimeout(() => focusCard(at), 0);
  };
  const confirmAll = async (): Promise<void> => {
    setBusy('all');
    await attempt(async () => {
      const confirmed = await store.confirm();
      notices.show(`${counted(confirmed, 'movie')} confirmed.`);
    });
    setBusy(null);
  };
  const leaveOut = async (item: ReviewItem): Promise<void> => {
    const at = cards().findIndex(({ dataset }) => dataset['card'] === item.movieId);
    const isDone = await attempt(
      () => store.leaveOut(item.movieId),
      `“${item.title}” stays as its file is called, and is not asked about again.`,
    );
    if (isDone) setTimeout(() => focusCard(at), 0);
  };

  if (!session.may('movies:edit')) {
    return (
      <StatePage title="Not for this account">
        <p>Which movie a file is, is said by the people who run this server.</p>
      </StatePage>
    );
  }

  const isEmpty = items !== null && items.length === 0;
  const hasNoKey = settings !== null && (settings.state === 'noKey' || settings.state === 'badKey');

  return (
    <div class={styles.review}>
      <p class="unseen" role="status">
        {said}
      </p>
      <header class={styles.header} data-spatial>
        <h1>Review</h1>
        {counts !== null && counts.unmatched + counts.doubtful > 0 && (
          <div class={styles.tabs} role="tablist" aria-label="What to review">
            {TABS.map(([name, label]) => (
              <button
                key={label}
                type="button"
                role="tab"
                aria-selected={name === state}
                onClick={() => setState(name)}
              >
                {label}{' '}
                <span>
                  {count(
                    name === null
                      ? counts.unmatched + counts.doubtful
                      : name === 'doubtful'
                        ? counts.doubtful
                        : counts.unmatched,
                  )}
                </span>
              </button>
            ))}
          </div>
        )}
        {items !== null && items.length > 1 && (
          <Button icon={<Sparkles aria-hidden="true" />} onClick={() => store.pickLikeliest()}>
            {counts !== null && counts.total > items.length
              ? 'Pick the likeliest of these'
              : 'Pick the likeliest of all'}
          </Button>
        )}
      </header>

      {settings !== null && settings.state === 'away' && (
        <p class={styles.banner}>
          <Clock aria-hidden="true" />
          TMDB does not answer just now
          {settings.retryAt === null
            ? '. It is tried again by itself.'
            : `. It is tried again in ${spokenDuration(Math.max(1_000, settings.retryAt - cinema.server.now()))}.`}{' '}
          What was found before can still be confirmed later.
        </p>
      )}
      {hasNoKey && settingsStore !== null && (
        <section class={styles.key} aria-labelledby="key-title">
          <h2 id="key-title">
            {settings.state === 'badKey' ? 'TMDB refuses the key' : 'Matinee needs a key to recognise your movies'}
          </h2>
          <p>
            Titles, posters, cast and collections come from TMDB, which wants every server to have a key of its own.
            Until then everything plays, under the name of its file.
          </p>
          <TmdbKey store={settingsStore} onDone={() => store.retry()} />
        </section>
      )}

      {failure !== null && items === null && (
        <StatePage
          title="The list can’t be read"
          level="h2"
          actions={<Button onClick={() => store.retry()}>Try again</Button>}
        >
          <p>{failureText(failure)}</p>
        </StatePage>
      )}
      {failure === null && items === null && <Placeholder />}
      {isEmpty && !hasNoKey && (
        <StatePage
          title={state === null ? 'Everything is recognised' : 'Nothing of that kind'}
          level="h2"
          actions={
            <ButtonLink look="bright" to={{ screen: 'movies', query: ALL_MOVIES }}>
              To the movies
            </ButtonLink>
          }
        >
          <p>
            {settings !== null && settings.waiting > 0
              ? `${counted(settings.waiting, 'movie')} are still being looked for; what stays doubtful appears here.`
              : 'When a new file leaves a doubt, it appears here.'}
          </p>
        </StatePage>
      )}
      {items !== null && items.length > 0 && (
        <>
          <p class={styles.keys} aria-hidden="true">
            <kbd>↑</kbd>
            <kbd>↓</kbd> next movie <kbd>1</kbd>–<kbd>5</kbd> pick <kbd>Enter</kbd> confirm <kbd>s</kbd> search
          </p>
          {/* oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- arrow keys go from card to card, as Tab does */}
          <div
            class={styles.list}
            ref={list}
            data-spatial
            onKeyDown={(event) => {
              const move = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
              if (move === 0 || isTyping(event.target) || event.defaultPrevented) return;
              const all = cards();
              const at = all.findIndex((card) => card.contains(document.activeElement));
              // Above the first card there are the tabs.
              if (at + move < 0) return;
              event.preventDefault();
              focusCard(at + move);
            }}
          >
            {items.map((item, index) => (
              <ReviewCard
                key={item.movieId}
                isFirst={index === 0}
                item={item}
                store={store}
                isBusy={busy === item.movieId}
                onConfirm={() => void confirm(item)}
                onLeaveOut={() => void leaveOut(item)}
                onFound={(amount) => setSaid(amount === 0 ? 'TMDB knows nothing like that.' : `${amount} found`)}
              />
            ))}
            {counts !== null && items.length < counts.total && (
              <Button class={styles.more} onClick={() => void store.more()}>
                Show more of {counted(counts.total, 'movie')}
              </Button>
            )}
          </div>
        </>
      )}
      {picks.size > 0 && (
        <div class={styles.bar} data-spatial role="toolbar" aria-label="What was picked">
          <span>{counted(picks.size, 'movie')} picked</span>
          <Button look="bright" isBusy={busy === 'all'} onClick={() => void confirmAll()}>
            {picks.size === 1 ? 'Confirm it' : `Confirm all ${count(picks.size)}`}
          </Button>
        </div>
      )}
    </div>
  );
}
