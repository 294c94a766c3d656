/**
 * One HTTP request and its reply, over uWebSockets.js. Owns the response object: everything that could touch it after the
 * client has gone, which throws, or forget it, which would end the process, is in here.
 *
 * States: open → answering → over. `over` comes with the last byte or with the client's going, whichever is first.
 */
import fs from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { randomBytes } from 'node:crypto';
import type { HttpResponse as UwsResponse } from 'uWebSockets.js';
import { commonFailure } from '#protocol/errors.ts';
import { BodyStream } from './body-stream.ts';
import { planFile, type FilePlan } from './file-plan.ts';
import { FileStream, type OpenFile, type StallWatch } from './file-stream.ts';
import type { FileReply, HttpMethod, HttpResponse, ReplyHeaders, RequestHeaders } from './http.ts';
import { LocalDisks } from './local-disks.ts';

export interface ExchangeOptions {
  readonly res: UwsResponse;
  readonly method: HttpMethod;
  readonly headers: RequestHeaders;
  /** Headers of every reply; those of the reply itself go before. */
  readonly baseHeaders: ReplyHeaders;
  readonly stalls: StallWatch;
  /** True once the server wants its connections back. */
  readonly isDraining: () => boolean;
  /** Told once when it is over. `status` is 0 where the client left before one was sent. */
  readonly onOver: (status: number, sentBytes: number, isComplete: boolean) => void;
}

type BodyResult =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'gone' };
const NO_BODY = new Uint8Array(0);

export class Exchange implements HttpResponse {
  readonly #options: ExchangeOptions;
  readonly #res: UwsResponse;
  readonly #isHead: boolean;
  #state: 'open' | 'answering' | 'over' = 'open';
  #status = 0;
  #abort: AbortController | null = null;
  #stream: FileStream | null = null;
  #onWritable: (() => void) | null = null;
  /** Until the whole body is in, the connection can't be used for another request. */
  #isBodyPending = false;
  #onBody: ((result: BodyResult) => void) | null = null;
  #bodyStream: BodyStream | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#res = options.res;
    this.#isHead = options.method === 'HEAD';
    this.#res.onAborted(() => this.#leave());
  }

  get isGone(): boolean {
    return this.#state === 'over';
  }

  get isAnswered(): boolean {
    return this.#state !== 'open';
  }

  /** Aborted when the client goes away before the reply is complete. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.isGone) this.#abort.abort();
    return this.#abort.signal;
  }

  /** Collects the body. To be called in the turn in which the request came: later, its beginning would be lost. */
  readBody(limitBytes: number): Promise<BodyResult> {
    this.#isBodyPending = true;
    const { promise, resolve } = Promise.withResolvers<BodyResult>();
    this.#onBody = resolve;
    const chunks: Uint8Array[] = [];
    let sizeBytes = 0;
    this.#res.onData((chunk, isLast) => {
      sizeBytes += chunk.byteLength;
      if (isLast) this.#isBodyPending = false;
      if (sizeBytes > limitBytes) {
        chunks.length = 0;
        resolve({ kind: 'tooLarge' });
        return;
      }
      // uWebSockets.js takes the memory of a chunk back.
      if (chunk.byteLength > 0) chunks.push(new Uint8Array(chunk.slice(0)));
      if (isLast) resolve({ kind: 'whole', bytes: chunks.length === 0 ? NO_BODY : Buffer.concat(chunks) });
    });
    return promise;
  }

  /** The body as it comes. To be called in the turn in which the request came: later, its beginning would be lost. */
  streamBody(limitBytes: number): BodyStream {
    this.#isBodyPending = true;
    // A connection that has ended may not be touched, and one that is to be used again must not stay paused.
    const flow = (act: () => unknown): void => void (this.isGone || act());
    const body = new BodyStream(limitBytes, {
      pause: () => flow(() => this.#res.pause()),
      resume: () => flow(() => this.#res.resume()),
    });
    this.#bodyStream = body;
    this.#res.onData((chunk, isLast) => {
      if (isLast) this.#isBodyPending = false;
      body.push(new Uint8Array(chunk), isLast);
    });
    return body;
  }

  send(status: number, headers: ReplyHeaders, body: string | Uint8Array = NO_BODY): void {
    if (!this.#begin(status)) return;
    // RFC 9110, section 15: these have no body, and no length of one either.
    const isBodiless = status === 204 || status === 304;
    const sizeBytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
    const isLast = this.#isLastOnConnection();
    this.#res.cork(() => {
      this.#writeHead(status, headers);
      if (isBodiless) this.#res.endWithoutBody();
      else if (this.#isHead) this.#res.endWithoutBody(sizeBytes, isLast);
      else this.#res.end(body, isLast);
    });
    this.#finish(this.#isHead ? 0 : sizeBytes, true);
  }

  async stream(status: number, headers: ReplyHeaders, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (!this.#begin(status)) return;
    let sentBytes = 0;
    this.#res.onWritable(() => {
      this.#onWritable?.();
      return true;
    });
    this.#res.cork(() => {
      this.#writeHead(status, headers);
      if (this.#isHead) this.#res.endWithoutBody();
    });
    if (this.#isHead) return this.#finish(0, true);
    try {
      for await (const chunk of chunks) {
        if (this.isGone) return;
        sentBytes += chunk.byteLength;
        let isRoom = true;
        this.#res.cork(() => {
          isRoom = this.#res.write(chunk);
        });
        if (!isRoom) await this.#untilWritable();
      }
    } catch (error) {
      if (!this.isGone) {
        this.#finish(sentBytes, false);
        this.#res.close();
      }
      throw error;
    }
    if (this.isGone) return;
    this.#res.cork(() => {
      this.#res.end(undefined, this.#isLastOnConnection());
    });
    this.#finish(sentBytes, true);
  }

  async file(file: FileReply): Promise<void> {
    const opened = await openFile(file);
    if (this.isGone) return fs.close(opened.fd, () => undefined);
    const boundary = `matinee-${randomBytes(12).toString('hex')}`;
    const plan = planFile(this.#options, file, opened, Date.now(), boundary);
    if (plan.totalBytes === 0 || this.#isHead) {
      fs.close(opened.fd, () => undefined);
      this.#sendHead(plan);
      return;
    }
    this.#begin(plan.status);
    const stream = new FileStream(
      this.#res,
      opened,
      plan,
      () => this.#writeHead(plan.status, plan.headers),
      this.#options.stalls,
    );
    this.#stream = stream;
    const end = await stream.run();
    if (end === 'sent') this.#finish(plan.totalBytes, true);
    else this.#leave();
  }

  /** Ends the connection without an answer: for a reply that has begun and can't be completed. */
  break(): void {
    if (this.isGone) return;
    this.#leave();
    this.#res.close();
  }

  #sendHead(plan: FilePlan): void {
    if (!this.#begin(plan.status)) return;
    const isLast = this.#isLastOnConnection();
    this.#res.cork(() => {
      this.#writeHead(plan.status, plan.headers);
      // With an `undefined` for the length uWebSockets.js announces 2^63 bytes.
      if (plan.status === 304) this.#res.endWithoutBody();
      else this.#res.endWithoutBody(plan.totalBytes, isLast);
    });
    this.#finish(0, true);
  }

  /** False when nobody is there any more to answer. A second answer is a defect. */
  #begin(status: number): boolean {
    if (this.#state === 'over' && this.#status === 0) return false;
    if (this.#state !== 'open') throw new Error('a request was answered twice');
    this.#state = 'answering';
    this.#status = status;
    return true;
  }

  #writeHead(status: number, headers: ReplyHeaders): void {
    this.#res.writeStatus(`${status} ${STATUS_CODES[status] ?? 'Unknown'}`);
    const all = { ...this.#options.baseHeaders, ...headers };
    for (const name in all) {
      // A value must not begin a header of its own (RFC 9110, section 5.5).
      this.#res.writeHeader(name, all[name]!.replace(/[\r\n\0]+/g, ' '));
    }
  }

  #isLastOnConnection(): boolean {
    return this.#isBodyPending || this.#options.isDraining();
  }

  #untilWritable(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onWritable = resolve;
    return promise;
  }

  #finish(sentBytes: number, isComplete: boolean): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#onBody?.({ kind: 'gone' });
    this.#bodyStream?.fail('gone');
    this.#options.onOver(this.#status, sentBytes, isComplete);
  }

  #leave(): void {
    if (this.#state === 'over') return;
    this.#finish(0, false);
    this.#stream?.abort();
    this.#onWritable?.();
    this.#abort?.abort();
  }
}

