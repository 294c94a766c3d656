/** The change of screens as one movement: the picture that was chosen becomes the picture of its page, and finds its way back. */

const PICTURE = 'picture';

let chosen: HTMLElement | null = null;

function release(element: HTMLElement | null): void {
  element?.style.removeProperty('view-transition-name');
}

/** The picture that the next change of screens starts from. */
export function choosePicture(element: HTMLElement | null): void {
  release(chosen);
  chosen = element;
}

function isStill(): boolean {
  return (
    !('startViewTransition' in document) ||
    matchMedia('(prefers-reduced-motion: reduce)').matches ||
    document.visibilityState === 'hidden'
  );
}

/** Preact draws in a microtask; one task later the new screen is in the document. */
const drawn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/**
 * Makes a change of screens, animated where the browser can and the person does not mind. `leaving` is the movie whose page is left:
 * its tile, where the next screen shows one, takes the picture back. `isAtOnce`: what comes is waited for, and nothing of it is painted
 * while two screens fade into each other, which took a quarter of the time from a click to the first frame.
 */
export function changeScreens(change: () => void, leaving: string | null, isAtOnce: boolean): void {
  const from = chosen;
  chosen = null;
  if (isAtOnce || isStill()) {
    change();
    return;
  }
  from?.style.setProperty('view-transition-name', PICTURE);
  let target: HTMLElement | null = null;
  const transition = document.startViewTransition(async () => {
    release(from);
    change();
    await drawn();
    if (leaving !== null && from === null) {
      target = document.querySelector<HTMLElement>(`[data-movie="${CSS.escape(leaving)}"]`);
      target?.style.setProperty('view-transition-name', PICTURE);
    }
  });
  const end = (): void => release(target);
  // A skipped transition has still made the change; there is nothing to repair.
  transition.ready.catch(() => undefined);
  transition.finished.then(end, end);
}
