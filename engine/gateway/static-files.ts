/**
 * Files that come with the server: its page and what that loads, and the page of the API. Known from the start, so that no
 * path of a request ever reaches the file system. Text is compressed once, on the thread pool, and kept.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { createHash } from 'node:crypto';
import type { HttpRequest, HttpResponse, HttpRoute, ReplyHeaders } from './http.ts';
import { judgePreconditions } from './precondition.ts';
import { problem } from './problem.ts';
import { WORKER_POLICY, pagePolicy } from './security-headers.ts';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  map: 'application/json',
  mjs: 'text/javascript; charset=utf-8',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  webmanifest: 'application/manifest+json',
  webp: 'image/webp',
  woff2: 'font/woff2',
};
const isText = (contentType: string): boolean => /^text\/|json$|javascript|svg|wasm$/.test(contentType);

/** A build puts a digest of its content into a name: such a file never changes under it. */
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Kept, but asked about each time: the answer is most often 304. */
const REVALIDATED = 'no-cache';
const HASHED_NAME = /[-.][\w-]{8,}\.\w+$/;

type Encoding = 'br' | 'gzip';
const ENCODINGS: readonly Encoding[] = ['br', 'gzip'];
const compressors: Readonly<Record<Encoding, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  // Quality 9 is within 3 % of 11 on script and five times as quick.
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
};
/** Below this, what compression saves is less than its own header and the packet is one anyway. */
const COMPRESS_FROM_BYTES = 1_024;

/** One body with its encodings, made when first asked for. */
export class StaticContent {
  readonly #load: () => Promise<Uint8Array>;
  readonly #contentType: string;
  readonly #cacheControl: string;
  #identity: Promise<{ bytes: Uint8Array; digest: string }> | null = null;
  readonly #encoded = new Map<Encoding, Promise<Uint8Array>>();

  constructor(load: () => Promise<Uint8Array>, contentType: string, cacheControl: string) {
    this.#load = load;
    this.#contentType = contentType;
    this.#cacheControl = cacheControl;
  }

  async reply(
    request: Pick<HttpRequest, 'headers'>,
    response: HttpResponse,
    headers: ReplyHeaders = {},
  ): Promise<void> {
    const { bytes, digest } = await this.#read();
    const isCompressible = isText(this.#contentType) && bytes.length >= COMPRESS_FROM_BYTES;
    const encoding = isCompressible ? chooseEncoding(request.headers['accept-encoding']) : null;
    // Each encoding is a representation of its own and has its own tag (RFC 9110, section 8.8.3).
    const etag = encoding === null ? `"${digest}"` : `"${digest}-${encoding}"`;
    const common: Record<string, string> = { etag, 'cache-control': this.#cacheControl, ...headers };
    if (isCompressible) common['vary'] = 'accept-encoding';
    const verdict = judgePreconditions(
      { 'if-match': request.headers['if-match'], 'if-none-match': request.headers['if-none-match'] },
      { etag, modifiedMs: 0 },
    );
    if (verdict !== null) return response.send(verdict, common);
    const body = encoding === null ? bytes : await this.#encode(encoding, bytes);
    response.send(
      200,
      { ...common, 'content-type': this.#contentType, ...(encoding ? { 'content-encoding': encoding } : {}) },
      body,
    );
  }

  #read(): Promise<{ bytes: Uint8Array; digest: string }> {
    this.#identity ??= this.#load().then((bytes) => ({
      bytes,
      digest: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
    }));
    // A failed read is tried again by the next request.
    this.#identity.catch(() => {
      this.#identity = null;
    });
    return this.#identity;
  }

  #encode(encoding: Encoding, bytes: Uint8Array): Promise<Uint8Array> {
    let encoded = this.#encoded.get(encoding);
    if (!encoded) this.#encoded.set(encoding, (encoded = compressors[encoding](bytes)));
    return encoded;
  }
}

/** The best that the client takes, `null` for none. A weight of 0 refuses. */
function chooseEncoding(header: string | undefined): Encoding | null {
  const accepted = new Set(
    (header ?? '')
      .split(',')
      .filter((item) => !/;\s*q=0(?:\.0*)?\s*$/.test(item))
      .map((item) => item.split(';')[0]!.trim().toLowerCase()),
  );
  return ENCODINGS.find((encoding) => accepted.has(encoding)) ?? null;
}

export const contentTypeOf = (name: string): string =>
  CONTENT_TYPES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream';

/** Paths that belong to programs: an unknown one among them is an error, not a screen of the client. */
const NOT_SCREENS = /^\/(?:api|media|images|live|healthz|readyz|startupz)(?:\/|$)/;

export interface ClientPages {
  readonly routes: readonly HttpRoute[];
  /** For every path that has no route: a screen of the client, or 404. */
  readonly fallback: HttpRoute['handle'];
}

/**
 * The built client in `folder`: its files as routes, and its page for every other path that a browser opens, since the
 * screens have addresses of their own. Where nothing was built, a page says so.
 */
export async function clientPages(folder: string): Promise<ClientPages> {
  const files = await listFiles(folder);
  const contents = new Map(
    files.map((file) => [
      file,
      new StaticContent(
        () => readFile(join(folder, file)),
        contentTypeOf(file),
        HASHED_NAME.test(file) && file !== 'index.html' ? IMMUTABLE : REVALIDATED,
      ),
    ]),
  );
  const page = contents.get('index.html');
  const sendPage: HttpRoute['handle'] = async (request, response) => {
    const headers = { 'content-security-policy': pagePolicy(request.host) };
    if (page) return await page.reply(request, response, headers);
    response.send(
      503,
      { ...headers, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
      NOT_BUILT,
    );
  };
  return {
    routes: [...contents].map(([file, content]): HttpRoute => ({
      method: 'GET',
      path: file === 'index.html' ? '/' : `/${file}`,
      access: 'public',
      handle: (request, response) =>
        file === 'index.html'
          ? sendPage(request, response)
          : content.reply(request, response, file.endsWith('.js') ? { 'content-security-policy': WORKER_POLICY } : {}),
    })),
    fallback: async (request, response) => {
      const isScreen = /\btext\/html\b|\*\/\*/.test(request.headers['accept'] ?? '*/*') && !/\.\w+$/.test(request.path);
      if (isScreen && !NOT_SCREENS.test(request.path)) return await sendPage(request, response);
      const { status, headers, body } = problem('notFound', request.id);
      response.send(status, headers, body);
    },
  };
}

/** Paths below the folder, with `/`. Empty where there is no such folder. */
async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((file) => !file.split('/').some((part) => part.startsWith('.')));
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Matinee</title>
<h1>Matinee runs, but its screens have not been built</h1>
<p>Start it with <code>npm start</code>, which builds them, or build them once with <code>npx vite build client</code>, then start it again.</p>
<p>The API works meanwhile: <a href="/api/v1/docs">/api/v1/docs</a>.</p>
</html>
`;
