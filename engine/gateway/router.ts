/** Finds the route of a path. A literal segment goes before a `{name}`, and that before a `{name*}`. */
import type { HttpRoute } from './http.ts';

export type Match =
  | { readonly kind: 'found'; readonly route: HttpRoute; readonly params: Readonly<Record<string, string>> }
  /** The path exists, but not for this method. */
  | { readonly kind: 'otherMethod'; readonly allowed: readonly string[] }
  | { readonly kind: 'notFound' };

interface Node {
  readonly literals: Map<string, Node>;
  param: { readonly name: string; readonly node: Node } | null;
  rest: { readonly name: string; readonly routes: Map<string, HttpRoute> } | null;
  readonly routes: Map<string, HttpRoute>;
}

const createNode = (): Node => ({ literals: new Map(), param: null, rest: null, routes: new Map() });
const NOT_FOUND: Match = { kind: 'notFound' };

export class Router {
  readonly #root = createNode();

  /** Throws where two routes are the same, or name one segment differently: only one of them could ever be reached as meant. */
  constructor(routes: readonly HttpRoute[]) {
    for (const route of routes) this.#add(route);
  }

  find(method: string, path: string): Match {
    const segments = decodePath(path);
    if (segments === null) return NOT_FOUND;
    const params: Record<string, string> = {};
    const routes = descend(this.#root, segments, 0, params);
    if (routes === null) return NOT_FOUND;
    const route = routes.get(method === 'HEAD' ? 'GET' : method);
    if (route) return { kind: 'found', route, params };
    const allowed = [...routes.keys()].flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
    return { kind: 'otherMethod', allowed: [...allowed, 'OPTIONS'] };
  }

  #add(route: HttpRoute): void {
    let node = this.#root;
    const segments = route.path.slice(1).split('/');
    for (const [index, segment] of segments.entries()) {
      const [, name, star] = /^\{(\w+)(\*)?\}$/.exec(segment) ?? [];
      if (name === undefined) {
        let next = node.literals.get(segment);
        if (!next) node.literals.set(segment, (next = createNode()));
        node = next;
      } else if (star === undefined) {
        node.param ??= { name, node: createNode() };
        if (node.param.name !== name) {
          throw new Error(
            `route ${route.path}: another route calls {${name}} {${node.param.name}}; use one name for one place`,
          );
        }
        node = node.param.node;
      } else {
        if (index !== segments.length - 1) throw new Error(`route ${route.path}: {${name}*} must be the last segment`);
        node.rest ??= { name, routes: new Map() };
        return this.#place(node.rest.routes, route);
      }
    }
    this.#place(node.routes, route);
  }

  #place(routes: Map<string, HttpRoute>, route: HttpRoute): void {
    if (routes.has(route.method)) throw new Error(`route ${route.method} ${route.path} is there twice`);
    routes.set(route.method, route);
  }
}

/** Segments of a path, decoded; `null` where one can't be, or could mean another place than it seems. */
function decodePath(path: string): readonly string[] | null {
  if (!path.startsWith('/')) return null;
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    if (!segment.includes('%')) continue;
    try {
      segments[index] = decodeURIComponent(segment);
    } catch {
      return null;
    }
  }
  return segments;
}

/** A segment that a handler may be given: nothing that climbs, hides a separator, or ends a C string. */
const isPlain = (segment: string): boolean =>
  segment !== '' && segment !== '.' && segment !== '..' && !/[/\\\p{Cc}]/u.test(segment);

function descend(
  node: Node,
  segments: readonly string[],
  index: number,
  params: Record<string, string>,
): ReadonlyMap<string, HttpRoute> | null {
  if (index === segments.length) return node.routes.size > 0 ? node.routes : null;
  const segment = segments[index]!;
  const literal = node.literals.get(segment);
  const found = literal ? descend(literal, segments, index + 1, params) : null;
  if (found) return found;
  if (node.param && isPlain(segment)) {
    const routes = descend(node.param.node, segments, index + 1, params);
    if (routes) {
      params[node.param.name] = segment;
      return routes;
    }
  }
  if (node.rest && segments.slice(index).every(isPlain)) {
    params[node.rest.name] = segments.slice(index).join('/');
    return node.rest.routes;
  }
  return null;
}
