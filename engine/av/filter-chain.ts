import { AVERROR_EAGAIN, AVERROR_EOF } from 'node-av/constants';
import { Filter, FilterGraph, FilterInOut } from 'node-av/lib';
import type { FilterContext, Frame } from 'node-av/lib';
import { MediaError } from '#engine/media/media-failure.ts';

/** A filter graph with one input and one output. */
export class FilterChain implements Disposable {
  readonly #graph: FilterGraph;
  readonly #source: FilterContext;
  readonly sink: FilterContext;

  /** `input` are the arguments of `buffer` or `abuffer`; `chain` is FFmpeg's filter syntax. Neither holds text from a file, and paths are escaped. */
  constructor(kind: 'video' | 'audio', input: string, chain: string, threads: number) {
    this.#graph = new FilterGraph();
    this.#graph.alloc();
    try {
      this.#graph.nbThreads = threads;
      const prefix = kind === 'audio' ? 'a' : '';
      this.#source = this.#create(`${prefix}buffer`, 'in', input);
      this.sink = this.#create(`${prefix}buffersink`, 'out', null);
      const outputs = FilterInOut.createList([{ name: 'in', filterCtx: this.#source, padIdx: 0 }]);
      const inputs = FilterInOut.createList([{ name: 'out', filterCtx: this.sink, padIdx: 0 }]);
      check(this.#graph.parsePtr(chain, inputs, outputs), `parse ${chain}`);
      check(this.#graph.configSync(), `configure ${chain} for ${input}`);
    } catch (thrown) {
      this.#graph.free();
      throw thrown;
    }
  }

  /** Takes the frame's content with it; `null` is the end. */
  send(frame: Frame | null): void {
    check(this.#source.buffersrcAddFrameSync(frame), 'filter a frame');
  }

  /** False when there is none yet, or none any more. */
  receive(frame: Frame): boolean {
    const code = this.sink.buffersinkGetFrameSync(frame);
    if (code >= 0) return true;
    if (code !== AVERROR_EAGAIN && code !== AVERROR_EOF) check(code, 'read a filtered frame');
    return false;
  }

  [Symbol.dispose](): void {
    this.#graph.free();
  }

  #create(name: string, instance: string, args: string | null): FilterContext {
    const filter = Filter.getByName(name);
    const context = filter && this.#graph.createFilter(filter, instance, args);
    if (!context) throw new MediaError('unsupported', `cannot filter ${args ?? name}`);
    return context;
  }
}

/** A path as FFmpeg's filter syntax wants it: escaped as a value, and again as a part of a graph. */
export function escapedPath(path: string): string {
  return path.replace(/[\\':]/g, '\\$&').replace(/[\\'[\],;]/g, '\\$&');
}

function check(code: number, step: string): void {
  if (code < 0) throw new MediaError('unsupported', `${step} failed with ${code}`);
}
