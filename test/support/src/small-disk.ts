// A disk that is soon full: a small file system in memory, which only root can mount.
import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { tempDir } from './temp-dir.js';

/** Whether a small file system can be mounted here. */
export const canMount = (() => {
	if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
	const folder = tempDir('shardctl-mount-', (end) => end());
	try {
		execFileSync('mkdir', ['-p', folder]);
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { stdio: 'ignore' });
		execFileSync('umount', [folder]);
		return true;
	} catch {
		return false;
	}
})();

/** For the end of the name of a test that is skipped without {@link canMount}. */
export const mountNotice = canMount ? '' : ' (skipped: needs root, to mount a small file system)';

/** An empty folder on a file system of this size, for this user only; it is gone when the test finishes. */
export function smallDisk(size: string): string {
	const folder = tempDir();
	execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'none', folder]);
	onTestFinished(() => void execFileSync('umount', ['-l', folder]));
	return folder;
}
