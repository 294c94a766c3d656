/** Child process that makes one file for somebody to take along. Its contract is download.port.ts. */
import { DownloadMaker } from '#engine/av/download-maker.ts';
import { serveHost } from '#engine/runtime/host-server.ts';
import type { DownloadCalls, DownloadEvent } from './download.port.ts';

/** A copy passes many segments a second; nobody looks that often. */
const TELL_EVERY_MS = 500;

let maker: DownloadMaker | null = null;
let toldMs = -Infinity;

const host = serveHost<DownloadCalls, DownloadEvent>(
  {
    make(spec) {
      if (maker) throw new Error('A host makes one download.');
      maker = new DownloadMaker(spec, (event) => {
        const isPassing = event.kind === 'progress' || event.kind === 'joining';
        if (isPassing && performance.now() - toldMs < TELL_EVERY_MS) return;
        if (isPassing) toldMs = performance.now();
        host.emit(event);
      });
      maker.start();
    },
    hold: () => maker?.hold(),
    goOn: () => maker?.goOn(),
  },
  () => maker?.[Symbol.dispose](),
);
