// The token that requests over TCP must carry.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Checks `Authorization: Bearer …` in constant time: equal or not, long or short, the comparison takes the same. */
export function bearerCheck(token: string): (authorization: string | undefined) => boolean {
	const wanted = digest(token);
	return (authorization) => {
		const given = /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1];
		return timingSafeEqual(wanted, digest(given ?? '')) && given !== undefined;
	};
}

/** The token in the file that only this user can read; generated if there is no such file, or another user could have read it. */
export function keptToken(path: string): string {
	try {
		const stat = lstatSync(path);
		const isPrivate = process.platform === 'win32' || ((stat.mode & 0o077) === 0 && stat.uid === process.getuid?.());
		// A pipe would never be read to its end, and a link leads where the mode was decided by another.
		const kept = isPrivate && stat.isFile() ? readFileSync(path, 'utf8').trim() : '';
		if (kept.length >= 32) return kept;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
	}
	const token = randomBytes(24).toString('base64url');
	// A file of its own, whose mode nothing else has decided.
	rmSync(path, { force: true });
	writeFileSync(path, `${token}\n`, { mode: 0o600, flag: 'wx' });
	chmodSync(path, 0o600);
	return token;
}

function digest(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
