/** Which file system a folder lies on, and whether the kernel hears of changes that others make on it. */
import { readFile, realpath } from 'node:fs/promises';

/** File systems whose files other machines change, of which inotify says nothing. By the kernel's names. */
const NETWORK = new Set([
  'nfs',
  'nfs4',
  'cifs',
  'smb3',
  'smbfs',
  'ncpfs',
  '9p',
  'afs',
  'ceph',
  'lustre',
  'gfs2',
  'ocfs2',
  'glusterfs',
  'davfs',
  'virtiofs',
  'vboxsf',
  'prl_fs',
  'vmhgfs',
]);
/** `fuse.sshfs`: kernel side FUSE, the rest by its program. Unions of local disks (`fuse.mergerfs`) and `fuseblk` hear what passes through them. */
const NETWORK_FUSE =
  /^fuse\.(?:sshfs|rclone|s3fs|goofys|gcsfuse|davfs2?|curlftpfs|glusterfs|vmhgfs-fuse|smbnetfs|juicefs|cephfs|ceph-fuse|seaweedfs|moosefs|google-drive-ocamlfuse|onedriver|portal|gvfsd-fuse|zurg|httpfs)/;

/** The file system's type where it is one of a network, else `null`; `null` too where the system does not tell. */
export async function networkFileSystem(path: string): Promise<string | null> {
  try {
    const real = await realpath(path);
    const type = mountTypeOf(real, await readFile('/proc/self/mountinfo', 'utf8'));
    return type !== null && (NETWORK.has(type) || NETWORK_FUSE.test(type)) ? type : null;
  } catch {
    return null;
  }
}

/** Type of the file system that `path` lies on, by the text of `/proc/self/mountinfo` (proc_pid_mountinfo(5)). */
export function mountTypeOf(path: string, mountinfo: string): string | null {
  let best: { length: number; type: string } | null = null;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = before
      .split(' ')[4]
      ?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
    const type = after.split(' ')[0];
    if (!point || !type) continue;
    const isBelow = path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
    // A later mount at the same place covers the earlier one.
    if (isBelow && (best === null || point.length >= best.length)) best = { length: point.length, type };
  }
  return best?.type ?? null;
}
