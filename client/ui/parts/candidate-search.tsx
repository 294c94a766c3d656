import { Search } from 'lucide-preact';
import { useEffect, useState } from 'preact/hooks';
import { Button } from './button.tsx';
import styles from './candidate-search.module.css';

interface Props {
  readonly title: string;
  readonly year: number | null;
  /** Whether it is searched before anybody asks. */
  readonly isEager?: boolean;
  /** Resolves to whether something was found; `null` where nobody could be asked. */
  readonly onSearch: (query: string, year: number | null) => Promise<boolean | null>;
}

/** Looks for a movie at TMDB: by words, by number, or by an address. What is not there in a year is looked for in all. */
export function CandidateSearch({ title, year, isEager = false, onSearch }: Props) {
  const [query, setQuery] = useState(title);
  const [yearText, setYearText] = useState(year === null ? '' : String(year));
  const [isBusy, setBusy] = useState(false);
  const [note, setNote] = useState<string | null>(null);

  const search = async (): Promise<void> => {
    const words = query.trim();
    if (words === '') return;
    const asked = /^\d{4}$/.test(yearText.trim()) ? Number(yearText) : null;
    setBusy(true);
    setNote(null);
    try {
      if ((await onSearch(words, asked)) !== false || asked === null) return;
      const isOfOther = await onSearch(words, null);
      if (isOfOther === true) setNote(`Nothing like that in ${asked}: these are of other years.`);
      else if (isOfOther === false) setNote(`Nothing like that in ${asked}, nor in any other year.`);
    } finally {
      setBusy(false);
    }
  };
  useEffect(() => {
    if (isEager) void search();
  }, []);

  return (
    <form
      class={styles.search}
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) void search();
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
      <p class={styles.note} role="status">
        {note}
      </p>
    </form>
  );
}
