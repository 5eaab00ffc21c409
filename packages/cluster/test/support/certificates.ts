// An authority and certificates that it has signed, made with openssl for one test. Without openssl the tests are skipped, with a notice.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

export interface Certificate {
	/** Files. */
	readonly cert: string;
	readonly key: string;
	/** Their content. */
	read(): { cert: string; key: string };
}

export interface Authority {
	readonly ca: string;
	readCa(): string;
	/** For a server on loopback, or a client. */
	sign(name: string): Certificate;
}

export function certificateAuthority(dir: string, name = 'authority'): Authority {
	const file = (of: string, kind: string) => join(dir, `${of}.${kind}`);
	const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
	const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
	const ca = file(name, 'crt');
	openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-keyout', file(name, 'key'), '-out', ca);
	return {
		ca,
		readCa: () => readFileSync(ca, 'utf8'),
		sign: (of) => {
			const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1';
			const signed = ['-CA', ca, '-CAkey', file(name, 'key'), '-addext', names];
			openssl('req', '-x509', ...newKey, ...signed, '-subj', `/CN=${of}`, '-keyout', file(of, 'key'), '-out', file(of, 'crt'));
			return {
				cert: file(of, 'crt'),
				key: file(of, 'key'),
				read: () => ({ cert: readFileSync(file(of, 'crt'), 'utf8'), key: readFileSync(file(of, 'key'), 'utf8') }),
			};
		},
	};
}
