// A worker whose main thread does not respond: reported and replaced, and its report names where it hung. One under a debugger is left running.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fixture, makeFleet, startFleet } from './fleet.js';

const heartbeat = { heartbeatTimeoutMs: 1500 };

it('a blocked event loop is reported and the process replaced; the report names the blocking function', async () => {
	const fleet = await startFleet({ manager: heartbeat });
	const [hung, neighbour] = [fleet.pidOf(0), fleet.pidOf(1)];
	const unresponsive: number[] = [];
	fleet.manager.on('worker:unresponsive', ({ workerId }) => unresponsive.push(workerId));
	fleet.manager.broadcastEval('(function computeForEver() { for (;;); })()', { shard: 0 }).catch(() => {});
	await waitFor('another process', () => fleet.manager.workers[0]?.child.epoch === 2);
	await fleet.allReady();
	expect(unresponsive).toEqual([0]);
	const report = fleet.manager.workers[0]?.child.lastExit;
	expect(report).toMatchObject({ reason: 'hung', pid: hung });
	expect(report?.stack.join('\n')).toContain('computeForEver');
	expect(fleet.pidOf(1)).toBe(neighbour);
	await fleet.stop();
});

it('a stopped process (kill -STOP) is replaced too, and never runs beside its successor', async () => {
	const fleet = await startFleet({ manager: heartbeat });
	const stopped = fleet.pidOf(0);
	process.kill(stopped, 'SIGSTOP');
	await waitFor('another process', () => fleet.manager.workers[0]?.child.epoch === 2);
	expect(fleet.incarnations().get(0)).not.toContain(stopped);
	await fleet.allReady();
	expect(fleet.manager.workers[0]?.child.lastExit).toMatchObject({ reason: 'hung', signal: 'SIGKILL' });
	await fleet.stop();
});

it('a worker that a debugger holds is not replaced', async () => {
	const fleet = await startFleet({ simulator: { shards: 1 }, manager: { ...heartbeat, execArgv: ['--inspect=0'] } });
	const pid = fleet.pidOf(0);
	const url = /ws:\/\/\S+/.exec(fleet.story.find((line) => line.includes('Debugger listening')) ?? '')?.[0];
	const socket = new WebSocket(url as string);
	await new Promise((resolve) => socket.once('open', resolve));
	const said = (start: string) =>
		new Promise<void>((resolve) => {
			socket.on('message', (data: Buffer) => {
				if (data.toString('utf8').startsWith(start)) resolve();
			});
		});
	const [enabled, paused] = [said('{"id":1,'), said('{"method":"Debugger.paused"')];
	socket.send(JSON.stringify({ id: 1, method: 'Debugger.enable' }));
	// Before that the statement would have no effect.
	await enabled;
	fleet.manager.broadcastEval('debugger; 1', { shard: 0 }).catch(() => {});
	await paused;
	// Several times as long as a hang may last.
	await new Promise((resolve) => setTimeout(resolve, heartbeat.heartbeatTimeoutMs * 3));
	expect(fleet.pidOf(0)).toBe(pid);
	expect(fleet.manager.workers[0]?.child.state).toBe('ready');
	socket.send(JSON.stringify({ id: 2, method: 'Debugger.resume' }));
	socket.close();
	await fleet.stop();
});

it('a bot that waits for READY is logged out at once when it is stopped, and its process exits by itself', async () => {
	const fleet = await makeFleet({ file: fixture('discordjs-bot.cjs'), simulator: { shards: 1 } });
	const frames = fleet.simulator.faults.latency({ ms: 3000 });
	const started = fleet.manager.spawn().catch((error: unknown) => error);
	await waitFor('its IDENTIFY', () => fleet.simulator.log.entries({ type: 'identify' }).length === 1);
	fleet.simulator.faults.end(frames);
	await fleet.stop();
	expect(await started).toMatchObject({ code: 'MANAGER_STOPPED' });
	expect(fleet.manager.workers[0]?.child.lastExit).toMatchObject({ reason: 'requested', code: 0, signal: null });
	expect(fleet.simulator.log.entries({ type: 'identify' })).toHaveLength(1);
});
