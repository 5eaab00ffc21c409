// The error of an adapter for a client whose version of a library it cannot drive.
import { ShardctlError } from '@shardctl/core';

/**
 * @param name The package.
 * @param version The client's, where it is known.
 * @param supported The versions that work, as text.
 */
export function unsupported({ name, version, supported }: { name: string; version?: string; supported: string }): ShardctlError {
	return new ShardctlError(
		'UNSUPPORTED_LIBRARY',
		`attach() cannot drive ${version === undefined ? `this version of ${name}` : `${name} ${version}`}; it supports ${supported}. ` +
			`Update with npm install ${name}@latest`,
		{ details: { name, version, supported } },
	);
}
