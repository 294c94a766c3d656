/** Child process that makes the segments of one rendition. Its contract is rendition.port.ts. */
import { Rendition } from '#engine/av/rendition.ts';
import { serveHost } from '#engine/runtime/host-server.ts';
import type { RenditionCalls, RenditionEvent } from './rendition.port.ts';

let rendition: Rendition | undefined;

const opened = (): Rendition => {
  if (!rendition) throw new Error('A rendition host has to be opened before it can produce.');
  return rendition;
};

const host = serveHost<RenditionCalls, RenditionEvent>(
  {
    open(spec) {
      if (rendition) throw new Error('A rendition host is opened once in its life.');
      rendition = new Rendition(spec, (event) => host.emit(event));
    },
    produce: (range) => opened().produce(range),
    pause: () => opened().pause(),
  },
  () => rendition?.[Symbol.dispose](),
);
