// Bad input and limits, against a real gateway process over real sockets. Each has a defined outcome that is reported, and none of them
// disturbs the worker of another shard or a session with Discord.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostileFrames, tempDir, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { Client, expectUndisturbed, GatewayProcess, Neighbour } from './support/gateway-process.js';
import { savedPath } from './support/saved-path.js';

it('leaves a client no heartbeat of its own to send, because one between a request and its ACK makes a library reconnect', async () => {
	const gateway = await GatewayProcess.start();
	const client = await Client.connect(gateway.port);
	await waitFor('HELLO', () => client.frames.some(({ op }) => op === 10));
	// Longer than this, a Node timer fires at once.
	expect(client.frames[0]).toMatchObject({ op: 10, d: { heartbeat_interval: 2 ** 31 - 1 } });
});

it('rejects a wrong token, a shard that is not held, and intents that do not exist', async () => {
	const gateway = await GatewayProcess.start();
	await Client.ready(gateway, 0);
	const neighbour = await Neighbour.beside(gateway, 1);
	const wrong: [object, number][] = [
		[{ token: 'wrong' }, 4004],
		[{ token: '' }, 4004],
		[{ shard: [2, 3] }, 4010],
		[{ shard: [2, 2] }, 4010],
		[{ shard: [0, 4] }, 4010],
		[{ shard: undefined }, 4010],
		[{ intents: 1 << 30 }, 4013],
		[{ intents: -1 }, 4013],
	];
	for (const [fault, code] of wrong) {
		const client = await Client.connect(gateway.port);
		client.identify(gateway, 0, fault);
		expect([fault, await client.closed]).toEqual([fault, code]);
	}
	// The first at once, the others in one report.
	const reports = () => gateway.notices.filter(({ kind }) => kind === 'worker:refused').map(({ message }) => message);
	await waitFor('the second report', () => reports().length === 2);
	expect(reports()).toEqual([
		'a client used a wrong token',
		'shard [0, 1] is not in this gateway process (the last of 4 refusals in 10 s)',
	]);
	await expectUndisturbed(neighbour);
});

it('closes a client that floods it with requests, and sends Discord no more than the limit', async () => {
	const gateway = await GatewayProcess.start();
	const client = await Client.ready(gateway, 0);
	const neighbour = await Neighbour.beside(gateway, 1);
	const guildId = gateway.guildOf(0);
	for (let n = 0; n < 200; n++) client.send({ op: 8, d: { guild_id: guildId, query: 'a', limit: 1, nonce: String(n) } });
	expect(await client.closed).toBe(4008);
	await gateway.noticed('worker:flood', 0);
	// Of its requests, those that Discord allows in a minute; the waiting ones are dropped with its session.
	const again = await Client.ready(gateway, 0);
	expect(await gateway.sessionStats(0)).toMatchObject({ requestsWaiting: 0 });
	// The part that member requests never use up.
	again.send({ op: 4, d: { guild_id: guildId, channel_id: null } });
	again.send({ op: 3, d: { since: null, activities: [], status: 'idle', afk: false } });
	await waitFor('the presence', () => gateway.simulator.state().sessions[0]?.presence === 'idle');
	await expectUndisturbed(neighbour);
});

it('closes oversized, binary and malformed frames with the matching close code', async () => {
	const gateway = await GatewayProcess.start();
	const neighbour = await Neighbour.beside(gateway, 1);
	const frames: [string | Buffer, number][] = [
		[`{"op":1,"d":"${'x'.repeat(4096)}"}`, 4002],
		[Buffer.alloc(5000), 4002],
		['{"op":', 4002],
		['[]', 4002],
		['{"op":99}', 4001],
		['{"op":3,"d":{"status":"idle"}}', 4003],
		['x'.repeat(1024 * 1024 + 1), 1009],
	];
	for (const [frame, code] of frames) {
		const client = await Client.connect(gateway.port);
		client.send(frame);
		expect(await client.closed).toBe(code);
	}
	const live = await Client.ready(gateway, 0);
	live.send(`{"op":3,"d":"${'x'.repeat(5000)}"}`);
	expect(await live.closed).toBe(4002);
	await expectUndisturbed(neighbour, { identify: 1 });
});

