/**
 * Movies that do not exist, in the shapes in which TMDB tells of movies: sequels, remakes, twins of one year, names that are
 * numbers, names in several scripts. For the stand-in (tmdb-stand-in.ts).
 */
export interface StandInMovie {
  readonly id: number;
  readonly title: string;
  readonly original_title: string;
  readonly original_language: string;
  readonly release_date: string;
  readonly runtime: number | null;
  readonly popularity: number;
  readonly imdb_id: string | null;
  readonly alternative_titles: { readonly titles: readonly { readonly iso_3166_1: string; readonly title: string }[] };
  readonly release_dates: {
    readonly results: readonly {
      readonly iso_3166_1: string;
      readonly release_dates: readonly {
        readonly release_date: string;
        readonly type: number;
        readonly certification: string;
      }[];
    }[];
  };
  readonly [key: string]: unknown;
}

export interface StandInCollection {
  readonly id: number;
  readonly name: string;
  readonly parts: readonly unknown[];
  readonly [key: string]: unknown;
}

interface Sketch {
  readonly id: number;
  readonly title: string;
  readonly date: string;
  readonly runtime: number | null;
  readonly popularity?: number;
  readonly votes?: number;
  readonly original?: readonly [title: string, language: string];
  readonly others?: readonly (readonly [country: string, title: string])[];
  readonly german?: string;
  readonly series?: number;
}

const SERIES: Readonly<Record<number, string>> = {
  9_001: 'Glass Garden Collection',
  9_002: 'Harbour Lights Collection',
  9_003: 'Orbit Collection',
};

const SKETCHES: readonly Sketch[] = [
  { id: 900_101, title: 'The Glass Garden', date: '1987-04-02', runtime: 101, popularity: 41, votes: 3_100, series: 9_001, german: 'Der gläserne Garten' },
  { id: 900_102, title: 'The Glass Garden Part II', date: '1990-09-14', runtime: 118, popularity: 22, votes: 1_400, series: 9_001, german: 'Der gläserne Garten 2' },
  { id: 900_103, title: 'The Glass Garden Part III', date: '1994-01-21', runtime: 109, popularity: 9, votes: 600, series: 9_001 },
  { id: 900_104, title: 'Harbour Lights', date: '2003-06-06', runtime: 94, popularity: 33, votes: 2_000, series: 9_002, others: [['US', 'Harbor Lights']] },
  { id: 900_105, title: 'Harbour Lights: The Long Night', date: '2006-11-17', runtime: 124, popularity: 18, votes: 900, series: 9_002 },
  { id: 900_106, title: 'Orbit', date: '2012-07-20', runtime: 132, popularity: 88, votes: 12_000, series: 9_003 },
  { id: 900_107, title: 'Orbit 2: Perigee', date: '2015-07-10', runtime: 128, popularity: 64, votes: 8_000, series: 9_003 },
  { id: 900_108, title: 'Orbit 3: Apogee', date: '2019-05-03', runtime: 141, popularity: 71, votes: 7_200, series: 9_003 },
  { id: 900_109, title: 'Orbit', date: '1958-02-12', runtime: 78, popularity: 3.2, votes: 120 },
  { id: 900_110, title: 'The Lantern', date: '1964-10-01', runtime: 88, popularity: 4.1, votes: 210, original: ['La Lanterna', 'it'] },
  { id: 900_111, title: 'The Lantern', date: '2011-03-25', runtime: 112, popularity: 29, votes: 2_400 },
  { id: 900_112, title: 'Paper Boats', date: '2022-08-19', runtime: 107, popularity: 25, votes: 1_100 },
  { id: 900_113, title: 'Paper Boats', date: '2022-02-04', runtime: 71, popularity: 21, votes: 800 },
  { id: 900_114, title: '1971', date: '2014-09-05', runtime: 99, popularity: 12, votes: 450 },
  { id: 900_115, title: 'Summer of 2046', date: '2009-12-11', runtime: 115, popularity: 17, votes: 980 },
  { id: 900_116, title: 'Café Müller & Söhne', date: '1999-05-20', runtime: 96, popularity: 8, votes: 300, original: ['Café Müller & Söhne', 'de'] },
  { id: 900_117, title: "The Clockmaker's Daughter", date: '1978-11-30', runtime: 121, popularity: 14, votes: 700, original: ["La Fille de l'horloger", 'fr'] },
  { id: 900_118, title: 'Nine Bridges', date: '1983-03-18', runtime: 105, popularity: 11, votes: 520, others: [['GB', '9 Bridges']] },
  { id: 900_119, title: 'Wolf', date: '2016-01-29', runtime: 92, popularity: 15, votes: 610 },
  { id: 900_120, title: 'Wolves', date: '2016-10-14', runtime: 97, popularity: 13, votes: 480 },
  { id: 900_121, title: 'The Wolf Who Waited', date: '2018-04-13', runtime: 104, popularity: 10, votes: 390 },
  { id: 900_122, title: 'U', date: '1931-06-11', runtime: 84, popularity: 6, votes: 260, original: ['U – Ein Zug fährt ab', 'de'] },
  { id: 900_123, title: 'Q.E.D.', date: '2008-08-08', runtime: 118, popularity: 16, votes: 830 },
  { id: 900_124, title: 'Red/Blue', date: '2001-02-02', runtime: 89, popularity: 7, votes: 240 },
  { id: 900_125, title: '[static]', date: '2007-11-23', runtime: 77, popularity: 9.5, votes: 410 },
  { id: 900_126, title: 'The Mapmaker', date: '1969-04-09', runtime: 143, popularity: 10.5, votes: 540, original: ['地図を描く人', 'ja'] },
  { id: 900_127, title: 'Salt Road', date: '2004-12-10', runtime: 126, popularity: 19, votes: 1_300, original: ['소금길', 'ko'] },
  { id: 900_128, title: 'Tea with the Tsar', date: '1996-10-18', runtime: 110, popularity: 8.4, votes: 330, original: ['Чай с царём', 'ru'] },
  { id: 900_129, title: 'Everything Between Here and the Sea', date: '2020-01-24', runtime: 138, popularity: 31, votes: 2_700 },
  { id: 900_130, title: 'Midnight Express to Oslo', date: '1974-09-27', runtime: 102, popularity: 9.1, votes: 370 },
  { id: 900_131, title: 'Midnight in Oslo', date: '1975-03-14', runtime: 95, popularity: 5.5, votes: 190 },
  { id: 900_132, title: 'Captain Halloway: Origins of the Northern Fleet', date: '2010-05-07', runtime: 135, popularity: 44, votes: 5_100, others: [['GB', 'Captain Halloway']] },
  { id: 900_133, title: 'Captain Halloway Returns', date: '2013-05-10', runtime: 129, popularity: 39, votes: 4_300 },
  { id: 900_134, title: 'The Making of Captain Halloway', date: '2010-08-01', runtime: 52, popularity: 1.1, votes: 14 },
  { id: 900_135, title: '7½ Days', date: '1963-02-14', runtime: 138, popularity: 13.4, votes: 890 },
  { id: 900_136, title: '12,000 Leagues Above', date: '1954-12-23', runtime: 127, popularity: 12.2, votes: 760 },
  { id: 900_137, title: 'I, Gardener', date: '2004-07-16', runtime: 115, popularity: 37, votes: 6_000 },
  { id: 900_138, title: 'Starlings', date: '2021-06-18', runtime: 98, popularity: 20, votes: 950 },
  { id: 900_139, title: 'Starling', date: '2021-09-24', runtime: 103, popularity: 18, votes: 870 },
  { id: 900_140, title: 'The Unreleased', date: '', runtime: null, popularity: 0.6, votes: 0 },
]; // prettier-ignore

