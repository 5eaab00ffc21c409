import { expect, it } from 'vitest';
import { connectionReason, connectionRemedy } from './connection-remedy.js';

it.each([
	['WRONGPASS invalid username-password pair or user is disabled.', /user and the password/],
	['NOAUTH Authentication required.', /user and the password/],
	['self-signed certificate in certificate chain', /--cluster-ca/],
	['unable to verify the first certificate', /--cluster-ca/],
	[
		"Hostname/IP does not match certificate's altnames: IP: 10.0.0.5 is not in the cert's list",
		/host name that is in the certificate/,
	],
	['ssl3_read_bytes:tlsv13 alert certificate required', /--cluster-cert FILE and --cluster-key/],
	['ssl3_get_record:wrong version number', /use redis:\/\//],
	['getaddrinfo ENOTFOUND redis.example', /host name/],
	['Unknown RESP type 72 "H". Please report this.', /the host and the port/],
	['connect ECONNREFUSED 127.0.0.1:6379', /address.*rediss:\/\//],
])('names what to do: %s', (message, remedy) => {
	expect(connectionRemedy(new Error(message), { tls: false })).toMatch(remedy);
});

it('has an answer for a connection that gave no reason', () => {
	expect(connectionRemedy(undefined, { tls: true })).toMatch(/Check the address/);
});

it('names the certificate of the client where a server with TLS ends the connection without a reason', () => {
	const reset = new Error('write ECONNRESET');
	expect(connectionRemedy(reset, { tls: true })).toMatch(/--cluster-cert FILE and --cluster-key/);
	expect(connectionRemedy(reset, { tls: false })).toMatch(/Check the address/);
});

it('gives the reason of OpenSSL without its source files', () => {
	const error = Object.assign(new Error('80CC:error:0A000418:SSL routines:\n'), { reason: 'tlsv1 alert unknown ca' });
	expect(connectionReason(error)).toBe('tlsv1 alert unknown ca');
	expect(connectionReason(new Error('plain'))).toBe('plain');
	expect(connectionReason(new Error('Unknown RESP type 83 "S". Please report this.'))).toBe('what answers there is not Redis');
});
