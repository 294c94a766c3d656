/** The calls of `subtitles`. Rules PLAY57 and PLAY58 of SPEC.md. */
import type { Handlers } from '#protocol/handler.ts';
import type { subtitles } from '#protocol/methods/subtitles.ts';
import type { Viewer } from '#protocol/schema/account.ts';
import type { UploadedSubtitle } from '#protocol/schema/subtitle.ts';
import type { Sight, StoredUpload, SubtitleStore, SubtitleVault } from './subtitle-ports.ts';

export function createSubtitleHandlers(store: SubtitleStore, vault: SubtitleVault): Handlers<typeof subtitles> {
  return {
    async list({ movieId }, { viewer, fail }) {
      const uploads =
        (await store.uploadsOf(movieId, sightOf(viewer))) ?? fail('notFound', { what: 'movie', id: movieId });
      return { subtitles: uploads.map((upload) => toUploadedSubtitle(upload, viewer)) };
    },
    async edit({ subtitleId, ...edit }, { viewer, fail }) {
      const upload =
        (await store.upload(subtitleId, sightOf(viewer))) ?? fail('notFound', { what: 'subtitles', id: subtitleId });
      if (!isTheirs(upload, viewer)) fail('forbidden', { permission: 'libraries:manage' });
      const edited =
        (await store.editUpload(subtitleId, edit)) ?? fail('notFound', { what: 'subtitles', id: subtitleId });
      return { subtitle: toUploadedSubtitle(edited, viewer) };
    },
    async remove({ subtitleId }, { viewer, fail }) {
      const upload =
        (await store.upload(subtitleId, sightOf(viewer))) ?? fail('notFound', { what: 'subtitles', id: subtitleId });
      if (!isTheirs(upload, viewer)) fail('forbidden', { permission: 'libraries:manage' });
      await store.removeUpload(subtitleId);
      await vault.remove(subtitleId);
      return {};
    },
    async setOffset({ fileId, subtitleId, offsetMs }, { viewer, fail }) {
      const isKept = await store.setOffset(viewer.id, fileId, subtitleId, offsetMs, sightOf(viewer));
      return isKept ? {} : fail('notFound', { what: 'subtitles', id: subtitleId });
    },
  };
}

/** [HIDE2] What was put away is there for those who edit, as everywhere. */
export function sightOf({ permissions }: Viewer): Sight {
  return { withHidden: permissions.includes('movies:edit') };
}

/** Whoever handed them in may change and remove them, and whoever manages libraries. */
function isTheirs({ userId }: StoredUpload, viewer: Viewer): boolean {
  return userId === viewer.id || viewer.permissions.includes('libraries:manage');
}

export function toUploadedSubtitle(upload: StoredUpload, viewer: Viewer): UploadedSubtitle {
  return {
    id: upload.id,
    fileId: upload.fileId,
    name: upload.name,
    format: upload.format,
    language: upload.language,
    isForced: upload.isForced,
    isHearingImpaired: upload.isHearingImpaired,
    sizeBytes: upload.sizeBytes,
    uploadedBy: upload.userName,
    uploadedAt: upload.uploadedAtMs,
    isMine: isTheirs(upload, viewer),
  };
}
