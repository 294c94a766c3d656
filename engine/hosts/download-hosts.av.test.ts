/** Real host processes that make real files, and are killed while they do. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { planTranscode } from '#engine/media/segment-plan.ts';
import { clip, h264, picture, tone } from '#test/support/media.ts';
import { descendants } from '#test/support/processes.ts';
import { AAC, H264, movie, temporaryFolder } from '#test/support/rendition.ts';
import { DownloadHosts } from './download-hosts.ts';
import type { DownloadEvent, DownloadSpec } from './download.port.ts';
import type { MediaHostsReport } from './media-supervisor.port.ts';
import { Quarantine } from './quarantine.ts';

const children = () => descendants(process.pid).filter(({ command }) => command.endsWith('/hosts/download.host.ts'));

let hosts: DownloadHosts | null = null;
afterEach(async () => {
  await hosts?.[Symbol.asyncDispose]();
  hosts = null;
});

function open() {
  const events: DownloadEvent[] = [];
  const reports: MediaHostsReport[] = [];
  hosts = new DownloadHosts({
    entry: new URL('./download.host.ts', import.meta.url),
    quarantine: new Quarantine([], () => undefined),
    onEvent: (_, event) => events.push(event),
    onReport: (report) => reports.push(report),
  });
  const end = (): DownloadEvent | undefined => events.find(({ kind }) => kind === 'finished' || kind === 'failed');
  return { hosts, events, reports, end };
}

async function order(): Promise<DownloadSpec> {
  const path = await clip({
    name: 'to-kill.mkv',
    args: [...picture(40, '320x180', '16'), ...tone(40), ...h264(32), '-c:a', 'aac', '-b:a', '64k'],
  });
  const { media, keyframesUs, durationUs, startUs } = movie(path);
  const folder = temporaryFolder();
  return {
    ...{ path, startUs, texts: [], chapters: [], title: null, year: null, hardware: null, maxBytes: 1e9 },
    workFolder: join(folder, 'work'),
    resultPath: join(folder, 'result.mp4'),
    boundariesUs: planTranscode(keyframesUs, durationUs, media.video[0]!.frameRate),
    video: { trackIndex: 0, output: H264, language: null },
    audio: [{ trackIndex: 1, output: AAC, otherwise: AAC, language: null, title: null, isDefault: true, roles: [] }],
  };
}

const patience = { timeout: 80_000 };

describe('files to take along', () => {
  it('[DOWN1] [DOWN2] a host that is killed is replaced, and the file comes all the same', async () => {
    const { hosts: own, events, reports, end } = open();
    const spec = await order();
    expect(own.open(1, spec)).toBeNull();
    await expect.poll(() => children().length, patience).toBe(1);
    const [first] = children();
    process.kill(first!.pid, 'SIGKILL');
    await expect.poll(end, patience).toMatchObject({ kind: 'finished' });
    expect(reports.map(({ kind }) => kind)).toEqual(['hostEnded']);
    expect(events.at(-1)).toEqual({ kind: 'finished', sizeBytes: (await stat(spec.resultPath)).size });
    // It ends with its file.
    await expect.poll(children, patience).toEqual([]);
    expect(own.count).toBe(0);
  });

  it('[DOWN3] [DOWN4] closing ends the process, also one that rests', async () => {
    const { hosts: own, events } = open();
    const spec = await order();
    own.open(1, spec);
    own.hold(1, true);
    await expect.poll(() => children().length, patience).toBe(1);
    const [child] = children();
    await own.close(1);
    expect(children().filter(({ pid }) => pid === child!.pid)).toEqual([]);
    expect(events.some(({ kind }) => kind === 'finished' || kind === 'failed')).toBe(false);
    expect((await readdir(join(spec.workFolder, '..'))).includes('result.mp4')).toBe(false);
    expect(own.open(2, { ...spec, path: '/nowhere.mkv' })).toBeNull();
    await expect.poll(() => events.at(-1), patience).toMatchObject({ kind: 'failed', trouble: 'sourceGone' });
  });
});
