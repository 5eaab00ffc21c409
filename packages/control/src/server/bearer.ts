// The token that requests over TCP must carry.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';

/** Checks `Authorization: Bearer …` in constant time: equal or not, long or short, the comparison takes the same. */
export function bearerCheck(token: string): (authorization: string | undefined) => boolean {
	const wanted = digest(token);
	return (authorization) => {
		const given = /^Bearer\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1];
		return timingSafeEqual(wanted, digest(given ?? '')) && given !== undefined;
	};
}

/** The token in the file that only this user can read; generated if the file does not exist. */
export function keptToken(path: string): string {
	try {
		const kept = readFileSync(path, 'utf8').trim();
		if (kept.length >= 32) return kept;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
	}
	const token = randomBytes(24).toString('base64url');
	writeFileSync(path, `${token}\n`, { mode: 0o600 });
	chmodSync(path, 0o600);
	return token;
}

function digest(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
