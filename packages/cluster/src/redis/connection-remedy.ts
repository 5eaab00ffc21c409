// What an operator does about a connection to Redis that cannot be made, by the reason that Node or Redis gave.
import { messageOf } from '@shardctl/core';

const certificateOptions =
	'--cluster-cert FILE and --cluster-key FILE, for an event queue --queue-cert FILE and --queue-key FILE, in a worker of a queue tls';

const remedies: readonly (readonly [RegExp, string])[] = [
	[/WRONGPASS|NOAUTH|invalid password/, 'Check the user and the password in the URL: redis://USER:PASSWORD@HOST:PORT'],
	[
		/self.signed|unable to (get|verify)|UNABLE_TO|SELF_SIGNED/i,
		'Name the certificate of the authority that signed the certificate of Redis: --cluster-ca FILE, for an event queue --queue-ca FILE, in a worker of a queue tls.ca',
	],
	[/altnames|ALTNAME/i, 'Use the host name that is in the certificate of Redis'],
	[/certificate has expired|CERT_HAS_EXPIRED/, 'Renew the certificate of Redis'],
	[
		/alert certificate required|alert handshake failure|alert bad certificate|alert unknown ca/i,
		`Redis asks for a certificate of its clients, signed by an authority that Redis knows: ${certificateOptions}`,
	],
	[/wrong version number|packet length too long/i, 'Redis does not use TLS on this port: use redis:// or the port for TLS'],
	[/ENOTFOUND|EAI_AGAIN/, 'Check the host name'],
	[/is not Redis/, 'Check the host and the port in the URL'],
];

/** Why, in one line: OpenSSL's own text is its source file and several codes. */
export function connectionReason(error: unknown): string {
	const reason = (error as { reason?: string } | undefined)?.reason ?? messageOf(error);
	// The parser of ioredis asks to report it.
	return /Unknown RESP type|Protocol error/.test(reason) ? 'what answers there is not Redis' : reason;
}

export function connectionRemedy(error: unknown, { tls }: { tls: boolean }): string {
	const text = error === undefined ? '' : `${(error as { code?: string }).code ?? ''} ${connectionReason(error)}`;
	const remedy = remedies.find(([reason]) => reason.test(text))?.[1];
	if (remedy !== undefined) return remedy;
	// A server that refuses a certificate may end the connection before its alert has arrived.
	if (tls && /ECONNRESET|EPIPE|closed/i.test(text)) {
		return `Check that Redis uses TLS on this port, and whether it asks for a certificate of its clients: ${certificateOptions}`;
	}
	const expected = tls ? 'uses TLS on this port' : 'runs there, and that the URL begins with rediss:// if it uses TLS';
	return `Check the address, that Redis ${expected}`;
}
