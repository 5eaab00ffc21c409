import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { isAlive, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { defaultRestartPolicy } from '../src/index.js';
import { event, realChild, started } from './real-child.js';

it('starts, becomes ready, stops on request, and reports a requested end', async () => {
	const { child, exits } = realChild();
	child.start();
	const { pid, epoch } = await event(child, 'ready');
	expect({ state: child.state, epoch }).toEqual({ state: 'ready', epoch: 1 });
	expect(child.pid).toBe(pid);
	await child.stop();
	expect(child.state).toBe('stopped');
	expect(isAlive(pid)).toBe(false);
	expect(exits).toMatchObject([{ reason: 'requested', code: 0, signal: null, epoch: 1, pid, wasReady: true }]);
});

it('restarts a process that was killed, once it is gone', async () => {
	const { child, exits, pids } = realChild({ policy: defaultRestartPolicy });
	child.start();
	await event(child, 'ready');
	process.kill(child.pid as number, 'SIGKILL');
	await event(child, 'ready');
	expect(child.epoch).toBe(2);
	expect(child.restarts).toBe(1);
	expect(exits).toMatchObject([{ reason: 'signal', signal: 'SIGKILL', epoch: 1, wasReady: true }]);
	expect(pids.map(isAlive)).toEqual([false, true]);
});

it('captures its output, line by line', async () => {
	const { child, run } = realChild();
	child.start();
	await event(child, 'ready');
	run("process.stdout.write('one\\ntw'); process.stderr.write('err\\n'); process.stdout.write('o\\nlast')");
	await child.stop();
	const lines = child.recentLogs();
	expect(lines.filter(({ stream }) => stream === 'stdout').map(({ line }) => line)).toEqual(['one', 'two', 'last']);
	expect(lines.filter(({ stream }) => stream === 'stderr').map(({ line }) => line)).toEqual(['err']);
});

it('leads its own process group, so that a Ctrl-C in the terminal reaches only the owner', async () => {
	const { child } = await started();
	const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1');
	const [, , group, session] = stat
		.slice(stat.lastIndexOf(')') + 2)
		.split(' ')
		.map(Number);
	expect({ group, session }).toEqual({ group: child.pid, session: child.pid });
});

it('gives each inspected child a port, and the same one again after a restart', async () => {
	const base = await twoFreePorts();
	const children = await Promise.all([0, 1].map((ordinal) => started({ spec: { ordinal, execArgv: [`--inspect=${base}`] } })));
	await Promise.all(children.map(({ child }) => child.restart('again')));
	const ports = children.map(({ child }) =>
		child.recentLogs().flatMap(({ line, epoch }) => {
			const port = /^Debugger listening on ws:\/\/[^/]*:(\d+)\//.exec(line)?.[1];
			return port === undefined ? [] : [{ epoch, port: Number(port) }];
		}),
	);
	expect(ports).toEqual(
		[base, base + 1].map((port) => [
			{ epoch: 1, port },
			{ epoch: 2, port },
		]),
	);
});

it('warns above the memory limit, ends the process gracefully and starts a new one', async () => {
	const { child, exits } = await started({ policy: defaultRestartPolicy, maxMemoryBytes: 100 });
	const warned = event(child, 'memory');
	const ready = event(child, 'ready');
	child.reportMemory(101);
	expect(await warned).toMatchObject({ rssBytes: 101, limitBytes: 100, over: true });
	await ready;
	expect(exits).toMatchObject([{ reason: 'memory-limit', code: 0 }]);
});

it('awaits beforeSpawn before every start, and starts nothing once that is cancelled', async () => {
	const asked: AbortSignal[] = [];
	const { child } = realChild({
		beforeSpawn: (signal) => {
			asked.push(signal);
			return new Promise(() => {});
		},
	});
	child.start();
	await waitFor('the question', () => asked.length === 1);
	await child.stop();
	expect({ aborted: asked[0]?.aborted, epoch: child.epoch, state: child.state }).toEqual({
		aborted: true,
		epoch: 0,
		state: 'stopped',
	});
});

/** A port that was free a moment ago, and the next one too. */
async function twoFreePorts(): Promise<number> {
	for (;;) {
		const first = await listening(0);
		const { port } = first.address() as AddressInfo;
		const second = await listening(port + 1).catch(() => undefined);
		for (const server of [first, second]) server?.close();
		if (second) return port;
	}
}

async function listening(port: number): Promise<Server> {
	const server = createServer().listen(port, '127.0.0.1');
	await once(server, 'listening');
	return server;
}
