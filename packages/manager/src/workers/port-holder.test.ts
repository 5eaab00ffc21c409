import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { addressInUse, holdsAddress } from './port-holder.js';

it('finds the address in the output of a process that ended', () => {
	const report = ['Error: listen EADDRINUSE: address already in use 127.0.0.1:3000', "  code: 'EADDRINUSE',", 'Node.js v22.23.0'];
	expect(addressInUse(report)).toBe('3000');
	expect(addressInUse(['Error: listen EADDRINUSE: address already in use :::80'])).toBe('80');
	expect(addressInUse(['Error: listen EADDRINUSE: address already in use /tmp/bot.sock'])).toBe('/tmp/bot.sock');
	expect(addressInUse(['Error: something else'])).toBeUndefined();
});

it.runIf(process.platform === 'linux')('detects whether a process listens on a port', async () => {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as { port: number };
	expect(holdsAddress(process.pid, String(port))).toBe(true);
	expect(holdsAddress(process.ppid, String(port))).toBe(false);
	await new Promise((resolve) => server.close(resolve));
	expect(holdsAddress(process.pid, String(port))).toBe(false);
});