const PEOPLE = [
  'Ada Lindqvist', 'Bo Chen', 'Cleo Okafor', 'Dario Fenn', 'Eve O’Hara', 'Farid Nasser', 'Greta Blum', 'Hiro Tanabe', 'Ines Duarte', 'Jón Þórsson', 'Kofi Mensah', 'Lola Brandt',
]; // prettier-ignore
const GENRES = [
  { id: 18, name: 'Drama' },
  { id: 9_648, name: 'Mystery' },
  { id: 878, name: 'Science Fiction' },
  { id: 35, name: 'Comedy' },
  { id: 53, name: 'Thriller' },
];
const CERTIFICATES = [['PG', '6'], ['PG-13', '12'], ['R', '16']] as const; // prettier-ignore

export const standInMovies = (): StandInMovie[] => {
  const movies = SKETCHES.map(toMovie);
  return movies.map((movie, index) => ({
    ...movie,
    similar: {
      page: 1,
      results: [1, 2, 3].map((step) => movies[(index + step) % movies.length]),
      total_pages: 1,
      total_results: 3,
    },
  }));
};

export function standInCollections(): StandInCollection[] {
  return Object.entries(SERIES).map(([id, name]) => ({
    id: Number(id),
    name,
    overview: `All of ${name}.`,
    poster_path: `/c${id}p.jpg`,
    backdrop_path: `/c${id}b.jpg`,
    parts: [
      ...SKETCHES.filter(({ series }) => series === Number(id)).map(toMovie),
      ...(id === '9003'
        ? [{ id: 900_199, title: 'Orbit 4', release_date: '', media_type: 'movie', poster_path: null }]
        : []),
    ],
  }));
}

