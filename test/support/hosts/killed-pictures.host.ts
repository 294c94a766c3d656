/** Puts pictures into a cache until it is killed. Usage: killed-pictures.host.ts FOLDER */
import { PictureCache } from '#engine/store/files/picture-cache.ts';

const cache = await PictureCache.open(process.argv[2]!, 1e9);
const bytes = Buffer.alloc(4e6, 7);
process.send?.('begins');
for (let turn = 0; ; turn++) {
  await Promise.all([0, 1, 2].map((one) => cache.put(`${String(turn * 3 + one).padStart(22, '0')}-full.webp`, bytes)));
}
