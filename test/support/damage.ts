/** Damage as disks and downloads do it, the same in every run. */

/** Changed bytes (many of them in the headers), a cut, a hole, or a repeated piece. */
export function damaged(original: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(original);
  const way = random();
  if (way < 0.15) return bytes.subarray(0, Math.floor(bytes.length * random()));
  if (way < 0.25) {
    const at = Math.floor(bytes.length * random());
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + Math.floor(random() * 5000))]);
  }
  if (way < 0.35) {
    const at = Math.floor(bytes.length * random());
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 3000), at), bytes.subarray(at)]);
  }
  const reach = way < 0.75 ? Math.min(4096, bytes.length) : bytes.length;
  for (let n = 1 + Math.floor(random() * 30); n > 0; n -= 1) {
    bytes[Math.floor(random() * reach)] = random() < 0.3 ? 0xff : Math.floor(random() * 256);
  }
  return bytes;
}

/** Park and Miller's generator: the same damage in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
