/**
 * hls.js's choice of variants, with patience for a segment that is being made. By itself hls.js gives a request up after half of the
 * segment's length and asks for a smaller picture, which then has to be begun as well: a seek that needed 0.8 s took 1.6. As long as nothing
 * has come, that says nothing of the line; after a while it does say that the server does not manage this picture.
 */
import Hls from 'hls.js';

/** A segment is made within this wherever the server encodes in real time. */
const PATIENCE_MS = 2_500;

/** What is known of a request. Times in milliseconds, as `performance.now()` has them. */
export interface RequestStats {
  readonly loaded: number;
  readonly aborted: boolean;
  readonly loading: { readonly start: number };
}

/** Whether it is too early to give up a request. */
export function isBeingMade({ loaded, aborted, loading }: RequestStats, nowMs: number): boolean {
  return !aborted && loaded === 0 && nowMs - loading.start < PATIENCE_MS;
}

type Abr = typeof Hls.DefaultConfig.abrController;

/** What of hls.js's own is looked at here; it is not among its types. */
interface Inside {
  fragCurrent: { readonly stats: RequestStats } | null;
  _abandonRulesCheck: (...levelLoaded: unknown[]) => void;
}

const Base = Hls.DefaultConfig.abrController as unknown as new (hls: Hls) => Inside;

class PatientAbr extends Base {
  constructor(hls: Hls) {
    super(hls);
    const check = this._abandonRulesCheck;
    this._abandonRulesCheck = (...levelLoaded) => {
      const request = this.fragCurrent?.stats;
      if (request === undefined || !isBeingMade(request, performance.now())) check(...levelLoaded);
    };
  }
}

/** For hls.js's `abrController`. */
export const patientAbr = PatientAbr as unknown as Abr;
