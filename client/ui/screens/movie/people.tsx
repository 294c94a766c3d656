import type { MovieDetail } from '#client/store/movie.ts';
import { Link } from '../../parts/link.tsx';
import { Portrait } from '../../parts/picture.tsx';
import { Row } from '../../parts/row.tsx';
import styles from './people.module.css';

/** Who is named beside the words of the movie, by their jobs. */
const CREDITS: readonly (readonly [label: string, jobs: RegExp])[] = [
  ['Directed by', /^director$/i],
  ['Written by', /^(writer|screenplay|story|author|novel|original story)$/i],
  ['Music by', /^(original music composer|composer|music)$/i],
];

export function Credits({ movie }: { readonly movie: MovieDetail }) {
  const rows = CREDITS.map(([label, jobs]) => {
    const people = movie.crew.filter(({ job }) => jobs.test(job)).map(({ person }) => person);
    return { label, people: [...new Map(people.map((person) => [person.id, person])).values()].slice(0, 4) };
  }).filter(({ people }) => people.length > 0);
  if (rows.length === 0) return null;
  return (
    <dl class={styles.credits} data-spatial>
      {rows.map(({ label, people }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>
            {people.map((person, index) => (
              <span key={person.id}>
                {index > 0 && ', '}
                <Link to={{ screen: 'person', personId: person.id }}>
                  <bdi>{person.name}</bdi>
                </Link>
              </span>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Cast, then crew, each person once. */
export function Faces({ movie }: { readonly movie: MovieDetail }) {
  const faces = new Map<string, { person: MovieDetail['cast'][number]['person']; roles: string[] }>();
  for (const { person, character } of movie.cast) {
    const face = faces.get(person.id) ?? { person, roles: [] };
    if (character !== null && character !== '') face.roles.push(character);
    faces.set(person.id, face);
  }
  for (const { person, job } of movie.crew) {
    const face = faces.get(person.id) ?? { person, roles: [] };
    if (!face.roles.includes(job)) face.roles.push(job);
    faces.set(person.id, face);
  }
  if (faces.size === 0) return null;
  return (
    <Row title="Cast and crew" shape="face" length={faces.size}>
      {[...faces.values()].map(({ person, roles }) => (
        <li key={person.id}>
          <Link to={{ screen: 'person', personId: person.id }} class={styles.face}>
            <span class={styles.portrait}>
              <Portrait person={person} />
            </span>
            <span class={styles.name} dir="auto">
              {person.name}
            </span>
            {roles.length > 0 && (
              <span class={styles.role} dir="auto">
                {roles.join(', ')}
              </span>
            )}
          </Link>
        </li>
      ))}
    </Row>
  );
}
