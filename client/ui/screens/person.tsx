import { SlidersHorizontal } from 'lucide-preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ALL_MOVIES, moviesWith } from '#client/store/navigation.ts';
import { PersonStore } from '#client/store/person.ts';
import type { PersonPage } from '#client/store/person.ts';
import { failureText } from '../failure-text.ts';
import { useCinema, useLobby } from '../house.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { Portrait } from '../parts/picture.tsx';
import { StatePage } from '../parts/state-page.tsx';
import { MovieTile } from '../parts/tile.tsx';
import { counted, dayOf } from '../wording.ts';
import styles from './person.module.css';

/** Longer than this, a life is told in two parts. */
const LONG = 420;

const noon = (day: string): number => Date.parse(`${day}T12:00:00`);

/** Whole years between two days. */
function yearsBetween(from: string, to: Date): number {
  const [year = 0, month = 1, day = 1] = from.split('-').map(Number);
  const isBefore = to.getMonth() + 1 < month || (to.getMonth() + 1 === month && to.getDate() < day);
  return to.getFullYear() - year - (isBefore ? 1 : 0);
}

function Life({ person }: { readonly person: PersonPage['person'] }) {
  const { bornOn, diedOn, birthplace } = person;
  const rows = [
    bornOn === null
      ? null
      : ['Born', `${dayOf(noon(bornOn))}${diedOn === null ? ` (${yearsBetween(bornOn, new Date())})` : ''}`],
    diedOn === null
      ? null
      : [
          'Died',
          `${dayOf(noon(diedOn))}${bornOn === null ? '' : ` (${yearsBetween(bornOn, new Date(noon(diedOn)))})`}`,
        ],
    birthplace === null ? null : ['In', birthplace],
  ].filter((row) => row !== null);
  return (
    <dl class={styles.life}>
      {rows.map(([label, text]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd dir="auto">{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function Biography({ text }: { readonly text: string }) {
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > LONG;
  return (
    <div class={styles.biography}>
      <p data-cut={isLong && !isWhole} dir="auto">
        {text}
      </p>
      {isLong && (
        <button type="button" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Less' : 'Read on'}
        </button>
      )}
    </div>
  );
}

export function PersonScreen({ personId }: { readonly personId: string }) {
  const cinema = useCinema();
  const { navigation } = useLobby();
  const store = useMemo(
    () => new PersonStore(cinema.server, cinema.link, cinema.library, personId),
    [cinema, personId],
  );
  useEffect(() => () => store.dispose(), [store]);
  const page = store.page.value;
  const failure = store.failure.value;
  const name = page?.person.name;
  useEffect(() => {
    if (name !== undefined) document.title = `${name} · Matinee`;
  }, [name]);

  if (store.isGone.value) {
    return (
      <StatePage
        title="Not in the credits"
        actions={
          <Button look="bright" onClick={() => navigation.back({ screen: 'movies', query: ALL_MOVIES })}>
            Back
          </Button>
        }
      >
        <p>Nobody here goes by this address. Their movies may have been removed.</p>
      </StatePage>
    );
  }
  if (page === null) {
    return failure === null ? (
      <div class={styles.person} role="status">
        <span class="unseen">Loading</span>
        <span class={styles.portrait} aria-hidden="true" />
      </div>
    ) : (
      <StatePage title="This page can’t be shown" actions={<Button onClick={() => store.retry()}>Try again</Button>}>
        <p>{failureText(failure)}</p>
      </StatePage>
    );
  }
  const { person, movies } = page;
  return (
    <article>
      <div class={styles.person}>
        <span class={styles.portrait} aria-hidden="true">
          <Portrait person={person} isEager sizes="(min-width: 46rem) 16rem, 40vw" />
        </span>
        <div class={styles.words}>
          <h1 dir="auto">{person.name}</h1>
          {person.knownFor !== null && <p class={styles.known}>{person.knownFor}</p>}
          <Life person={person} />
          {person.biography !== null && person.biography !== '' && <Biography text={person.biography} />}
        </div>
      </div>
      <section class={styles.movies} aria-labelledby="person-movies">
        <header data-spatial>
          <h2 id="person-movies">
            {movies.length === 0 ? 'No movies here' : `${counted(movies.length, 'movie')} here`}
          </h2>
          {movies.length > 1 && (
            <ButtonLink
              look="quiet"
              icon={<SlidersHorizontal aria-hidden="true" />}
              to={moviesWith({ personId: person.id })}
            >
              Sort and filter
            </ButtonLink>
          )}
        </header>
        <ul class={styles.grid} data-spatial>
          {movies.map(({ movie, roles }, index) => (
            <li key={movie.id}>
              <MovieTile
                tile={movie}
                isStart={index === 0}
                note={[movie.year, roles.join(', ')].filter((part) => part !== null && part !== '').join(' · ')}
              />
            </li>
          ))}
        </ul>
      </section>
    </article>
  );
}
