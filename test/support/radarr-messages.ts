/** Messages as Radarr's webhook sends them, about a movie of our own. */

const MOVIE = {
  id: 12,
  title: 'Heat',
  year: 1995,
  releaseDate: '1996-03-05',
  folderPath: '/movies/Heat (1995)',
  tmdbId: 949,
  imdbId: 'tt0113277',
  overview: 'A thief and a detective in Los Angeles.',
  genres: ['Crime'],
  images: [{ coverType: 'poster', url: '/MediaCover/12/poster.jpg?lastWrite=1' }],
  tags: ['family'],
  originalLanguage: { id: 1, name: 'English' },
};

export const messageFile = (name: string, id = 57) => ({
  id,
  relativePath: name,
  path: `/movies/Heat (1995)/${name}`,
  quality: 'Bluray-1080p',
  qualityVersion: 1,
  indexerFlags: '0',
  size: 8_000_000_000,
  dateAdded: '2024-06-01T18:22:05.1234567Z',
  mediaInfo: { audioChannels: 5.1, videoCodec: 'h264', videoDynamicRange: '' },
});

const SENDER = { instanceName: 'Radarr', applicationUrl: '' };

/** One of each kind, by `eventType`. Keys of the sender come last, as they do on the wire. */
export const radarrMessages = {
  Test: {
    movie: { id: 1, title: 'Test Title', year: 1970, folderPath: 'C:\\testpath', tmdbId: 0, tags: ['test-tag'] },
    remoteMovie: { tmdbId: 1234, imdbId: '5678', title: 'Test title', year: 1970 },
    release: { quality: 'Test Quality', qualityVersion: 1, size: 9_999_999 },
    eventType: 'Test',
    ...SENDER,
  },
  Grab: {
    movie: MOVIE,
    release: { releaseTitle: 'Heat.1995' },
    downloadClient: 'a client',
    eventType: 'Grab',
    ...SENDER,
  },
  Download: {
    movie: MOVIE,
    movieFile: { ...messageFile('Heat (1995).mkv'), sourcePath: '/downloads/Heat.1995/heat.mkv' },
    isUpgrade: false,
    eventType: 'Download',
    ...SENDER,
  },
  Rename: {
    movie: MOVIE,
    renamedMovieFiles: [
      {
        previousRelativePath: 'heat.mkv',
        previousPath: '/movies/Heat (1995)/heat.mkv',
        ...messageFile('Heat (1995).mkv'),
      },
    ],
    eventType: 'Rename',
    ...SENDER,
  },
  MovieDelete: {
    movie: MOVIE,
    deletedFiles: true,
    movieFolderSize: 8_000_000_000,
    eventType: 'MovieDelete',
    ...SENDER,
  },
  MovieFileDelete: {
    movie: MOVIE,
    movieFile: messageFile('heat.mkv', 31),
    deleteReason: 'upgrade',
    eventType: 'MovieFileDelete',
    ...SENDER,
  },
  Health: {
    level: 'error',
    message: 'Missing root folder: /movies',
    type: 'RootFolderCheck',
    eventType: 'Health',
    ...SENDER,
  },
  ApplicationUpdate: {
    message: 'Radarr updated from 6.0.4 to 6.1.0',
    previousVersion: '6.0.4',
    newVersion: '6.1.0',
    eventType: 'ApplicationUpdate',
    ...SENDER,
  },
  MovieAdded: { movie: MOVIE, addMethod: 'manual', eventType: 'MovieAdded', ...SENDER },
  HealthRestored: {
    level: 'error',
    message: 'Missing root folder: /movies',
    eventType: 'HealthRestored',
    instanceName: 'Radarr',
  },
  ManualInteractionRequired: {
    movie: MOVIE,
    downloadInfo: { quality: 'Bluray-1080p', title: 'Heat.1995' },
    downloadStatus: 'Warning',
    eventType: 'ManualInteractionRequired',
    ...SENDER,
  },
} as const;
export type RadarrMessageKind = keyof typeof radarrMessages;

/** A better file took the place of `heat.mkv`. */
export const upgradeMessage = {
  ...radarrMessages.Download,
  isUpgrade: true,
  deletedFiles: [messageFile('heat.mkv', 31)],
};

/** As version 3 sent it: the path is that of the download, and much is missing. */
export const oldDownloadMessage = {
  movie: { id: 12, title: 'Heat', folderPath: '/movies/Heat (1995)', tmdbId: 949, imdbId: 'tt0113277' },
  remoteMovie: { tmdbId: 949, title: 'Heat', year: 1995 },
  movieFile: {
    id: 57,
    relativePath: 'Heat (1995).mkv',
    path: '/downloads/Heat.1995/heat.mkv',
    quality: 'Bluray-1080p',
  },
  isUpgrade: false,
  downloadId: 'ABC',
  eventType: 'Download',
};
