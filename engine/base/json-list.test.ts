import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitJsonList } from './json-list.ts';
import type { JsonListItem } from './json-list.ts';

async function* inPieces(text: string, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function split(text: string, sizes: readonly number[] = [], maxItemBytes = 1_000): Promise<JsonListItem[]> {
  const items: JsonListItem[] = [];
  for await (const item of splitJsonList(inPieces(text, sizes), maxItemBytes)) items.push(item);
  return items;
}

describe('a JSON list in pieces', () => {
  it('gives what JSON.parse gives, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ maxDepth: 3 })),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        fc.constantFrom(undefined, 2),
        async (values, sizes, indent) => {
          const text = JSON.stringify(values, null, indent);
          const items = await split(text, sizes, 1_000_000);
          expect(items).toEqual((JSON.parse(text) as unknown[]).map((value) => ({ kind: 'item', value })));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('loses an element that is too large, or no JSON, and no other', async () => {
    const text = `[{"a":1},{"b":"${'x'.repeat(2_000)}"},{oops},,"c"]`;
    for (const sizes of [[], [1], [7]]) {
      expect(await split(text, sizes)).toEqual([
        { kind: 'item', value: { a: 1 } },
        { kind: 'skipped' },
        { kind: 'skipped' },
        { kind: 'skipped' },
        { kind: 'item', value: 'c' },
      ]);
    }
  });

  it.each(['', '{"a":[1]}', '<html>[1]</html>', 'null', '[1,{"a":2}', '[1] [2]', '["'])(
    'says that %j is no list',
    async (text) => {
      expect((await split(text)).at(-1)).toEqual({ kind: 'notAList' });
    },
  );
});
