/** The thread in which libraries are walked: one walk at a time, batch by batch as they are asked for. */
import { parentPort } from 'node:worker_threads';
import { lookAtRoot, statFile, walkTree } from './tree-walk.ts';
import type { WalkResult, WalkRules } from './tree-walk.ts';

export type WalkCall =
  | { readonly kind: 'look'; readonly root: string }
  | { readonly kind: 'stat'; readonly root: string; readonly paths: readonly string[] }
  | { readonly kind: 'open'; readonly root: string; readonly scopes: readonly string[]; readonly rules: WalkRules }
  /** Answered with a batch, `null` behind the last. */
  | { readonly kind: 'next' };

export type WalkAnswer = { readonly value: unknown } | { readonly error: Error };

let walk: Generator<WalkResult> | undefined;

function answer(call: WalkCall): unknown {
  switch (call.kind) {
    case 'look':
      return lookAtRoot(call.root);
    case 'stat':
      return call.paths.map((path) => statFile(call.root, path));
    case 'open':
      walk = walkTree(call.root, call.scopes, call.rules);
      return null;
    case 'next': {
      const next = walk?.next();
      return next === undefined || next.done === true ? null : next.value;
    }
  }
}

parentPort?.on('message', (call: WalkCall) => {
  let message: WalkAnswer;
  try {
    message = { value: answer(call) };
  } catch (error) {
    message = { error: error instanceof Error ? error : new Error(String(error)) };
  }
  parentPort?.postMessage(message);
});
