import type { DecodeSharing } from '#engine/av/picture-source.ts';
import { Rendition } from '#engine/av/rendition.ts';
import { serveHost } from '#engine/runtime/host-server.ts';
import type { RenditionCalls, RenditionHostEvent } from './rendition.port.ts';

/** What a rendition host does, with its renditions sharing what they decode. An entry calls this once. */
export function serveRenditions(sharing: DecodeSharing): void {
  const renditions = new Map<number, Rendition>();

  const opened = (id: number): Rendition => {
    const rendition = renditions.get(id);
    if (!rendition) throw new Error('A rendition has to be opened before it can be produced.');
    return rendition;
  };

  const host = serveHost<RenditionCalls, RenditionHostEvent>(
    {
      open(id, spec) {
        if (renditions.has(id)) throw new Error('A rendition is opened once in its life.');
        const rendition = new Rendition(
          spec,
          (event) => {
            if (renditions.get(id) === rendition) host.emit({ id, event });
          },
          sharing,
        );
        renditions.set(id, rendition);
      },
      produce: (id, range) => opened(id).produce(range),
      pause: (id) => opened(id).pause(),
      close(id) {
        const rendition = opened(id);
        renditions.delete(id);
        rendition[Symbol.dispose]();
      },
    },
    () => {
      for (const rendition of renditions.values()) rendition[Symbol.dispose]();
    },
  );
}
