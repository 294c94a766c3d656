/**
 * Our side of the `ranges` bench: the gateway with the real routes of media, so that each range comes through a signed
 * address. The look-ups behind it, which are Postgres in a server, are answered from memory.
 */
import { statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { systemClock } from '#engine/base/clock.ts';
import { GrantSigner } from '#engine/playback/media-grant.ts';
import { createMediaRoutes, type MediaRoutesOptions } from '#engine/playback/media-routes.ts';
import type { PlaybackStore, StoredFile } from '#engine/playback/ports.ts';
import { startGateway } from '#test/support/gateway.ts';
import { mediaInfo } from '#test/support/media-info.ts';
import { answerWith } from '../program.ts';

const ID = '0190f3a2-5c1e-7b44-9d1f-3a6f0c2b8e71';

async function serve({ path }: { readonly path: string }): Promise<{ port: number; path: string }> {
  const { size, mtimeMs } = statSync(path);
  const file: StoredFile = {
    id: ID,
    movieId: ID,
    path,
    sizeBytes: size,
    mtimeUs: Math.round(mtimeMs * 1_000),
    isExtra: false,
    part: null,
    edition: null,
    state: 'playable',
    failure: null,
    media: mediaInfo(),
  };
  const signer = new GrantSigner(randomBytes(32));
  const needs: Pick<MediaRoutesOptions, 'signer' | 'sessions' | 'clock'> & { store: Pick<PlaybackStore, 'file'> } = {
    signer,
    clock: systemClock,
    sessions: { isAlive: async () => true },
    store: { file: async () => file },
  };
  // Plans, renditions and subtitles are not asked for where the file goes out as it is.
  const { port } = await startGateway({ routes: createMediaRoutes(needs as MediaRoutesOptions) });
  const grant = signer.sign({
    sessionId: ID,
    fileId: ID,
    sizeBytes: file.sizeBytes,
    mtimeUs: file.mtimeUs,
    expiresAtMs: systemClock.nowMs() + 3_600_000,
    viewerId: 'bench-01',
    hls: null,
  });
  return { port, path: `/media/${grant}/file` };
}

const answers = { serve };
export type GatewayProgram = typeof answers;
answerWith(answers);
