import type { Trickplay } from '#protocol/schema/moments.ts';
import type { PreviewSheets } from '#client/player/preview-sheets.ts';
import styles from './moments.module.css';

/** A picture of 320 has as many points as the screen shows on a phone, and more than enough on a desk. */
const MAX_SCALE = 0.75;
const MIN_SCALE = 0.5;

interface Props {
  readonly sheets: PreviewSheets;
  readonly fileId: string;
  readonly trickplay: Trickplay;
  readonly ms: number;
  /** Of the width that it would have at the bar. */
  readonly share?: number;
}

/** How wide a preview is shown, in CSS pixels: as crisp as its points allow. */
export function previewWidth({ widthPx }: Trickplay): number {
  return Math.round(widthPx * Math.min(MAX_SCALE, Math.max(MIN_SCALE, 1 / devicePixelRatio)));
}

/** The picture for a time, with its place kept until it is there. Nothing where it will not come. */
export function PreviewPicture({ sheets, fileId, trickplay, ms, share = 1 }: Props) {
  void sheets.version.value;
  if (sheets.hasFailed(fileId, trickplay, ms)) return null;
  const picture = sheets.pictureAt(fileId, trickplay, ms);
  const scale = (previewWidth(trickplay) / trickplay.widthPx) * share;
  const { widthPx, heightPx, columns } = trickplay;
  return (
    <span
      class={styles.picture}
      data-here={picture !== null}
      style={{
        inlineSize: `${widthPx * scale}px`,
        blockSize: `${heightPx * scale}px`,
        ...(picture !== null && {
          backgroundImage: `url("${picture.url}")`,
          backgroundSize: `${columns * widthPx * scale}px auto`,
          backgroundPosition: `${-picture.x * scale}px ${-picture.y * scale}px`,
        }),
      }}
    />
  );
}
