import { identifyCoordinatorContract } from '@shardctl/contract-suites';
import { fakeClock } from '@shardctl/test-support';
import { LocalIdentifyCoordinator } from './local-coordinator.js';

identifyCoordinatorContract('LocalIdentifyCoordinator', async ({ reserve }) => {
	const clock = fakeClock();
	const coordinator = new LocalIdentifyCoordinator({ clock, reserve });
	return { clock, connect: async () => coordinator };
});
