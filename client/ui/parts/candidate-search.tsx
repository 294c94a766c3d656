import { Search } from 'lucide-preact';
import { useState } from 'preact/hooks';
import { Button } from './button.tsx';
import styles from './candidate-search.module.css';

interface Props {
  readonly title: string;
  readonly year: number | null;
  readonly onSearch: (query: string, year: number | null) => Promise<void>;
}

/** Looks for a movie at TMDB: by words, by number, or by an address. */
export function CandidateSearch({ title, year, onSearch }: Props) {
  const [query, setQuery] = useState(title);
  const [yearText, setYearText] = useState(year === null ? '' : String(year));
  const [isBusy, setBusy] = useState(false);
  return (
    <form
      class={styles.search}
      onSubmit={(event) => {
        event.preventDefault();
        if (query.trim() === '') return;
        setBusy(true);
        const asked = Number(yearText);
        void onSearch(query.trim(), /^\d{4}$/.test(yearText.trim()) ? asked : null).finally(() => setBusy(false));
      }}
    >
      <input
        aria-label="Title, TMDB or IMDb number, or an address"
        type="search"
        value={query}
        maxLength={300}
        autoComplete="off"
        enterkeyhint="search"
        placeholder="Title, number or address"
        onInput={(event) => setQuery(event.currentTarget.value)}
      />
      <input
        aria-label="Year"
        class={styles.year}
        value={yearText}
        inputMode="numeric"
        maxLength={4}
        placeholder="Year"
        autoComplete="off"
        onInput={(event) => setYearText(event.currentTarget.value)}
      />
      <Button type="submit" isBusy={isBusy} icon={<Search aria-hidden="true" />}>
        Search
      </Button>
    </form>
  );
}
