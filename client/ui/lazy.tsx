import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Button } from './parts/button.tsx';
import { StatePage, Waiting } from './parts/state-page.tsx';

/** A screen that is fetched when it is first wanted. `preload` fetches it in quiet moments, so that few ever wait for it. */
export interface LazyScreen<Props> {
  readonly Screen: ComponentType<Props>;
  preload(): void;
}

/** `isQuiet`: nothing stands in its place meanwhile, as suits a dialog. */
export function lazyScreen<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  { isQuiet = false }: { readonly isQuiet?: boolean } = {},
): LazyScreen<Props> {
  let loaded: ComponentType<Props> | null = null;
  let loading: Promise<void> | null = null;
  const begin = (): Promise<void> => {
    loading ??= load().then(
      (component) => {
        loaded = component;
      },
      (error: unknown) => {
        // The next attempt starts afresh.
        loading = null;
        throw error;
      },
    );
    return loading;
  };

  function Screen(props: Props) {
    const [, setState] = useState(0);
    const [hasFailed, setFailed] = useState(false);
    const start = (): void => {
      setFailed(false);
      begin().then(
        () => setState((count) => count + 1),
        () => setFailed(true),
      );
    };
    const Loaded = loaded;
    useEffect(() => {
      // Also where it has arrived since this was drawn: then it is drawn again at once.
      if (Loaded === null) start();
    }, []);
    if (Loaded !== null) return <Loaded {...props} />;
    if (!hasFailed) return isQuiet ? null : <Waiting />;
    return (
      <StatePage
        title="This part did not arrive"
        actions={
          <>
            <Button look="bright" onClick={start}>
              Try again
            </Button>
            <Button onClick={() => location.reload()}>Reload the page</Button>
          </>
        }
      >
        <p>The line dropped, or the server was updated while this page was open.</p>
      </StatePage>
    );
  }

  return {
    Screen,
    preload() {
      begin().catch(() => undefined);
    },
  };
}