/** Of the whole process: disks belong to no gateway. */
const localDisks = new LocalDisks();

/** Opens a regular file and reads its validators. Throws a `notFound` failure where there is none that can be read. */
async function openFile(file: FileReply): Promise<OpenFile & { readonly etag: string }> {
  const notFound = (): Error =>
    commonFailure('notFound', { what: 'file', id: '' }, 'The file is not there, or the server may not read it.');
  const { promise: opened, resolve, reject } = Promise.withResolvers<number>();
  // Not blocking: the opening of a pipe would wait for a writer, and hold a thread of the pool for ever.
  fs.open(file.path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK, (error, fd) =>
    error
      ? reject(['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(error.code ?? '') ? notFound() : error)
      : resolve(fd),
  );
  const fd = await opened;
  const { promise: looked, resolve: found, reject: failed } = Promise.withResolvers<fs.Stats>();
  fs.fstat(fd, (error, stat) => (error ? failed(error) : found(stat)));
  try {
    const stat = await looked;
    if (!stat.isFile()) throw notFound();
    const etag = `"${stat.ino.toString(36)}-${stat.size.toString(36)}-${Math.round(stat.mtimeMs * 1_000).toString(36)}"`;
    const isLocal = localDisks.isLocal(stat.dev, file.path);
    return { fd, sizeBytes: stat.size, modifiedMs: stat.mtimeMs, isLocal, etag: file.etag ?? etag };
  } catch (error) {
    fs.close(fd, () => undefined);
    throw error;
  }
}
