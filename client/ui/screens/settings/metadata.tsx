import { CircleCheck, Clock, KeyRound, RefreshCw, TriangleAlert } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Matching } from '#client/store/matching.ts';
import { MetadataSettingsStore } from '#client/store/metadata-settings.ts';
import type { MetadataState } from '#client/store/metadata-settings.ts';
import { failureText } from '../../failure-text.ts';
import { useAttempt, useCinema } from '../../house.ts';
import { Button, ButtonLink } from '../../parts/button.tsx';
import { Question } from '../../parts/dialog.tsx';
import { Choice } from '../../parts/field.tsx';
import { Waiting } from '../../parts/state-page.tsx';
import { TmdbKey } from '../../parts/tmdb-key.tsx';
import { counted, spokenDuration } from '../../wording.ts';
import styles from './settings.module.css';
import own from './metadata.module.css';

/** Languages that TMDB has much in, by ISO 639-1, with a country where it matters. */
const LANGUAGES =
  'en de fr es es-MX it pt pt-BR nl sv da nb fi is pl cs sk hu ro bg el tr ru uk sr hr sl lt lv et he ar fa hi bn ta te th vi id ms zh-CN zh-TW ja ko ca eu gl ka'.split(
    ' ',
  );
const COUNTRIES =
  'US GB IE CA AU NZ DE AT CH FR BE NL LU ES PT IT SE NO DK FI IS PL CZ SK HU RO BG GR TR RU UA RS HR SI LT LV EE IL AE EG IR IN BD TH VN ID MY SG PH CN TW HK JP KR BR AR MX CL CO PE ZA NG'.split(
    ' ',
  );

const languageNames = new Intl.DisplayNames('en', { type: 'language' });
const countryNames = new Intl.DisplayNames('en', { type: 'region' });

/** By name; what is set stands among them, also where it is not one of the usual. */
function options(
  codes: readonly string[],
  current: string | null,
  names: Intl.DisplayNames,
): (readonly [string, string])[] {
  return [...new Set([...codes, ...(current === null ? [] : [current])])]
    .map((code) => [code, names.of(code) ?? code] as const)
    .toSorted(([, a], [, b]) => a.localeCompare(b));
}

function Standing({ settings, now }: { readonly settings: MetadataState; readonly now: number }) {
  const { state, retryAt } = settings;
  const look = {
    ready: { icon: <CircleCheck aria-hidden="true" />, text: 'TMDB answers.' },
    noKey: { icon: <KeyRound aria-hidden="true" />, text: 'There is no key for TMDB yet, so nothing is looked up.' },
    badKey: { icon: <TriangleAlert aria-hidden="true" />, text: 'TMDB refuses the key. Put in another one.' },
    away: {
      icon: <Clock aria-hidden="true" />,
      text: `TMDB does not answer. It is asked again ${retryAt === null ? 'by itself' : `in ${spokenDuration(Math.max(1_000, retryAt - now))}`}.`,
    },
  }[state];
  return (
    <p class={own.standing} data-state={state} role="status">
      {look.icon}
      <span>
        {look.text}
        {settings.waiting > 0 &&
          ` ${counted(settings.waiting, 'movie')} ${settings.waiting === 1 ? 'waits' : 'wait'} to be looked for.`}
      </span>
    </p>
  );
}

