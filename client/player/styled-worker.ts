/**
 * JASSUB's worker without its talk. libass tells of itself and of each font that it looks for, and JASSUB's own worker writes all of that to the
 * console and then looks for fonts elsewhere; here every font that there is was given to it before.
 */
import { ASSRenderer } from 'jassub/dist/worker/worker.js';

ASSRenderer.prototype._log = () => Promise.resolve();
