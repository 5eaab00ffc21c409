// Prevents a regression of what the benchmark shows: its short subset, whose bounds are ratios and counts with margin for noise.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

interface Claim {
	text: string;
	found: string;
	holds: boolean;
}

const command = fileURLToPath(new URL('./run.mjs', import.meta.url));

it('is not slower, and uses no more identifies, than the benchmark has shown', async () => {
	const { stdout } = await promisify(execFile)(process.execPath, [command, 'guard', '--json']);
	const { claims } = JSON.parse(stdout) as { claims: Claim[] };
	expect(claims.length).toBeGreaterThanOrEqual(3);
	expect(claims.filter(({ holds }) => !holds)).toEqual([]);
});
