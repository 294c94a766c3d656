/** Where a movie's picture lies in its element. Pure. */
import type { Box } from '#protocol/schema/subtitle-pictures.ts';

/** Where `object-fit: contain` puts a picture inside of its element. */
export function pictureBox(element: { width: number; height: number }, video: { width: number; height: number }): Box {
  if (video.width <= 0 || video.height <= 0) return { x: 0, y: 0, ...element };
  const scale = Math.min(element.width / video.width, element.height / video.height);
  const [width, height] = [video.width * scale, video.height * scale];
  return { x: (element.width - width) / 2, y: (element.height - height) / 2, width, height };
}
