/** What the reply to a request for a file is: status, headers, and which bytes. Pure; file-stream.ts sends it. */
import { parseRange, type ByteRange } from './byte-range.ts';
import type { FileReply, HttpRequest, ReplyHeaders } from './http.ts';
import { allowsRange, judgePreconditions } from './precondition.ts';

/** What is known of the open file. */
export interface FileFacts {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Strong entity tag with its quotes. */
  readonly etag: string;
}

/** A run of the file, or bytes of our own: the heads of a multipart body. */
export type Piece = ByteRange | Uint8Array;

export interface FilePlan {
  readonly status: 200 | 206 | 304 | 412 | 416;
  readonly headers: ReplyHeaders;
  /** Of the body, also where none is sent because the method is HEAD. */
  readonly totalBytes: number;
  readonly pieces: readonly Piece[];
}

/** Rules RANGE1 to RANGE7 of SPEC.md. `boundary` separates the parts where there are several. */
export function planFile(
  request: Pick<HttpRequest, 'method' | 'headers'>,
  file: Pick<FileReply, 'contentType' | 'cacheControl' | 'headers'>,
  facts: FileFacts,
  nowMs: number,
  boundary: string,
): FilePlan {
  const { sizeBytes, etag } = facts;
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    'cache-control': file.cacheControl,
    etag,
    'last-modified': new Date(facts.modifiedMs).toUTCString(),
    ...file.headers,
  };
  const empty = (status: 304 | 412 | 416, more?: ReplyHeaders): FilePlan => ({
    status,
    headers: { ...headers, ...more },
    totalBytes: 0,
    pieces: [],
  });

  const verdict = judgePreconditions(request.headers, facts);
  if (verdict !== null) return empty(verdict);

  const isRangeAsked = request.method === 'GET' && allowsRange(request.headers['if-range'], facts, nowMs);
  const asked = isRangeAsked ? parseRange(request.headers['range'], sizeBytes) : { kind: 'whole' as const };
  if (asked.kind === 'unsatisfiable') return empty(416, { 'content-range': `bytes */${sizeBytes}` });
  if (asked.kind === 'whole') {
    const pieces = sizeBytes > 0 ? [{ start: 0, end: sizeBytes - 1 }] : [];
    return { status: 200, headers: { ...headers, 'content-type': file.contentType }, totalBytes: sizeBytes, pieces };
  }
  const [first, ...others] = asked.ranges;
  if (others.length === 0) {
    return {
      status: 206,
      headers: { ...headers, 'content-type': file.contentType, 'content-range': contentRange(first!, sizeBytes) },
      totalBytes: first!.end - first!.start + 1,
      pieces: [first!],
    };
  }
  const pieces: Piece[] = [];
  for (const range of asked.ranges) {
    const head = `\r\n--${boundary}\r\ncontent-type: ${file.contentType}\r\ncontent-range: ${contentRange(range, sizeBytes)}\r\n\r\n`;
    pieces.push(new TextEncoder().encode(head), range);
  }
  pieces.push(new TextEncoder().encode(`\r\n--${boundary}--\r\n`));
  return {
    status: 206,
    headers: { ...headers, 'content-type': `multipart/byteranges; boundary=${boundary}` },
    totalBytes: pieces.reduce((sum, piece) => sum + pieceBytes(piece), 0),
    pieces,
  };
}

export const pieceBytes = (piece: Piece): number =>
  piece instanceof Uint8Array ? piece.length : piece.end - piece.start + 1;

const contentRange = ({ start, end }: ByteRange, sizeBytes: number): string => `bytes ${start}-${end}/${sizeBytes}`;
