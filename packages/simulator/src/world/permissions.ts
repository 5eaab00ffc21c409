// Permissions as Discord sends them: a number of bits, as a string. Discord: Permissions.

/** Every permission that there is. */
export const allPermissions = '2251799813685247';

const administrator = 8n;

/** What these bits allow in a guild: an administrator may do everything. */
export function effectivePermissions(bits: string): string {
	return (BigInt(bits) & administrator) === 0n ? bits : allPermissions;
}
