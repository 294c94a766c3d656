/** Put in by vite.config.ts from package.json. */
declare const __MATINEE_VERSION__: string;

/** The address of a file that the build puts beside the scripts. */
declare module '*?url' {
  const url: string;
  // oxlint-disable-next-line import/no-default-export -- the form that the bundler gives it
  export default url;
}
