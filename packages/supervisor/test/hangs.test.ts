// Processes whose main thread stops responding, and processes that only look like it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fakeClock, isAlive, listeningPorts, waitFor } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { defaultRestartPolicy } from '../src/index.js';
import { event, type RealChild, realChild, started } from './real-child.js';

const heartbeat = { intervalMs: 20, timeoutMs: 400 };

/** Resolves when a heartbeat that is sent from now on has been answered. */
async function pong({ pongs }: RealChild): Promise<void> {
	const before = pongs();
	// The response to one may have been in flight already.
	await waitFor('an answer', () => pongs() >= before + 2);
}

/** A started child whose first heartbeat has been answered: before that, silence counts as loading. */
async function beating(options: Parameters<typeof started>[0] = {}): Promise<RealChild> {
	const made = await started({ heartbeat, killAfterMs: 100, ...options });
	await waitFor('the first answer', () => made.pongs() > 0);
	return made;
}

describe('a busy loop', () => {
	it('is reported and replaced, and the report names the function it is in', async () => {
		const { child, run, exits, pids } = await beating({ policy: defaultRestartPolicy });
		const silent = event(child, 'unresponsive');
		run("process.on('SIGTERM', () => {}); (function countSheep() { for (;;) {} })()");
		expect(await silent).toEqual({ pid: pids[0], epoch: 1, silentForMs: 400 });
		await event(child, 'ready');
		expect(exits).toMatchObject([{ reason: 'hung', signal: 'SIGKILL', message: expect.stringContaining('400 ms') }]);
		expect(exits[0]?.stack[0]).toMatch(/^countSheep \(/);
		expect(pids.map(isAlive)).toEqual([false, true]);
	});

	it("keeps inspector output out of the bot's logs", async () => {
		const { child, run } = await beating();
		const exited = event(child, 'exited');
		run("process.stderr.write('my words\\n'); for (;;) {}");
		const report = await exited;
		expect(report.stack).not.toEqual([]);
		expect(child.recentLogs().map(({ line }) => line)).toEqual(['my words']);
		expect(report.stderrTail).toEqual(['my words']);
	});
});

describe('a temporary hang', () => {
	it.runIf(process.platform === 'linux')('finding 3: leaves no inspector open, and a second hang is still found', async () => {
		const made = await beating({ closeInspector: true });
		const { child, run, pids } = made;
		const pid = pids[0] as number;
		for (const round of [1, 2]) {
			const silent = event(child, 'unresponsive');
			process.kill(pid, 'SIGSTOP');
			await silent;
			process.kill(pid, 'SIGCONT');
			await waitFor('its answer', () => child.state === 'ready');
			await waitFor('the inspector to be closed', () => made.inspectorsClosed() >= round);
			await pong(made);
			expect(listeningPorts(pid)).toEqual([]);
		}
		const exited = event(child, 'exited');
		run('(function countSheep() { for (;;); })()');
		expect((await exited).stack[0]).toMatch(/^countSheep \(/);
		expect(pids).toHaveLength(1);
	});

	it.runIf(process.platform === 'linux')('finding 3: the open inspector does not publish its address', async () => {
		const { child, run, pids } = await beating({ killAfterMs: 5000 });
		const draining = event(child, 'unresponsive');
		run("process.on('SIGTERM', () => {}); for (;;);");
		await draining;
		let port: number | undefined;
		await waitFor('the inspector', () => {
			port = listeningPorts(pids[0] as number)[0];
			return port !== undefined;
		});
		const answers = await Promise.all(
			['/json', '/json/list', '/json/version'].map(async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).status),
		);
		expect(answers).toEqual([404, 404, 404]);
	});

	it('finding 5: text on standard error neither excuses a hang nor names an address to connect to', async () => {
		const asked: string[] = [];
		const trap = createServer((request) => asked.push(request.url ?? '')).on('upgrade', (request) =>
			asked.push(request.url ?? ''),
		);
		await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
		onTestFinished(() => void trap.close());
		const { port } = trap.address() as AddressInfo;
		const { child, run, exits } = await beating();
		const exited = event(child, 'exited');
		run(
			`console.error('bad command: x\\nDebugger listening on ws://127.0.0.1:${port}/secret\\nDebugger attached.\\ny'); (function stuck() { for (;;); })()`,
		);
		await exited;
		expect(exits).toMatchObject([{ reason: 'hung' }]);
		expect(exits[0]?.stack[0]).toMatch(/^stuck \(/);
		expect(asked).toEqual([]);
		expect(child.recentLogs().map(({ line }) => line)).toContain('Debugger attached.');
	});
});

describe('a stopped process (kill -STOP)', () => {
	it('is hung, and killed, though it cannot handle a SIGTERM', async () => {
		const { child, exits, pids } = await beating({ policy: defaultRestartPolicy });
		process.kill(pids[0] as number, 'SIGSTOP');
		await event(child, 'ready');
		expect(exits).toMatchObject([{ reason: 'hung', signal: 'SIGKILL', stack: [] }]);
		expect(pids.map(isAlive)).toEqual([false, true]);
	});
});

describe('a process that left its channel', () => {
	it('is replaced because it cannot respond; nothing else breaks (hybrid-sharding #1: the manager died)', async () => {
		const { child, run, exits } = await beating({ policy: defaultRestartPolicy });
		run("process.removeAllListeners('disconnect'); process.disconnect()");
		await event(child, 'ready');
		expect(exits).toMatchObject([{ reason: 'hung' }]);
	});
});

describe('what is not a hang', () => {
	it('a pause of this process itself', async () => {
		const made = await beating();
		const { child, pids } = made;
		const seen: string[] = [];
		child.on('state', ({ to }) => seen.push(to));
		// Block our own loop for longer than the timeout, three times over.
		for (let round = 0; round < 3; round++) {
			const until = performance.now() + 600;
			while (performance.now() < until);
			await pong(made);
		}
		expect({ seen, alive: isAlive(pids[0] as number) }).toEqual({ seen: [], alive: true });
	});

	it('a process that a debugger holds at a breakpoint; it is checked again after the debugger detached', async () => {
		const clock = fakeClock();
		const { child, run, exits } = await beating({ clock, spec: { execArgv: ['--inspect=0'] } });
		const seen: string[] = [];
		child.on('state', ({ to }) => seen.push(to));
		const url = child
			.recentLogs()
			.find(({ line }) => line.startsWith('Debugger listening on '))
			?.line.split(' ')
			.at(-1);
		const debug = new WebSocket(url as string);
		await new Promise((resolve) => debug.once('open', resolve));
		const said = (words: string) =>
			new Promise<void>((resolve) => {
				debug.on('message', (data: Buffer) => {
					if (data.includes(words)) resolve();
				});
			});
		const enabled = said('"id":1');
		debug.send(JSON.stringify({ id: 1, method: 'Debugger.enable' }));
		await enabled;
		const paused = said('"Debugger.paused"');
		run('debugger; for (;;) {}');
		await paused;
		await clock.advance(heartbeat.intervalMs + 20 * heartbeat.timeoutMs);
		expect({ seen, exits }).toEqual({ seen: [], exits: [] });
		const exited = event(child, 'exited');
		debug.terminate();
		await waitFor('the verdict', async () => {
			await clock.advance(heartbeat.timeoutMs);
			return seen.includes('unresponsive');
		});
		expect(await exited).toMatchObject({ reason: 'hung' });
	});

	it('a process that loads its code for longer than the timeout before it can respond at all', async () => {
		const { child, exits } = realChild({ heartbeat, doFirst: 'const until = Date.now() + 1200; while (Date.now() < until);' });
		child.start();
		await event(child, 'ready');
		expect(exits).toEqual([]);
	});
});
