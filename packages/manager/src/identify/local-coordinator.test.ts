import { identifyCoordinatorContract } from '@shardctl/contract-suites';
import { fakeClock, tempDir } from '@shardctl/test-support';
import { expect, it, onTestFinished, vi } from 'vitest';
import { LastIdentify } from './last-identify.js';
import { LocalIdentifyCoordinator } from './local-coordinator.js';

identifyCoordinatorContract('LocalIdentifyCoordinator', async ({ reserve }) => {
	const clock = fakeClock();
	const coordinator = new LocalIdentifyCoordinator({ clock, reserve });
	return { clock, connect: async () => coordinator };
});

it('begins behind the window of the manager before it', async () => {
	vi.stubEnv('SHARDCTL_STATE_DIR', tempDir());
	onTestFinished(() => void vi.unstubAllEnvs());
	const clock = fakeClock();
	const next = () => new LocalIdentifyCoordinator({ clock, reserve: 0, last: new LastIdentify({ token: 'MTIz.a.b', clock }) });
	const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 16 };
	const request = { shardId: 3, automatic: false };
	const never = new AbortController().signal;

	const before = next();
	await before.update(limit);
	const first = await before.acquire(request, never);
	if (first.allowed) first.slot.sent();
	await clock.advance(2000);

	const after = next();
	await after.update(limit);
	const granted = vi.fn<() => void>();
	void after.acquire(request, never).then(() => granted());
	await clock.advance(2900);
	expect(granted).not.toHaveBeenCalled();
	await clock.advance(500);
	expect(granted).toHaveBeenCalledOnce();
});
