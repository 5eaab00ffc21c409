import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { bootQuiet, isOnThisMachine } from './boot-quiet.js';

/** How long it takes while files are read until `readsUntilMs`. */
async function quietAfter(readsUntilMs: number): Promise<number> {
	const clock = fakeClock();
	let doneAt: number | undefined;
	const activeResources = () => ['TCPSocketWrap', ...(clock.monotonic() < readsUntilMs ? ['FSReqPromise'] : [])];
	void bootQuiet({ clock, activeResources }).then(() => {
		doneAt = clock.monotonic();
	});
	while (doneAt === undefined) await clock.advance(20);
	return doneAt;
}

it('ends 100 ms after the last file was read', async () => {
	expect(await quietAfter(0)).toBe(100);
	expect(await quietAfter(400)).toBe(480);
});

it('waits no longer than 1.5 s', async () => {
	expect(await quietAfter(Number.POSITIVE_INFINITY)).toBe(1500);
});

it.each([
	['ws://127.0.0.1:4000/worker/0/key', true],
	['ws://[::1]:4000', true],
	['wss://gateway.discord.gg', false],
])('detects whether %s is on this machine', (url, isLocal) => {
	expect(isOnThisMachine(url)).toBe(isLocal);
});
