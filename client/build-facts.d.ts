/** Put in by vite.config.ts from package.json. */
declare const __MATINEE_VERSION__: string;
