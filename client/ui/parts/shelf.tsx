import type { ComponentChildren } from 'preact';
import type { Tile } from '#client/store/movie-list.ts';
import { Row } from './row.tsx';
import { MovieTile } from './tile.tsx';

interface Props {
  readonly title: string;
  readonly tiles: readonly Tile[];
  readonly isContinuing?: boolean;
  readonly aside?: ComponentChildren;
}

/** A row of movies. */
export function Shelf({ title, tiles, isContinuing = false, aside }: Props) {
  return (
    <Row title={title} shape={isContinuing ? 'wide' : 'poster'} length={tiles.length} aside={aside}>
      {tiles.map((tile, index) => (
        <li key={tile.id}>
          <MovieTile tile={tile} isContinuing={isContinuing} isEager={index < 6} />
        </li>
      ))}
    </Row>
  );
}