export function standInPerson(id: number): Record<string, unknown> | null {
  const name = PEOPLE[id - 800_000];
  if (name === undefined) return null;
  return {
    id,
    name,
    biography: '',
    birthday: '1950-02-03',
    deathday: null,
    place_of_birth: 'Lisbon',
    known_for_department: 'Acting',
    translations: {
      translations: [{ iso_639_1: 'en', iso_3166_1: 'US', data: { biography: `${name} was never born.` } }],
    },
  };
}

/** A movie of one's own, for tests that need thousands. */
export function toMovie(sketch: Sketch): StandInMovie {
  const {
    id,
    title,
    date,
    runtime,
    popularity = 5,
    votes = 100,
    original = [title, 'en'],
    others = [],
    german,
    series,
  } = sketch;
  const person = (offset: number) => {
    const index = (id + offset * 7) % PEOPLE.length;
    return {
      id: 800_000 + index,
      name: PEOPLE[index],
      gender: 0,
      popularity: 5 + index,
      profile_path: `/p${index}.jpg`,
      known_for_department: 'Acting',
    };
  };
  const image = (kind: string, index: number, width: number, height: number) => ({
    file_path: `/m${id}${kind}${index}.${kind === 'l' ? 'png' : 'jpg'}`,
    iso_639_1: index === 0 ? 'en' : null,
    width,
    height,
    vote_average: 5 + index / 10,
  });
  const [us, de] = CERTIFICATES[id % CERTIFICATES.length]!;
  const release = (certification: string, type = 3) => [
    { certification, type, release_date: `${date}T00:00:00.000Z`, iso_639_1: '', note: '' },
  ];
  return {
    id,
    title,
    original_title: original[0],
    original_language: original[1],
    release_date: date,
    runtime,
    popularity,
    imdb_id: id === 900_140 ? null : `tt9${id}`,
    adult: false,
    video: false,
    overview: `What happens in ${title}.`,
    tagline: `${title}: see it twice.`,
    status: date === '' ? 'In Production' : 'Released',
    vote_average: votes === 0 ? 0 : 5 + (id % 40) / 10,
    vote_count: votes,
    poster_path: `/m${id}p0.jpg`,
    backdrop_path: `/m${id}b0.jpg`,
    homepage: '',
    budget: 0,
    revenue: 0,
    genres: [GENRES[id % 5]!, GENRES[(id + 2) % 5]!],
    production_companies: [
      { id: 700_000 + (id % 3), name: `Studio ${'ABC'[id % 3]}`, logo_path: null, origin_country: 'US' },
    ],
    production_countries: [{ iso_3166_1: 'US', name: 'United States of America' }],
    belongs_to_collection:
      series === undefined
        ? null
        : { id: series, name: SERIES[series] ?? 'A Collection', poster_path: null, backdrop_path: null },
    credits: {
      cast: [0, 1, 2, 3].map((order) => ({
        ...person(order),
        character: `Role ${order + 1}`,
        order,
        cast_id: order,
        credit_id: `${id}c${order}`,
      })),
      crew: [
        { ...person(4), job: 'Director', department: 'Directing', credit_id: `${id}d` },
        { ...person(5), job: 'Screenplay', department: 'Writing', credit_id: `${id}w` },
        // Twice in the crew, and in the cast too.
        { ...person(4), job: 'Screenplay', department: 'Writing', credit_id: `${id}v` },
        { ...person(0), job: 'Producer', department: 'Production', credit_id: `${id}x` },
      ],
    },
    images: {
      posters: [image('p', 0, 1_000, 1_500), image('p', 1, 1_000, 1_500)],
      backdrops: [image('b', 0, 1_920, 1_080), image('b', 1, 1_280, 720)],
      logos: [image('l', 0, 800, 310)],
    },
    release_dates: {
      results:
        date === ''
          ? []
          : [
              { iso_3166_1: 'DE', release_dates: release(de) },
              { iso_3166_1: 'US', release_dates: [...release('', 1), ...release(us)] },
            ],
    },
    videos: {
      results: [
        { key: `teaser${id}`, site: 'YouTube', type: 'Teaser', official: true, iso_639_1: 'en' },
        { key: `trailer${id}`, site: 'YouTube', type: 'Trailer', official: true, iso_639_1: 'en' },
      ],
    },
    external_ids: { imdb_id: `tt9${id}` },
    keywords: { keywords: [{ id: 600_000 + (id % 7), name: `keyword ${id % 7}` }] },
    alternative_titles: { titles: others.map(([iso_3166_1, name]) => ({ iso_3166_1, title: name, type: '' })) },
    translations: {
      translations:
        german === undefined
          ? []
          : [
              {
                iso_639_1: 'de',
                iso_3166_1: 'DE',
                name: 'Deutsch',
                data: { title: german, overview: `Was in ${german} geschieht.`, tagline: '', homepage: '' },
              },
            ],
    },
    similar: { page: 1, results: [], total_pages: 1, total_results: 0 },
  };
}
