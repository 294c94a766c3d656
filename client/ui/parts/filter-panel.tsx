import { ChevronDown, X } from 'lucide-preact';
import { useState } from 'preact/hooks';
import type { Facet, FacetName, MovieFilter } from '#protocol/schema/movie-filter.ts';
import { useLobby } from '../house.ts';
import { FACET_ORDER, FACET_TITLES, chipsOf, inOrder, isChosen, toggled, valueName } from '../filter-words.ts';
import { count } from '../wording.ts';
import styles from './filter-panel.module.css';

/** Values of a facet that are in sight before somebody asks for the others. */
const FEW = 7;
/** What is open before anybody touched it. */
const OPEN_AT_FIRST: ReadonlySet<FacetName> = new Set(['genreIds', 'decade', 'isWatched']);
const RATINGS = [9, 8, 7, 6, 5] as const;

interface Props {
  /** `null` until the first counts came. */
  readonly facets: readonly Facet[] | null;
  readonly filter: MovieFilter;
  readonly onFilter: (filter: MovieFilter) => void;
}

interface RowProps {
  readonly name: string;
  readonly label: string;
  readonly count: number | null;
  readonly isOn: boolean;
  readonly onToggle: () => void;
}

function Row({ name, label, count: amount, isOn, onToggle }: RowProps) {
  return (
    <li>
      <label class={styles.row} data-on={isOn} data-none={amount === 0 && !isOn}>
        <input type="checkbox" name={name} checked={isOn} onChange={onToggle} />
        <span class={styles.box} aria-hidden="true" />
        <span class={styles.label} dir="auto">
          {label}
        </span>
        {amount !== null && (
          <span class={styles.count}>
            {count(amount)}
            <span class="unseen"> {amount === 1 ? 'movie' : 'movies'}</span>
          </span>
        )}
      </label>
    </li>
  );
}

function FacetGroup({ facet, filter, onFilter }: Omit<Props, 'facets'> & { readonly facet: Facet }) {
  const { name } = facet;
  const values = inOrder(facet);
  const [isWhole, setWhole] = useState(false);
  const chosen = values.filter(({ value }) => isChosen(filter, name, value));
  const [isOpen, setOpen] = useState(OPEN_AT_FIRST.has(name) || chosen.length > 0);
  // What is chosen stays in sight, however few movies it has.
  const shown = isWhole ? facet.values : values.filter((value, index) => index < FEW || chosen.includes(value));
  return (
    <details class={styles.group} open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span>{FACET_TITLES[name]}</span>
        {chosen.length > 0 && (
          <span class={styles.badge}>
            {chosen.length}
            <span class="unseen"> chosen</span>
          </span>
        )}
        <ChevronDown aria-hidden="true" />
      </summary>
      <ul>
        {shown.map(({ value, label, count: amount }) => (
          <Row
            key={value}
            name={name}
            label={valueName(name, value, label)}
            count={amount}
            isOn={isChosen(filter, name, value)}
            onToggle={() => onFilter(toggled(filter, name, value))}
          />
        ))}
      </ul>
      {shown.length < values.length && (
        <button type="button" class={styles.more} onClick={() => setWhole(true)}>
          All {values.length}
        </button>
      )}
    </details>
  );
}

function RatingGroup({ filter, onFilter }: Omit<Props, 'facets'>) {
  const [isOpen, setOpen] = useState(filter.ratingFrom !== undefined);
  return (
    <details class={styles.group} open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span>Rating</span>
        {filter.ratingFrom !== undefined && (
          <span class={styles.badge}>
            1<span class="unseen"> chosen</span>
          </span>
        )}
        <ChevronDown aria-hidden="true" />
      </summary>
      <ul>
        {RATINGS.map((rating) => (
          <Row
            key={rating}
            name="ratingFrom"
            label={`${rating} or more`}
            count={null}
            isOn={filter.ratingFrom === rating}
            onToggle={() => {
              const { ratingFrom, ...rest } = filter;
              onFilter(ratingFrom === rating ? rest : { ...rest, ratingFrom: rating });
            }}
          />
        ))}
      </ul>
    </details>
  );
}

/** What a list of movies can be narrowed to, with the number that each choice would leave. For a sidebar, and for a sheet on phones. */
export function FilterPanel({ facets, filter, onFilter }: Props) {
  const { session } = useLobby();
  if (facets === null) {
    return (
      <div class={styles.panel} aria-busy="true">
        {Array.from({ length: 12 }, (_, index) => (
          <span key={index} class={styles.blank} aria-hidden="true" />
        ))}
      </div>
    );
  }
  const groups = FACET_ORDER.flatMap((name) => {
    // How sure a match is concerns those who mend it.
    if (name === 'match' && !session.may('movies:edit')) return [];
    const facet = facets.find((one) => one.name === name);
    if (facet === undefined) return [];
    // A choice between one thing is none.
    const isIdle = facet.values.length < 2 && !facet.values.some(({ value }) => isChosen(filter, name, value));
    return isIdle ? [] : [facet];
  });
  const at = groups.findLastIndex(({ name }) => OPEN_AT_FIRST.has(name));
  const group = (facet: Facet) => <FacetGroup key={facet.name} facet={facet} filter={filter} onFilter={onFilter} />;
  return (
    <div class={styles.panel} role="group" aria-label="Filters" data-spatial>
      {groups.slice(0, at + 1).map(group)}
      <RatingGroup filter={filter} onFilter={onFilter} />
      {groups.slice(at + 1).map(group)}
      {session.may('movies:edit') && (
        <ul class={styles.last}>
          <Row
            name="isHidden"
            label="Put away"
            count={null}
            isOn={filter.isHidden === true}
            onToggle={() => {
              const { isHidden, ...rest } = filter;
              onFilter(isHidden === true ? rest : { ...rest, isHidden: true });
            }}
          />
        </ul>
      )}
    </div>
  );
}

interface ChipsProps extends Props {
  /** Names of people and collections by their id. */
  readonly names?: ReadonlyMap<string, string>;
}

/** What a list of movies is narrowed to just now, each with a way to take it back. */
export function FilterChips({ facets, filter, onFilter, names }: ChipsProps) {
  const chips = chipsOf(filter, facets, names);
  if (chips.length === 0) return null;
  return (
    <ul class={styles.chips} aria-label="Filters in use" data-spatial>
      {chips.map(({ key, text, without }) => (
        <li key={key}>
          <button type="button" class={styles.chip} onClick={() => onFilter(without)}>
            <span class="unseen">Without the filter </span>
            <span dir="auto">{text}</span>
            <X aria-hidden="true" />
          </button>
        </li>
      ))}
      {chips.length > 1 && (
        <li>
          <button type="button" class={styles.clear} onClick={() => onFilter({})}>
            Clear all
          </button>
        </li>
      )}
    </ul>
  );
}
