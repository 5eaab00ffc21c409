// Whom the files of a state folder are believed from. Some candidates for the folder are in places where every user can create one (the
// temporary folder), so a record or a socket counts only where no other user could have put it.
import { lstatSync, readFileSync, type Stats, statSync } from 'node:fs';

/** Users whose files are believed in a folder; null on Windows, where the folders are under the user's own profile. */
export type Owners = readonly number[] | null;

/**
 * Whose files are believed in this folder: this user's. Undefined where nothing in it is: it is not there, it is another user's, or others
 * can write to it. For root, `chosen` vouches for the folder of another user, whose fleet is then looked at.
 */
export function ownersIn(dir: string, { chosen }: { chosen: boolean }): Owners | undefined {
	if (process.platform === 'win32') return null;
	const me = process.getuid?.() ?? -1;
	try {
		const { uid } = lstatSync(dir);
		const stat = statSync(dir);
		const trusted = (user: number) => user === me || (chosen && me === 0);
		if (!stat.isDirectory() || !trusted(uid) || !trusted(stat.uid) || isOpen(stat)) return undefined;
		return [me, stat.uid];
	} catch {
		return undefined;
	}
}

/** Whether other users can write to it. */
export function isOpen({ mode }: Pick<Stats, 'mode'>): boolean {
	return (mode & 0o022) !== 0;
}

/** The text of a file that one of these users has written; undefined where there is none. */
export function readOwned(path: string, owners: Owners = own()): string | undefined {
	try {
		return isOwned(path, owners, 'file') ? readFileSync(path, 'utf8') : undefined;
	} catch {
		return undefined;
	}
}

/** Whether a file or socket belongs to one of these users and no other user can write it. Throws if it does not exist. */
export function isOwned(path: string, owners: Owners, kind: 'file' | 'socket'): boolean {
	if (owners === null) return true;
	const stat = lstatSync(path);
	const isKind = kind === 'file' ? stat.isFile() : stat.isSocket();
	return isKind && owners.includes(stat.uid) && !isOpen(stat);
}

function own(): Owners {
	return process.platform === 'win32' ? null : [process.getuid?.() ?? -1];
}
