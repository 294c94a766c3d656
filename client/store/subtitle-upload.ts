/** Handing in a file of subtitles: bytes go by HTTP, where they have no place on the socket. */
import * as v from 'valibot';
import { UploadedSubtitle } from '#protocol/schema/subtitle.ts';

export interface SubtitleUpload {
  readonly fileId: string;
  /** One file; or a `.sub` with its `.idx`. */
  readonly files: readonly File[];
  /** BCP 47; `null` where nobody says. */
  readonly language: string | null;
}

/** What the server said of a file that it did not take, in its own words. */
export class UploadRefused extends Error {}

const Reply = v.object({ subtitle: UploadedSubtitle });
const Problem = v.object({ detail: v.string() });

export async function uploadSubtitle({ fileId, files, language }: SubtitleUpload): Promise<UploadedSubtitle> {
  const index = files.find(({ name }) => /\.idx$/i.test(name));
  const main = files.find((file) => file !== index);
  if (main === undefined) throw new UploadRefused('An index alone holds no subtitles: choose its .sub as well.');
  const query = new URLSearchParams({ name: main.name });
  if (language !== null) query.set('language', language);
  if (index !== undefined) query.set('index', String(index.size));
  const response = await fetch(`/subtitles/${fileId}?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: index === undefined ? main : new Blob([index, main]),
    credentials: 'same-origin',
  }).catch(() => {
    throw new UploadRefused('The server does not answer. Try it again in a moment.');
  });
  const reply: unknown = await response.json().catch(() => null);
  if (response.ok) return v.parse(Reply, reply).subtitle;
  const problem = v.safeParse(Problem, reply);
  throw new UploadRefused(problem.success ? problem.output.detail : `The server refused it (${response.status}).`);
}
