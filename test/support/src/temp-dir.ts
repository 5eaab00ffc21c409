// A folder for one test, removed when the test ends.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Creates an empty folder and removes it with its contents when the running test finishes, or by `cleanUp`, such as afterAll. */
export function tempDir(prefix = 'shardctl-test-', cleanUp: (remove: () => void) => void = onTestFinished): string {
	const dir = mkdtempSync(join(tmpdir(), prefix));
	cleanUp(() => rmSync(dir, { recursive: true, force: true }));
	return dir;
}
