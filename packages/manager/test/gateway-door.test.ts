// Connections reach whichever process lives, with real processes and sockets: none is refused, and none is lost with a process.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { GatewayDoor } from '../src/gateways/gateway-door.js';

const keeperFile = fileURLToPath(new URL('fixtures/door-keeper.mjs', import.meta.url));

async function openDoor(): Promise<GatewayDoor> {
	const door = new GatewayDoor();
	await door.open();
	onTestFinished(() => door.close());
	return door;
}

async function keeper(door: GatewayDoor, env: NodeJS.ProcessEnv = {}): Promise<ChildProcess> {
	const child = fork(keeperFile, { env: { ...process.env, ...env } });
	const exited = once(child, 'exit');
	onTestFinished(async () => {
		child.kill('SIGKILL');
		await exited;
	});
	child.on('message', (message: { taken?: number }) => {
		if (message.taken !== undefined) door.taken(message.taken);
	});
	await once(child, 'message');
	return child;
}

/** Connects, and answers what the process on the other side says until it closes. */
async function visit(door: GatewayDoor): Promise<string> {
	const socket = connect(door.port, '127.0.0.1');
	let heard = '';
	socket.on('data', (data) => {
		heard += String(data);
	});
	await once(socket, 'close');
	return heard;
}

it('passes connections to the process that lives, also those that came before it', async () => {
	const door = await openDoor();
	const early = [visit(door), visit(door)];
	const first = await keeper(door);
	door.leadTo(first);
	expect(await Promise.all([...early, visit(door)])).toEqual(Array(3).fill(String(first.pid)));
	const second = await keeper(door);
	door.leadTo(second);
	expect(await visit(door)).toBe(String(second.pid));
});

it('lets connections wait while no process is there, or the one that is shall get no more', async () => {
	const door = await openDoor();
	const first = await keeper(door);
	door.leadTo(first);
	door.hold();
	const whileHeld = visit(door);
	first.kill('SIGKILL');
	await once(first, 'exit');
	const whileNone = visit(door);
	const second = await keeper(door);
	door.leadTo(second);
	expect(await Promise.all([whileHeld, whileNone])).toEqual([String(second.pid), String(second.pid)]);
});

it('passes a connection on that a process took to its grave', async () => {
	const door = await openDoor();
	const first = await keeper(door, { SILENT: '1' });
	door.leadTo(first);
	const visits = [visit(door), visit(door), visit(door)];
	await once(first, 'message');
	first.kill('SIGKILL');
	await once(first, 'exit');
	const second = await keeper(door);
	door.leadTo(second);
	expect(await Promise.all(visits)).toEqual(Array(3).fill(String(second.pid)));
});

it('closes what waits when it is closed', async () => {
	const door = await openDoor();
	const waiting = visit(door);
	const socket = connect(door.port, '127.0.0.1');
	await once(socket, 'connect');
	socket.destroy();
	await once(socket, 'close');
	door.close();
	expect(await waiting).toBe('');
});