export function MetadataSettings() {
  const cinema = useCinema();
  const attempt = useAttempt();
  const store = useMemo(() => new MetadataSettingsStore(cinema.server, cinema.link), [cinema]);
  useEffect(() => () => store.dispose(), [store]);
  const [isAsking, setAsking] = useState(false);
  const [isChanging, setChanging] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const settings = store.settings.value;
  const failure = store.failure.value;
  if (settings === null) {
    if (failure === null) return <Waiting />;
    return (
      <>
        <p class={styles.bad}>{failureText(failure)}</p>
        <Button onClick={() => void store.load()}>Try again</Button>
      </>
    );
  }
  const needsKey = settings.state === 'noKey' || settings.state === 'badKey';
  const isFromEnvironment = settings.keyFrom === 'environment';

  const refreshAll = async (): Promise<void> => {
    setBusy(true);
    await attempt(
      () => new Matching(cinema.server).refresh(),
      'Everything is looked up again, behind what people ask for. Activity shows how far it is.',
    );
    setBusy(false);
  };

  return (
    <>
      <section class={styles.block} aria-labelledby="metadata-title">
        <div class={styles.head}>
          <h2 id="metadata-title">Metadata</h2>
          {!needsKey && (
            <Button icon={<RefreshCw aria-hidden="true" />} isBusy={isBusy} onClick={() => void refreshAll()}>
              Refresh all
            </Button>
          )}
        </div>
        <Standing settings={settings} now={cinema.server.now()} />
        {settings.toReview > 0 && (
          <p class={own.review}>
            {counted(settings.toReview, 'movie')} {settings.toReview === 1 ? 'needs' : 'need'} a look from you.
            <ButtonLink look="bright" to={{ screen: 'review' }}>
              Review
            </ButtonLink>
          </p>
        )}
      </section>

      <section class={styles.block} aria-labelledby="key-title">
        <div class={styles.head}>
          <h2 id="key-title">Key for TMDB</h2>
          {!needsKey && !isFromEnvironment && (
            <span class={styles.actions}>
              <Button onClick={() => setChanging(!isChanging)} aria-expanded={isChanging}>
                Change
              </Button>
              <Button look="quiet" onClick={() => setAsking(true)}>
                Forget it
              </Button>
            </span>
          )}
        </div>
        {isFromEnvironment ? (
          <p class={styles.note}>
            It is set where the server is started (MATINEE_TMDB_API_KEY or TMDB_API_KEY), and can be changed only there.
          </p>
        ) : needsKey || isChanging ? (
          <TmdbKey store={store} onDone={() => setChanging(false)} />
        ) : (
          <p class={styles.note}>A key is set. It is kept encrypted, and never shown.</p>
        )}
      </section>

      <section class={styles.block} aria-labelledby="language-title">
        <div class={styles.head}>
          <h2 id="language-title">Language</h2>
        </div>
        <div class={own.choices}>
          <Choice
            label="Titles and texts in"
            value={settings.language}
            options={options(LANGUAGES, settings.language, languageNames)}
            onValue={(language) =>
              void attempt(
                () => store.configure({ language }),
                'New texts come in this language. Refresh all to change the old ones.',
              )
            }
          />
          <Choice
            label="Where there is none"
            value={settings.fallbackLanguage ?? ''}
            options={[['', 'nothing'], ...options(LANGUAGES, settings.fallbackLanguage, languageNames)]}
            onValue={(value) =>
              void attempt(() => store.configure({ fallbackLanguage: value === '' ? null : value }), 'Kept.')
            }
          />
          <Choice
            label="Certifications and dates of"
            value={settings.country}
            options={options(COUNTRIES, settings.country, countryNames)}
            onValue={(country) =>
              void attempt(() => store.configure({ country }), 'Kept. Refresh all to change what is known already.')
            }
          />
        </div>
      </section>

      <section class={styles.block} aria-labelledby="nfo-title">
        <div class={styles.head}>
          <h2 id="nfo-title">NFO files</h2>
        </div>
        <p class={styles.note}>
          NFO files for Kodi that lie beside a movie are read. They are written only when you ask for it on a movie’s
          page.
        </p>
        <label class={own.switch}>
          <input
            type="checkbox"
            role="switch"
            aria-checked={settings.writesNfoBesideMovies}
            checked={settings.writesNfoBesideMovies}
            onChange={(event) => {
              const input = event.currentTarget;
              void attempt(() => store.configure({ writesNfoBesideMovies: input.checked }), 'Kept.').then((isDone) => {
                if (!isDone) input.checked = settings.writesNfoBesideMovies;
              });
            }}
          />
          <span>
            Write them beside the movies
            <small>Off, they go to Matinee’s data folder, and nothing is ever written to your libraries.</small>
          </span>
        </label>
      </section>

      <section class={styles.block} aria-labelledby="tmdb-title">
        <div class={styles.head}>
          <h2 id="tmdb-title">Where it comes from</h2>
        </div>
        <p class={styles.note}>
          This product uses the TMDB API but is not endorsed or certified by TMDB. Titles, texts and pictures of movies
          come from{' '}
          <a class={styles.link} href="https://www.themoviedb.org" target="_blank" rel="noopener noreferrer">
            The Movie Database<span class="unseen"> (opens in a new tab)</span>
          </a>
          .
        </p>
      </section>

      {isAsking && (
        <Question
          title="Forget the key?"
          verb="Forget it"
          onClose={() => setAsking(false)}
          onYes={() => {
            setAsking(false);
            void attempt(() => store.configure({ apiKey: null }), 'The key is forgotten. What is known already stays.');
          }}
        >
          <p>New movies are then not recognised any more. What is known of the others stays.</p>
        </Question>
      )}
    </>
  );
}
