import type { AnchorHTMLAttributes, ComponentChildren, TargetedMouseEvent } from 'preact';
import { routePath } from '#client/store/navigation.ts';
import type { Route } from '#client/store/navigation.ts';
import { useLobby } from '../house.ts';

type Attributes = Pick<AnchorHTMLAttributes<HTMLAnchorElement>, 'aria-current' | 'aria-label' | 'title'>;

export interface LinkProps extends Attributes {
  readonly to: Route;
  readonly class?: string | undefined;
  readonly style?: Readonly<Record<string, string>>;
  readonly 'data-spatial-start'?: string | undefined;
  readonly onClick?: ((event: TargetedMouseEvent<HTMLAnchorElement>) => void) | undefined;
  readonly children?: ComponentChildren;
}

/** A link inside Matinee. A real one: it can be opened in a new tab, copied, and followed with any key. */
export function Link({ to, onClick, children, ...rest }: LinkProps) {
  const { navigation, prepare } = useLobby();
  return (
    <a
      {...rest}
      href={routePath(to)}
      onPointerEnter={() => prepare(to)}
      onFocus={() => prepare(to)}
      onClick={(event) => {
        onClick?.(event);
        const isOurs = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
        if (event.defaultPrevented || !isOurs) return;
        event.preventDefault();
        navigation.go(to);
      }}
    >
      {children}
    </a>
  );
}
