// Fails a test file that leaves a child process, a server or a socket behind (vitest's setup file for every project).
import { afterAll } from 'vitest';
import { waitFor } from './wait-for.js';

const watched = new Set(['ProcessWrap', 'TCPServerWrap', 'TCPSocketWrap', 'PipeServerWrap']);

function resources(): string[] {
	return process.getActiveResourcesInfo().filter((name) => watched.has(name));
}

const before = resources().length;

afterAll(async () => {
	await waitFor('the end of every child, server and socket that this file opened', () => resources().length <= before, {
		timeoutMs: 30_000,
	}).catch((error: unknown) => {
		throw new Error(`this test file leaks: ${resources().join(', ')}`, { cause: error });
	});
});