it('rejects hundreds of hostile frames and broken connections, and keeps serving a worker', async () => {
	const gateway = await GatewayProcess.start();
	const neighbour = await Neighbour.beside(gateway, 1);
	const hostile = hostileFrames(randomNumbers(20_261_126));
	const wrong: string[] = [];
	let left = 600;
	const attacker = async () => {
		while (left-- > 0) {
			if (left % 5 === 0) {
				await hostile.brokenConnection(gateway.port);
				continue;
			}
			const { data, codes } = hostile.attack();
			const client = await Client.connect(gateway.port);
			client.send(data);
			const code = await client.closed;
			if (!codes.includes(code)) wrong.push(`${String(data).slice(0, 80)} → ${code}, not ${codes.join(' or ')}`);
		}
	};
	await Promise.all(Array.from({ length: 16 }, attacker));
	expect(wrong).toEqual([]);
	await expectUndisturbed(neighbour);
});

it('disconnects a worker that never reads when its buffer is full, and sends it the state when it reconnects', async () => {
	const gateway = await GatewayProcess.start({ config: { buffer: { events: 3000, bytes: 64 * 2 ** 20, ageMs: 600_000 } } });
	const slow = await Client.ready(gateway, 0);
	const neighbour = await Neighbour.beside(gateway, 1);
	slow.socket.pause();
	const guildId = gateway.guildOf(0);
	for (let n = 0; n < 4000; n++) {
		gateway.simulator.emit('MESSAGE_CREATE', { content: String(n) }, { guildId });
		if (n % 100 === 0) await new Promise(setImmediate);
	}
	gateway.simulator.emit('GUILD_ROLE_CREATE', { guild_id: guildId, role: { id: '77', name: 'new' } });
	await gateway.noticed('worker:slow', 0);
	await gateway.noticed('events:lost', 0);
	expect((await gateway.stats(0)).bufferedEvents).toBeLessThanOrEqual(3000);
	slow.socket.resume();
	await waitFor('op 9', () => slow.frames.some(({ op, d }) => op === 9 && d === false));
	slow.socket.terminate();
	const again = await Client.ready(gateway, 0);
	await waitFor('the newest message', () => again.numbers.at(-1) === 3999);
	await expectUndisturbed(neighbour);
});

it('keeps the events of a client whose connection broke, for its RESUME', async () => {
	const gateway = await GatewayProcess.start({ shards: 1 });
	const client = await Client.ready(gateway, 0);
	const say = (content: string) => gateway.simulator.emit('MESSAGE_CREATE', { content }, { guildId: gateway.guildOf(0) });
	say('0');
	await waitFor('its word that it has that', async () => {
		const { delivered, bufferedEvents } = await gateway.stats(0);
		return delivered > 0 && bufferedEvents === 0;
	});
	client.socket.terminate();
	await waitFor('the worker to be away', async () => (await gateway.stats(0)).worker === 'away');
	say('1');
	const back = await Client.connect(gateway.port);
	back.send({ op: 6, d: { token: gateway.simulator.token, session_id: client.sessionId, seq: client.seq } });
	await waitFor('the message', () => back.numbers.length > 0);
	expect(back.numbers).toEqual([1]);
	expect(back.frames.map(({ t }) => t)).toContain('RESUMED');
});

it('starts again with a client that had READY but not its guilds when the process was killed', async () => {
	const gateway = await GatewayProcess.start();
	const client = await Client.connect(gateway.port);
	client.answers = false;
	client.identify(gateway, 0);
	await waitFor('READY', () => client.frames.some(({ t }) => t === 'READY'), { everyMs: 1 });
	await gateway.kill();
	expect(client.frames.map(({ t }) => t)).not.toContain('GUILD_CREATE');
	await gateway.fork();
	const back = await Client.connect(gateway.port);
	back.send({ op: 6, d: { token: gateway.simulator.token, session_id: client.sessionId, seq: client.seq } });
	await waitFor('the answer', () => back.frames.some(({ op, t }) => op === 9 || t === 'RESUMED'));
	expect(back.frames).toContainEqual(expect.objectContaining({ op: 9, d: false }));
	back.identify(gateway, 0);
	await waitFor('READY and the guilds', () => back.isReady);
});

