/** Subtitles for tests: stores in memory, and files of pictures as discs have them. */
import type {
  NewSubtitle,
  ReceivedSubtitle,
  StoredUpload,
  SubtitleCachePort,
  SubtitleFile,
  SubtitleStore,
  SubtitleVault,
  UploadLimits,
  UploadOutcome,
} from '#engine/playback/subtitle-ports.ts';
import type { SubtitleRequest, SubtitleResult } from '#engine/hosts/probe.port.ts';

/** The folder of a key is the key itself. */
export class MemorySubtitleCache implements SubtitleCachePort {
  readonly folders = new Map<string, Map<string, string>>();

  folder(key: string): Promise<string> {
    if (!this.folders.has(key)) this.folders.set(key, new Map());
    return Promise.resolve(key);
  }

  find(key: string, name: string): Promise<string | null> {
    return Promise.resolve(this.folders.get(key)?.has(name) === true ? `/cache/${key}/${name}` : null);
  }

  names(key: string): Promise<readonly string[]> {
    return Promise.resolve([...(this.folders.get(key)?.keys() ?? [])]);
  }

  removeFile(key: string, name: string): Promise<void> {
    this.folders.get(key)?.delete(name);
    return Promise.resolve();
  }

  open(key: string, name: string): ReturnType<SubtitleCachePort['open']> {
    if (this.folders.get(key)?.has(name) !== true) return Promise.resolve(null);
    return Promise.resolve({
      read: (at, mostBytes) =>
        Promise.resolve(Buffer.from(this.folders.get(key)?.get(name) ?? '').subarray(at, at + mostBytes)),
      close: () => Promise.resolve(),
    });
  }

  trim(): Promise<void> {
    return Promise.resolve();
  }

  remove(key: string): Promise<void> {
    this.folders.delete(key);
    return Promise.resolve();
  }

  write(key: string, name: string, text: string): void {
    this.folders.get(key)!.set(name, text);
  }

  /** What a host does: every wanted track as an empty file of text. */
  make(request: SubtitleRequest): Promise<SubtitleResult> {
    const ids = request.kind === 'tracks' ? request.wanted.map((index) => `t${index}`) : [request.id];
    for (const id of request.folder === null ? [] : ids) {
      this.write(request.folder!, `${id}.vtt`, 'WEBVTT\n');
      this.write(request.folder!, `${id}.done`, '');
    }
    return Promise.resolve({ ok: true, made: ids, fileKind: request.kind === 'file' ? 'srt' : null });
  }
}

export class MemorySubtitleStore implements SubtitleStore {
  readonly files: SubtitleFile[] = [];
  readonly uploads: StoredUpload[] = [];
  readonly #offsets = new Map<string, Map<string, number>>();

  filesOf(fileId: string): Promise<SubtitleFile[]> {
    return Promise.resolve(this.files.filter((file) => file.fileId === fileId));
  }

  find(fileId: string, subtitleId: string): Promise<SubtitleFile | null> {
    return Promise.resolve(this.files.find(({ id, fileId: of }) => id === subtitleId && of === fileId) ?? null);
  }

  offsets(userId: string, fileId: string): Promise<ReadonlyMap<string, number>> {
    return Promise.resolve(this.#offsets.get(`${userId} ${fileId}`) ?? new Map<string, number>());
  }

  setOffset(userId: string, fileId: string, subtitleId: string, offsetMs: number): Promise<boolean> {
    const key = `${userId} ${fileId}`;
    this.#offsets.set(key, (this.#offsets.get(key) ?? new Map<string, number>()).set(subtitleId, offsetMs));
    return Promise.resolve(true);
  }

  uploadsOf(movieId: string): Promise<StoredUpload[] | null> {
    return Promise.resolve(this.uploads.filter((upload) => upload.movieId === movieId));
  }

  upload(subtitleId: string): Promise<StoredUpload | null> {
    return Promise.resolve(this.uploads.find(({ id }) => id === subtitleId) ?? null);
  }

  addUpload(subtitle: NewSubtitle, { perFile, personBytes, totalBytes }: UploadLimits): Promise<UploadOutcome> {
    const sum = (uploads: readonly StoredUpload[]): number =>
      uploads.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, subtitle.sizeBytes);
    if (this.uploads.length >= perFile) return Promise.resolve('perFile');
    if (sum(this.uploads.filter(({ userId }) => userId === subtitle.userId)) > personBytes) {
      return Promise.resolve('person');
    }
    if (sum(this.uploads) > totalBytes) return Promise.resolve('total');
    this.uploads.push({ ...subtitle, movieId: '', userName: null, uploadedAtMs: 0 });
    return Promise.resolve('kept');
  }

