import { useState } from 'preact/hooks';
import { isFailure } from '#protocol/errors.ts';
import type { MatchCandidate } from '#protocol/schema/match.ts';
import type { Matching } from '#client/store/matching.ts';
import type { MovieDetail } from '#client/store/movie.ts';
import { failureText } from '../../failure-text.ts';
import { useLobby } from '../../house.ts';
import { Button } from '../../parts/button.tsx';
import { Candidate } from '../../parts/candidate.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { CandidateSearch } from '../../parts/candidate-search.tsx';
import styles from './dialogs.module.css';

interface Props {
  readonly movie: MovieDetail;
  readonly matching: Matching;
  readonly onClose: () => void;
  /** The movie as it is called now. */
  readonly onMatched: (movieId: string) => void;
}

/** Says which movie this is, found by hand. */
export function FixMatchDialog({ movie, matching, onClose, onMatched }: Props) {
  const { notices } = useLobby();
  const [candidates, setCandidates] = useState<readonly MatchCandidate[] | null>(null);
  const [picked, setPicked] = useState<MatchCandidate | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);

  const search = async (query: string, year: number | null): Promise<boolean | null> => {
    setProblem(null);
    try {
      const found = await matching.search(query, year);
      setCandidates(found);
      setPicked(null);
      return found.length > 0;
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
      setCandidates([]);
      return null;
    }
  };

  const confirm = async (): Promise<void> => {
    if (picked === null) return;
    setBusy(true);
    try {
      const [movieId] = await matching.match([{ movieId: movie.id, tmdbId: picked.tmdbId }]);
      notices.show(`It is “${picked.title}” now, and stays so.`);
      onMatched(movieId ?? movie.id);
    } catch (error) {
      if (!isFailure(error)) throw error;
      setProblem(failureText(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog title="Which movie is this?" isWide isSheet onClose={onClose}>
      <div class={styles.stack}>
        <p class={styles.fileName} dir="auto">
          {movie.files.find(({ extra }) => extra === null)?.name ?? movie.title}
        </p>
        {/* What it is called just now is the first guess. */}
        <CandidateSearch title={movie.title} year={movie.year} isEager onSearch={search} />
        {problem !== null && (
          <p class={styles.problem} role="alert">
            {problem}
          </p>
        )}
        {candidates === null && problem === null && (
          <div class={styles.blankRows} role="status" aria-label="Searching" />
        )}
        {candidates !== null && candidates.length === 0 && problem === null && (
          <p class={styles.note}>TMDB knows nothing like that. Try other words, the original title, or its number.</p>
        )}
        {candidates !== null && candidates.length > 0 && (
          <div class={styles.candidates} role="radiogroup" aria-label="What it may be">
            {candidates.map((candidate) => (
              <Candidate
                key={candidate.tmdbId}
                candidate={candidate}
                isPicked={picked?.tmdbId === candidate.tmdbId}
                onPick={() => setPicked(candidate)}
              />
            ))}
          </div>
        )}
      </div>
      <div class={styles.end}>
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button look="bright" isBusy={isBusy} disabled={picked === null} onClick={() => void confirm()}>
          It is this one
        </Button>
      </div>
    </Dialog>
  );
}
