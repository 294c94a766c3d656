/** The page of the API: swagger-ui, served from here under a strict policy, and the document that it shows. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Call } from '#protocol/contract.ts';
import { API_PREFIX } from './bridge.ts';
import type { HttpRoute } from './http.ts';
import { openApiDocument } from './openapi.ts';
import { API_PAGE_POLICY } from './security-headers.ts';
import { StaticContent, contentTypeOf } from './static-files.ts';

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Matinee API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${API_PREFIX}/docs/swagger-ui.css">
<body>
<div id="page"></div>
<script src="${API_PREFIX}/docs/swagger-ui-bundle.js"></script>
<script src="${API_PREFIX}/docs/start.js"></script>
</body>
</html>
`;

/** `withCredentials` lets “Try it out” use the session of the person who reads. */
const START = `SwaggerUIBundle({ url: '${API_PREFIX}/openapi.json', dom_id: '#page', deepLinking: true, validatorUrl: null, withCredentials: true });
`;

const text = (content: string) => async (): Promise<Uint8Array> => new TextEncoder().encode(content);

export function apiPageRoutes(calls: readonly Call[], serverVersion: string): HttpRoute[] {
  const swagger = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const pages: readonly (readonly [string, StaticContent])[] = [
    [
      '/openapi.json',
      content('x.json', async () => new TextEncoder().encode(JSON.stringify(openApiDocument(calls, serverVersion)))),
    ],
    ['/docs', content('x.html', text(PAGE))],
    ['/docs/start.js', content('x.js', text(START))],
    ...['swagger-ui.css', 'swagger-ui-bundle.js'].map(
      (name) => [`/docs/${name}`, content(name, () => readFile(join(swagger, name)))] as const,
    ),
  ];
  return pages.map(([path, page]) => ({
    method: 'GET',
    path: `${API_PREFIX}${path}`,
    access: 'public',
    handle: (request, response) => page.reply(request, response, { 'content-security-policy': API_PAGE_POLICY }),
  }));
}

const content = (name: string, load: () => Promise<Uint8Array>): StaticContent =>
  new StaticContent(load, contentTypeOf(name), 'no-cache');
