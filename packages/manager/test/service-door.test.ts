// Connections are passed to the running process, with real processes and sockets: none is refused, and none is lost with a process.
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '@shardctl/core';
import { type ChildHandle, createProcessHost } from '@shardctl/supervisor';
import { fakeClock, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { ServiceDoor } from '../src/children/service-door.js';

const keeperFile = fileURLToPath(new URL('fixtures/door-keeper.mjs', import.meta.url));

async function openDoor({
	clock = systemClock,
	onClosed = () => {},
}: {
	clock?: Clock;
	onClosed?(message: string): void;
} = {}): Promise<ServiceDoor> {
	const door = new ServiceDoor({ clock, onClosed });
	await door.open();
	onTestFinished(() => door.close());
	return door;
}

interface Keeper extends ChildHandle {
	/** Resolves when it has received a connection. */
	got: Promise<void>;
	/** Kills it, and resolves when it is gone. */
	end(): Promise<void>;
}

async function keeper(door: ServiceDoor, env: Record<string, string> = {}): Promise<Keeper> {
	const child = createProcessHost().start({ id: 'keeper', file: keeperFile, env: { PATH: process.env.PATH ?? '', ...env } });
	const exited = new Promise<void>((resolve) => child.onExit(() => resolve()));
	const end = () => {
		child.kill();
		return exited;
	};
	onTestFinished(end);
	const seen = (key: string) =>
		new Promise<void>((resolve) =>
			child.channel.on('message', (message) => {
				if (key in (message as object)) resolve();
			}),
		);
	const got = seen('got');
	child.channel.on('message', (message) => {
		const { taken } = message as { taken?: number };
		if (taken !== undefined) door.acknowledged(taken);
	});
	await seen('ready');
	return Object.assign(child, { got, end });
}

/** Connects, and returns what the process on the other side sends until it closes. */
async function visit(door: ServiceDoor): Promise<string> {
	const socket = connect(door.port, '127.0.0.1');
	let heard = '';
	socket.on('data', (data) => {
		heard += String(data);
	});
	await once(socket, 'close');
	return heard;
}

it('passes connections to the running process, also those from before its start', async () => {
	const door = await openDoor();
	const early = [visit(door), visit(door)];
	const first = await keeper(door);
	door.forwardTo(first.channel);
	expect(await Promise.all([...early, visit(door)])).toEqual(Array(3).fill(String(first.pid)));
	const second = await keeper(door);
	door.forwardTo(second.channel);
	expect(await visit(door)).toBe(String(second.pid));
});

it('queues connections while no process runs, or while it shall get no more', async () => {
	const door = await openDoor();
	const first = await keeper(door);
	door.forwardTo(first.channel);
	door.hold();
	const whileHeld = visit(door);
	await first.end();
	const whileNone = visit(door);
	const second = await keeper(door);
	door.forwardTo(second.channel);
	expect(await Promise.all([whileHeld, whileNone])).toEqual([String(second.pid), String(second.pid)]);
});

it('passes a connection on again whose process died with it', async () => {
	const door = await openDoor();
	const first = await keeper(door, { SILENT: '1' });
	door.forwardTo(first.channel);
	const visits = [visit(door), visit(door), visit(door)];
	await first.got;
	await first.end();
	const second = await keeper(door);
	door.forwardTo(second.channel);
	expect(await Promise.all(visits)).toEqual(Array(3).fill(String(second.pid)));
});

it('closes queued connections when it is closed', async () => {
	const door = await openDoor();
	const waiting = visit(door);
	const socket = connect(door.port, '127.0.0.1');
	await once(socket, 'connect');
	socket.destroy();
	await once(socket, 'close');
	door.close();
	expect(await waiting).toBe('');
});

it('closes connections that no process takes: the oldest where there are too many, the others after a time', async () => {
	const clock = fakeClock();
	const reports: string[] = [];
	const door = await openDoor({ clock, onClosed: (message) => reports.push(message) });
	const first = visit(door);
	await waitFor('the first connection', () => clock.pendingTimers() === 1);
	const others = Array.from({ length: 1000 }, () => visit(door));
	expect(await first).toBe('');
	expect(reports).toEqual(['closed a connection that waited for the process: 1000 newer ones wait as well']);
	// One timer for each, and one for the next report.
	await waitFor('the other connections', () => clock.pendingTimers() === 1001);
	await clock.advance(300_000);
	expect(await Promise.all(others)).toEqual(Array(1000).fill(''));
	await clock.advance(10_000);
	expect(reports.slice(1)).toEqual([
		'closed a connection that waited for the process: none was there for 300 s',
		'closed a connection that waited for the process: none was there for 300 s (the last of 999 refusals in 10 s)',
	]);
});
