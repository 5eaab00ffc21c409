import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { fakeWorker } from '../../test/fake-worker.js';
import { gateOwnGatewayClient, hasOwnGatewayClient } from './own-gateway-client.js';

function shardClass() {
	return class extends EventEmitter {
		readonly id = 2;
		readonly manager = { client: { token: 'own' as string | null } };
		connection: object | null = null;
		identified: (object | null)[] = [];
		connect(): void {
			this.connection ??= {};
			this.identifyNew();
		}
		identifyNew(): void {
			this.identified.push(this.connection);
		}
	};
}

it('is a client of discord.js 14.0 to 14.9 only', () => {
	expect(hasOwnGatewayClient(shardClass())).toBe(true);
	expect(hasOwnGatewayClient(class {})).toBe(false);
	expect(hasOwnGatewayClient(undefined)).toBe(false);
});

it('waits at the gate on each connection, for the token of the fleet only', async () => {
	const asked: number[] = [];
	let open = () => {};
	const wait = (shardId: number) => {
		asked.push(shardId);
		return new Promise<void>((resolve) => {
			open = resolve;
		});
	};
	const Shard = shardClass();
	gateOwnGatewayClient(Shard, fakeWorker({ identify: { wait, confirm: () => {} }, isOwnToken: (token) => token === 'own' }));
	const shard = new Shard();
	shard.connect();
	expect(shard.identified).toEqual([]);
	open();
	await new Promise(setImmediate);
	expect(shard.identified).toEqual([shard.connection]);
	// An invalid session is identified on the open connection.
	shard.connect();
	shard.emit('invalidSession');
	open();
	await new Promise(setImmediate);
	expect(shard.identified).toHaveLength(1);
	expect(asked).toEqual([2, 2]);

	const other = new Shard();
	other.manager.client.token = 'other';
	other.connect();
	expect(other.identified).toHaveLength(1);
	expect(asked).toHaveLength(2);
});
