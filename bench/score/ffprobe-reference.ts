/** `INDEX.json` of a media folder: what ffprobe said about each file. Only the fields that a score looks at. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';

const Tags = v.optional(v.record(v.string(), v.string()), {});

const Stream = v.object({
  index: v.number(),
  codec_type: v.optional(v.string()),
  codec_name: v.optional(v.string()),
  profile: v.optional(v.string()),
  level: v.optional(v.number()),
  width: v.optional(v.number()),
  height: v.optional(v.number()),
  sample_aspect_ratio: v.optional(v.string()),
  pix_fmt: v.optional(v.string()),
  field_order: v.optional(v.string()),
  color_range: v.optional(v.string()),
  color_space: v.optional(v.string()),
  color_transfer: v.optional(v.string()),
  color_primaries: v.optional(v.string()),
  avg_frame_rate: v.optional(v.string()),
  time_base: v.optional(v.string()),
  bits_per_raw_sample: v.optional(v.string()),
  bits_per_sample: v.optional(v.number()),
  channels: v.optional(v.number()),
  channel_layout: v.optional(v.string()),
  sample_rate: v.optional(v.string()),
  bit_rate: v.optional(v.string()),
  disposition: v.optional(v.record(v.string(), v.number()), {}),
  tags: Tags,
  side_data_list: v.optional(v.array(v.looseObject({ side_data_type: v.string() })), []),
});
export type ReferenceStream = v.InferOutput<typeof Stream>;

const Reference = v.object({
  format: v.object({
    format_name: v.string(),
    start_time: v.optional(v.string()),
    duration: v.optional(v.string()),
    size: v.optional(v.string()),
    bit_rate: v.optional(v.string()),
    tags: Tags,
  }),
  streams: v.array(Stream),
  chapters: v.optional(v.array(v.object({ start_time: v.string(), end_time: v.string(), tags: Tags })), []),
});
export type Reference = v.InferOutput<typeof Reference>;

/** `null` where ffprobe refused the file. */
const Entry = v.object({ file: v.string(), ffprobe: v.optional(v.object({ json: v.nullish(v.unknown()) })) });
const Index = v.object({ real: v.optional(v.array(Entry), []), made: v.optional(v.array(Entry), []) });

export interface ReferenceFile {
  readonly file: string;
  /** `null`: ffprobe could not read it. */
  readonly reference: Reference | null;
}

export async function readReferences(folder: string): Promise<ReferenceFile[]> {
  const index = v.parse(Index, JSON.parse(await readFile(join(folder, 'INDEX.json'), 'utf8')));
  return [...index.real, ...index.made].map(({ file, ffprobe }) => {
    const parsed = v.safeParse(Reference, ffprobe?.json);
    return { file, reference: parsed.success ? parsed.output : null };
  });
}