it('keeps running while the disk is full, reports it once, and saves when there is space again', async (test) => {
	const folder = smallDisk();
	if (folder === undefined) return test.skip('only root can mount a small disk');
	const gateway = await GatewayProcess.start({ config: { snapshotDir: folder } });
	const filler = join(folder, 'filler');
	execFileSync('sh', ['-c', `dd if=/dev/zero of=${filler} bs=4k 2>/dev/null; true`]);
	const neighbour = await Neighbour.beside(gateway, 1);
	await Client.ready(gateway, 0);
	await gateway.noticed('snapshot:failed', 0);
	const failures = () => gateway.notices.filter(({ kind, shardIds }) => kind === 'snapshot:failed' && shardIds[0] === 0);
	expect(failures()[0]?.message).toMatch(/ENOSPC/);
	rmSync(filler);
	await waitFor('a snapshot', () => readable(savedPath(folder, 0)));
	expect(failures()).toHaveLength(1);
	await expectUndisturbed(neighbour, { identify: 1 });
});

it.each([
	['cut off', (data: Buffer) => data.subarray(0, data.length - 10)],
	['empty', () => Buffer.alloc(0)],
	['changed', (data: Buffer) => Buffer.concat([data.subarray(0, -1), Buffer.from('!')])],
	['of another version', (data: Buffer) => Buffer.from(data.toString('latin1').replace('snapshot 3', 'snapshot 9'), 'latin1')],
] as const)('starts a new session for a shard whose snapshot is %s, and resumes the others', async (_, spoil) => {
	const gateway = await GatewayProcess.start();
	await Client.ready(gateway, 0);
	await Client.ready(gateway, 1);
	const path = (shardId: number) => savedPath(gateway.config.snapshotDir, shardId);
	await waitFor('both snapshots', () => readable(path(0)) && readable(path(1)));
	const before = gateway.upstream();
	await gateway.kill();
	writeFileSync(path(0), spoil(readFileSync(path(0))));
	await gateway.fork();
	await gateway.noticed('snapshot:unusable', 0);
	await gateway.noticed('snapshot:restored', 1);
	await Client.ready(gateway, 0);
	await waitFor('the resume of shard 1', () => gateway.upstream().resume === before.resume + 1);
	expect(gateway.upstream().identify).toBe(before.identify + 1);
	const neighbour = await Neighbour.beside(gateway, 1);
	await expectUndisturbed(neighbour);
});

it('exits when the manager is gone, also before it has booted', async () => {
	const early = await GatewayProcess.start();
	const left = early.abandon();
	expect(await left).toBe(1);
	await early.kill();
	expect(await early.forkAbandoned()).toBe(1);
});

it('keeps running when the system clock is set', async () => {
	// The process's own, a day forward and then a day back, each at a signal.
	const jump =
		'data:text/javascript,const real=Date.now,by=[0,864e5,-864e5,0];' +
		"Date.now=()=>real()+by[0];process.on('SIGUSR2',()=>by.shift())";
	const gateway = await GatewayProcess.start({ execArgv: ['--import', jump] });
	const client = await Client.ready(gateway, 0);
	const neighbour = await Neighbour.beside(gateway, 1);
	const guildId = gateway.guildOf(0);
	for (let round = 1; round <= 3; round++) {
		gateway.signal('SIGUSR2');
		gateway.simulator.emit('INTERACTION_CREATE', { name: 'ping' }, { guildId });
		await waitFor('an interaction', () => client.frames.filter(({ t }) => t === 'INTERACTION_CREATE').length === round);
	}
	expect(await gateway.stats(0)).toMatchObject({ expired: 0, overflowed: 0, lost: 0 });
	await expectUndisturbed(neighbour);
});

/** The same each time. */
function randomNumbers(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}

function readable(path: string): boolean {
	try {
		return readFileSync(path).length > 0;
	} catch {
		return false;
	}
}

/** A disk of 256 KiB, where we may mount one. */
function smallDisk(): string | undefined {
	const folder = tempDir('shardctl-disk-');
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], { stdio: 'ignore' });
	} catch {
		return undefined;
	}
	onTestFinished(() => void execFileSync('umount', ['-l', folder]));
	return folder;
}
