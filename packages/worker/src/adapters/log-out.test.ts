import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { logOut } from './log-out.js';

class FakeSocket extends EventEmitter {
	readonly readyState: number;

	constructor(readyState: number) {
		super();
		this.readyState = readyState;
	}
}

it('waits for the sockets that were open, and only for them', async () => {
	const open = new FakeSocket(1);
	const closing = new FakeSocket(2);
	let done = false;
	const logout = logOut([{ ws: open }, { ws: closing }, { ws: new FakeSocket(3) }, { ws: null }], () => open.emit('close')).then(
		() => {
			done = true;
		},
	);
	await new Promise((resolve) => setImmediate(resolve));
	expect(done).toBe(false);
	closing.emit('close');
	await logout;
});
