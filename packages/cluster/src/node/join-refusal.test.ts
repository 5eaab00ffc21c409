import { expect, it } from 'vitest';
import { joinRefusal, protocol } from './join-refusal.js';

const attempt = {
	name: 'one',
	version: '1.2.0',
	layout: { totalShards: 8, sessions: 4 },
	movable: true,
	timings: { leaseMs: 6000, quietMs: 7000 },
};

it('names the process that has the name of a node, and what to do', () => {
	const error = joinRefusal(['NAME', 'a1', JSON.stringify({ name: 'one', pid: 7, startedAt: 0 })], attempt);
	expect(error).toMatchObject({ code: 'NODE_NAME_TAKEN', details: { name: 'one', node: 'a1', pid: 7 } });
	expect(error.message).toMatch(/process 7, since 1970-01-01T00:00:00.000Z.*--node.*stop that one/);
});

it.each([
	['LAYOUT', '{"totalShards":4,"sessions":4}', /run with \{"totalShards":4.*with \{"totalShards":8.*same shards and sessions/],
	[
		'SETTINGS',
		JSON.stringify({ protocol, leaseMs: 9000, quietMs: 10500 }),
		/run with .*"leaseMs":9000.*with .*"leaseMs":6000.*same --lease/,
	],
])('shows both sides of what differs in the cluster: %s', (kind, theirs, message) => {
	const error = joinRefusal([kind, theirs], attempt);
	expect(error).toMatchObject({ code: 'CLUSTER_MISMATCH', details: { cluster: theirs } });
	expect(error.message).toMatch(message);
});

it.each([
	[{ fleet: 'prod', key: '1' }, /run the fleet "prod", and this one was started as "test": start it with --name prod/],
	[{ fleet: 'test', key: '2' }, /^the nodes of this cluster sign .* another secret: .*SHARDCTL_CLUSTER_SECRET/],
	[{ fleet: 'test', key: '1', leaseMs: 9000 }, /^(?!.*"key").*"leaseMs":9000.*"leaseMs":6000.*same --lease/],
])('says what differs of what all nodes have in common: %j', (theirs, message) => {
	const settings = JSON.stringify({ protocol, leaseMs: 6000, quietMs: 7000, movable: true, ...theirs });
	const error = joinRefusal(['SETTINGS', settings], { ...attempt, common: { fleet: 'test', key: '1' } });
	expect(error.code).toBe('CLUSTER_MISMATCH');
	expect(error.message).toMatch(message);
});

it('names both versions where the nodes do not understand each other', () => {
	const theirs = protocol - 1;
	const settings = JSON.stringify({ protocol: theirs, leaseMs: 6000 });
	const error = joinRefusal(['SETTINGS', settings, '{"version":"1.1.0"}'], attempt);
	expect(error).toMatchObject({
		code: 'CLUSTER_MISMATCH',
		details: { cluster: { version: '1.1.0', protocol: theirs }, node: { version: '1.2.0', protocol } },
	});
	expect(error.message).toContain(`shardctl 1.1.0 (protocol ${theirs}), and this one is shardctl 1.2.0 (protocol ${protocol})`);
});
