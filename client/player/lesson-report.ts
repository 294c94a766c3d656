/** What a device could not play is remembered at once on the device, and told to the server for this person. */
import { preferences as calls } from '#protocol/methods/preferences.ts';
import { isFailure } from '#protocol/errors.ts';
import { UNDRAWN } from '#protocol/schema/playback.ts';
import type { DrawnSubtitles, Playback, SentForm } from '#protocol/schema/playback.ts';
import type { DeviceLessons } from '#client/store/device-lessons.ts';
import type { Server } from '#client/store/ports.ts';
import { deviceName } from './device-name.ts';

/** Keeps that this playback failed here. Whether that was not known before. */
export function learnFrom(server: Pick<Server, 'call'>, lessons: DeviceLessons, playback: Playback): boolean {
  const { fileId, sent } = playback;
  const before = lessons.all;
  learn(server, lessons, fileId, sent);
  const isSame = ({ form, fileIds }: (typeof before)[number]): boolean =>
    fileIds.includes(fileId) && JSON.stringify(form) === JSON.stringify(sent);
  return !before.some(isSame);
}

/** Keeps that subtitles of this kind could not be drawn here. Whether that was not known before. */
export function learnUndrawn(
  server: Pick<Server, 'call'>,
  lessons: DeviceLessons,
  fileId: string,
  subtitles: DrawnSubtitles,
): boolean {
  if (lessons.isUndrawn(subtitles, fileId)) return false;
  learn(server, lessons, fileId, { ...UNDRAWN, subtitles });
  return true;
}

function learn(server: Pick<Server, 'call'>, lessons: DeviceLessons, fileId: string, form: SentForm): void {
  lessons.learn(form, fileId);
  const { deviceId, browser } = lessons;
  tell(server.call(calls.learn, { fileId, form, deviceId, device: deviceName(navigator.userAgent), browser }));
}

/** The person wants this file to be tried again in every way. */
export function unlearn(server: Pick<Server, 'call'>, lessons: DeviceLessons, fileId: string): void {
  const isMeant = ({ fileIds }: { readonly fileIds: readonly string[] }): boolean => fileIds.includes(fileId);
  const isKnown = lessons.all.some(isMeant);
  lessons.forget(isMeant);
  if (isKnown) tell(server.call(calls.forget, { fileId, deviceId: lessons.deviceId }));
}

/** The device remembers by itself: what the server did not hear helps this person on this device all the same. */
function tell(work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    if (!isFailure(error)) throw error;
  });
}
