/** Where the pictures of subtitles go over a movie's picture. Pure. */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where `object-fit: contain` puts a picture inside of its element. */
export function pictureBox(element: { width: number; height: number }, video: { width: number; height: number }): Box {
  if (video.width <= 0 || video.height <= 0) return { x: 0, y: 0, ...element };
  const scale = Math.min(element.width / video.width, element.height / video.height);
  const [width, height] = [video.width * scale, video.height * scale];
  return { x: (element.width - width) / 2, y: (element.height - height) / 2, width, height };
}

/**
 * Where the canvas of subtitles lies. Those of discs in standard definition have pixels as wide as the movie's and cover it exactly. Others
 * have square pixels, and a movie whose black bars were cut off is a part of their canvas: it goes over the picture on all sides.
 */
export function canvasBox(picture: Box, canvas: { readonly width: number; readonly height: number }): Box {
  if (canvas.width <= 768 && canvas.height <= 576) return picture;
  const scale = Math.max(picture.width / canvas.width, picture.height / canvas.height);
  const [width, height] = [canvas.width * scale, canvas.height * scale];
  // A pixel of difference is rounding, not cropping.
  if (
    Math.abs(width - picture.width) < picture.width * 0.01 &&
    Math.abs(height - picture.height) < picture.height * 0.01
  ) {
    return picture;
  }
  return { x: picture.x + (picture.width - width) / 2, y: picture.y + (picture.height - height) / 2, width, height };
}

/** A region of the canvas in the element. What would lie outside of it, since bars were cut off, is moved inside. */
export function regionBox(
  canvas: Box,
  size: { readonly width: number; readonly height: number },
  region: Box,
  element: { readonly width: number; readonly height: number },
): Box {
  const [scaleX, scaleY] = [canvas.width / size.width, canvas.height / size.height];
  const [width, height] = [region.width * scaleX, region.height * scaleY];
  const inside = (at: number, length: number, most: number): number => Math.max(Math.min(at, most - length), 0);
  return {
    x: inside(canvas.x + region.x * scaleX, width, element.width),
    y: inside(canvas.y + region.y * scaleY, height, element.height),
    width,
    height,
  };
}
