// The process of the simulated Discord, so that it shares no event loop with any contender. It holds several simulators, one for
// each fleet that needs its own count of identifies.
import { ipcPort, Peer } from '@shardctl/rpc';
import { createSimulator } from '@shardctl/simulator';

const peer = new Peer({ port: ipcPort(process), epoch: 1 });
const simulators = new Map();
let lastId = 0;

peer.handle('create', async (options) => {
	const id = ++lastId;
	const simulator = await createSimulator(options);
	simulators.set(id, simulator);
	return { id, api: simulator.url, token: simulator.token };
});
/** Received IDENTIFYs, rejected ones included, and violations of Discord's rules. */
peer.handle('counts', ({ id }) => ({
	identifies: simulators.get(id).log.entries({ type: 'identify' }).length,
	violations: simulators.get(id).violations({ hardOnly: true }).length,
}));
peer.handle('stop', async ({ id }) => {
	await simulators.get(id).stop();
	simulators.delete(id);
	return null;
});
