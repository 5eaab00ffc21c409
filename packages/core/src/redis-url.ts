// Whether a text is the address of a Redis that can be used.

/** Undefined for one that can be. Never shows the URL, which may have a password in it. */
export function redisUrlProblem(url: string): string | undefined {
	// As other clients of Redis take them: a scheme of their own, or several addresses in one URL.
	if (/^[a-z+]*sentinel[a-z+]*:/i.test(url) || /^rediss?:\/\/[^/]*,/i.test(url)) {
		return (
			'names Sentinels or several servers, which are not followed: use the one address that always leads to the master, such as a ' +
			'host name or a proxy that follows the failover'
		);
	}
	if (!URL.canParse(url)) return 'must be the URL of a Redis, such as redis://10.0.0.5:6379';
	const { protocol, hostname: host } = new URL(url);
	if (protocol !== 'redis:' && protocol !== 'rediss:') return `must begin with redis:// or rediss://, got ${protocol}//`;
	return host === '' ? 'has no host: redis://HOST:PORT' : undefined;
}
