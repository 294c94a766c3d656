import type { MediaFailure } from '#engine/media/media-failure.ts';

/**
 * Why a part of a rendition is not handed out.
 *
 * - `failed`: it can't be made; `failure` says why
 * - `busy`: as many transcodes run as this server allows
 * - `late`: it was not ready in time
 * - `superseded`: the same viewer has asked for another place since
 * - `left`: whoever asked has gone
 * - `closed`: the rendition is being put away; the next request opens it anew
 */
export class RenditionError extends Error {
  readonly code: 'failed' | 'busy' | 'late' | 'superseded' | 'left' | 'closed';
  readonly failure: MediaFailure | null;

  constructor(code: RenditionError['code'], failure: MediaFailure | null = null) {
    super(failure ? `${code}: ${failure}` : code);
    this.name = 'RenditionError';
    this.code = code;
    this.failure = failure;
  }
}