  editUpload(subtitleId: string): Promise<StoredUpload | null> {
    return this.upload(subtitleId);
  }

  removeUpload(subtitleId: string): Promise<void> {
    this.uploads.splice(
      this.uploads.findIndex(({ id }) => id === subtitleId),
      1,
    );
    return Promise.resolve();
  }

  uploadIds(): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set(this.uploads.map(({ id }) => id)));
  }
}

export class MemorySubtitleVault implements SubtitleVault {
  readonly files = new Map<string, Uint8Array>();

  pathOf(subtitleId: string): string {
    return `/vault/${subtitleId}`;
  }

  async receive(subtitleId: string, chunks: AsyncIterable<Uint8Array>): Promise<ReceivedSubtitle> {
    const pieces: Uint8Array[] = [];
    for await (const chunk of chunks) pieces.push(chunk);
    const bytes = Buffer.concat(pieces);
    return {
      path: `/vault/${subtitleId}.part`,
      sizeBytes: bytes.length,
      keep: () => Promise.resolve(void this.files.set(subtitleId, bytes)),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  remove(subtitleId: string): Promise<void> {
    this.files.delete(subtitleId);
    return Promise.resolve();
  }

  sweep(): Promise<void> {
    return Promise.resolve();
  }
}

export interface DiscPicture {
  readonly startMs: number;
  readonly endMs: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A `.sup` of plain white boxes with a black frame, on a canvas of 1280 × 720. */
export function supFile(pictures: readonly DiscPicture[], canvas = { width: 1_280, height: 720 }): Buffer {
  return Buffer.concat(
    pictures.flatMap(({ startMs, endMs, x, y, width, height }, at) => {
      const composed = (objects: number[][]): Buffer =>
        Buffer.from([
          ...u16(canvas.width),
          ...u16(canvas.height),
          0x10,
          ...u16(at * 2 + (objects.length > 0 ? 0 : 1)),
          objects.length > 0 ? 0x80 : 0,
          0,
          0,
          objects.length,
          ...objects.flat(),
        ]);
      const window = Buffer.from([1, 0, ...u16(x), ...u16(y), ...u16(width), ...u16(height)]);
      // White and black, both opaque.
      const palette = Buffer.from([0, 0, 1, 235, 128, 128, 255, 2, 16, 128, 128, 255]);
      const rows = Array.from({ length: height }, (_, row) => {
        const isEdge = row < 4 || row >= height - 4;
        return isEdge ? [...run(2, width), 0, 0] : [...run(2, 4), ...run(1, width - 8), ...run(2, 4), 0, 0];
      }).flat();
      const size = rows.length + 4;
      const object = Buffer.from([
        ...u16(0),
        0,
        0xc0,
        size >> 16,
        ...u16(size & 0xffff),
        ...u16(width),
        ...u16(height),
        ...rows,
      ]);
      return [
        segment(startMs, 0x16, composed([[...u16(0), 0, 0, ...u16(x), ...u16(y)]])),
        segment(startMs, 0x17, window),
        segment(startMs, 0x14, palette),
        segment(startMs, 0x15, object),
        segment(startMs, 0x80, Buffer.alloc(0)),
        segment(endMs, 0x16, composed([])),
        segment(endMs, 0x17, window),
        segment(endMs, 0x80, Buffer.alloc(0)),
      ];
    }),
  );
}

const u16 = (value: number): [number, number] => [(value >> 8) & 255, value & 255];
const run = (colour: number, length: number): number[] => [0, 0xc0 | (length >> 8), length & 255, colour];

function segment(ms: number, type: number, content: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.write('PG', 'latin1');
  head.writeUInt32BE(ms * 90, 2);
  head[10] = type;
  head.writeUInt16BE(content.length, 11);
  return Buffer.concat([head, content]);
}
