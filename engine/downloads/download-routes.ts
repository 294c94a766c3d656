/**
 * Files to save, under signed addresses: `/download/<grant>/<name>`. The name is for whoever takes it from the address, and decides nothing.
 * Rules DL2 to DL6 of SPEC.md.
 */
import { STATUS_CODES } from 'node:http';
import type { Clock } from '#engine/base/clock.ts';
import { isFailure } from '#protocol/errors.ts';
import type { DownloadSigner } from './download-grant.ts';
import type { SessionPort } from './ports.ts';
import { contentDisposition } from './save-name.ts';

// The gateway's own types by shape: a domain does not import it.
type Headers = Readonly<Record<string, string>>;
export interface DownloadRoute {
  readonly method: 'GET';
  readonly path: `/${string}`;
  readonly access: 'signedUrl';
  handle(
    request: { readonly id: string; readonly params: Readonly<Record<string, string>> },
    response: {
      send(status: number, headers: Headers, body?: string): void;
      file(file: { path: string; contentType: string; cacheControl: string; headers?: Headers }): Promise<void>;
    },
  ): Promise<void>;
}

/** What lies behind an address; `null` where it is not there any more. */
export interface OpenedDownload {
  readonly path: string;
  readonly name: string;
  readonly contentType: string;
  /** Called when somebody has begun, and when they have ended. */
  readonly using?: (isBeginning: boolean) => void;
  /** Called where the file is not on the disk. */
  readonly lost?: () => void;
}

export interface DownloadRouteOptions {
  readonly signer: DownloadSigner;
  readonly sessions: SessionPort;
  readonly clock: Clock;
  readonly original: (fileId: string, sizeBytes: number, mtimeUs: number) => Promise<OpenedDownload | null>;
  readonly copy: (downloadId: string, copyId: string) => Promise<OpenedDownload | null>;
}

/** What somebody saves is theirs; nothing on the way keeps it or changes it. */
const CACHE_CONTROL = 'private, no-cache, no-transform';

export function createDownloadRoute({ signer, sessions, clock, original, copy }: DownloadRouteOptions): DownloadRoute {
  return {
    method: 'GET',
    path: '/download/{grant}/{name}',
    access: 'signedUrl',
    async handle(request, response) {
      const refuse = (status: number, code: string, detail: string, more: Headers = {}): void => {
        const type = `urn:matinee:problem:${code}`;
        const title = STATUS_CODES[status] ?? 'Error';
        const body = { type, title, status, detail, instance: `urn:uuid:${request.id}`, code };
        const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...more };
        response.send(status, headers, JSON.stringify(body));
      };
      const grant = signer.open(request.params['grant'] ?? '', clock.nowMs());
      if (grant === 'invalid') return refuse(403, 'forbidden', 'This address was not made by this server.');
      if (grant === 'expired') {
        return refuse(
          410,
          'gone',
          'This address has expired. Begin the download again in Matinee; what you have of the file can be gone on with.',
        );
      }
      if (!(await sessions.isAlive(grant.sessionId))) {
        return refuse(401, 'unauthenticated', 'The session of this address has ended. Sign in again.', {
          'www-authenticate': 'Bearer realm="matinee"',
        });
      }
      const opened =
        grant.kind === 'original'
          ? await original(grant.fileId, grant.sizeBytes, grant.mtimeUs)
          : await copy(grant.downloadId, grant.copyId);
      if (opened === null) return refuse(410, 'gone', 'This file is not there any more, or is another one now.');
      opened.using?.(true);
      try {
        await response.file({
          path: opened.path,
          contentType: opened.contentType,
          cacheControl: CACHE_CONTROL,
          headers: { 'content-disposition': contentDisposition(opened.name) },
        });
      } catch (error) {
        if (!isFailure(error) || error.code !== 'notFound') throw error;
        opened.lost?.();
        refuse(410, 'gone', 'This file is not on the server’s disk any more.');
      } finally {
        opened.using?.(false);
      }
    },
  };
}
