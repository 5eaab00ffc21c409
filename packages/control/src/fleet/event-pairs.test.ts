// Every event that begins something has one that ends it: an operator who reads the history of a night must see when each thing was over.
import { type GatewayNotice, gatewayNoticeKinds, type RestNotice } from '@shardctl/core';
import { expect, it } from 'vitest';
import { fleetEventTypes } from '../api/schemas.js';
import { describeEvent } from './describe-event.js';
import type { FleetEventBody, FleetEventType } from './fleet-events.js';

type Kind = Exclude<FleetEventType, 'gateway:notice' | 'rest:notice'> | GatewayNotice['kind'] | RestNotice['kind'];

/** `moment`: over when it is reported. `carries`: the event has its begin and its end in its own fields. Else the events that end it. */
const pairs = {
	'worker:spawned': ['worker:exited'],
	'worker:ready': 'moment',
	'worker:exited': ['worker:ready', 'worker:failed', 'fleet:stopped'],
	'worker:failed': ['worker:spawned', 'fleet:stopped'],
	'worker:unresponsive': ['worker:responsive', 'worker:exited'],
	'worker:responsive': 'moment',
	'worker:memory': 'moment',
	'shard:ready': 'moment',
	'shard:reconnecting': ['shard:ready', 'shard:resumed', 'shard:disconnected', 'worker:exited'],
	'shard:resumed': 'moment',
	'shard:disconnected': ['shard:ready', 'worker:exited'],
	'gateway:spawned': ['gateway:exited'],
	'gateway:exited': ['gateway:spawned', 'fleet:stopped'],
	'cluster:joined': ['cluster:left', 'fleet:stopped'],
	'cluster:left': 'moment',
	'cluster:muted': ['cluster:confirmed', 'fleet:stopped'],
	'cluster:confirmed': 'moment',
	'cluster:node-gone': 'moment',
	'cluster:discord': 'carries',
	'cluster:session-ready': ['cluster:session-gone', 'fleet:stopped'],
	'cluster:session-gone': 'moment',
	'rest:spawned': ['rest:exited'],
	'rest:exited': ['rest:spawned', 'fleet:stopped'],
	'worker:deployed': 'moment',
	'worker:rolled-back': 'moment',
	'worker:stop-first': ['worker:deployed', 'worker:rolled-back'],
	'deploy:progress': 'carries',
	'reshard:progress': 'carries',
	'fleet:sizing': 'carries',
	'restart:progress': 'carries',
	'identify:deferred': ['shard:ready', 'upstream:ready', 'upstream:refused', 'worker:failed', 'fleet:stopped'],
	'identify:expired': 'moment',
	'fleet:ready': 'moment',
	'fleet:health': 'carries',
	'fleet:stopped': 'moment',
	'fleet:refused': ['fleet:stopped'],

	'upstream:ready': 'moment',
	'upstream:resumed': 'moment',
	'upstream:disconnected': ['upstream:resumed', 'upstream:ready', 'upstream:refused', 'gateway:exited'],
	'upstream:refused': ['upstream:ready', 'gateway:exited'],
	'upstream:session-lost': ['upstream:ready', 'upstream:refused', 'gateway:exited'],
	'upstream:intents': 'moment',
	'reshard:begun': 'moment',
	'reshard:done': 'moment',
	'reshard:failed': 'moment',
	'reshard:drift': 'moment',
	'worker:refused': 'moment',
	'worker:slow': 'moment',
	'worker:flood': 'moment',
	'requests:dropped': ['requests:normal', 'gateway:exited'],
	'requests:normal': 'moment',
	'events:overflowed': ['buffer:normal', 'gateway:exited'],
	'buffer:normal': 'moment',
	'events:expired': 'moment',
	'events:lost': 'moment',
	'events:repeated': 'moment',
	'events:poisoned': 'moment',
	'interactions:not-deferred': 'moment',
	'queue:failed': ['queue:written', 'gateway:exited'],
	'queue:written': 'moment',
	'queue:lost': 'moment',
	'snapshot:failed': ['snapshot:saved', 'gateway:exited'],
	'snapshot:saved': 'moment',
	'snapshot:restored': 'moment',
	'snapshot:unusable': ['upstream:ready', 'upstream:refused', 'gateway:exited'],

	'invalid-requests:high': ['invalid-requests:normal', 'rest:exited'],
	'invalid-requests:normal': 'moment',
	'global-limit': 'moment',
	'caller:refused': 'moment',
} as const satisfies Record<Kind, 'moment' | 'carries' | readonly Kind[]>;

it('B7: has an end for every begin, and knows every event', () => {
	const known = Object.keys(pairs);
	const types = fleetEventTypes.filter((type) => type !== 'gateway:notice' && type !== 'rest:notice');
	expect(known).toEqual(expect.arrayContaining([...types, ...gatewayNoticeKinds]));
	for (const [begin, ends] of Object.entries(pairs)) {
		if (typeof ends === 'string') continue;
		expect({ begin, ends: ends.length > 0 && !ends.some((end) => end === begin) }).toEqual({ begin, ends: true });
	}
});

it('shows the notice that ends something as good news', () => {
	const ends = Object.values(pairs).flatMap((each) => (typeof each === 'string' ? [] : [...each]));
	const good = gatewayNoticeKinds.filter((kind) => ends.some((end) => end === kind) && kind !== 'upstream:refused');
	for (const kind of good) {
		const event: FleetEventBody = { type: 'gateway:notice', gatewayId: 0, shardIds: [0], kind, message: 'm' };
		expect({ kind, ...describeEvent(event) }).toEqual({ kind, level: 'info', text: 'shard 0: m' });
	}
	expect(describeEvent({ type: 'worker:responsive', workerId: 0, shardIds: [0, 1] })).toEqual({
		level: 'info',
		text: 'worker 0 (shards 0-1) is responding again',
	});
});

it('says that an outage is over only where it does not continue with another cause', () => {
	const base = { since: null, tries: 0, nextTryAt: null, lost: 0, remedy: null, effect: 'outage' as const };
	const silent = {
		...base,
		kind: 'worker-unresponsive' as const,
		shardIds: [2, 3],
		message: 'worker 1 does not answer',
		lastedMs: 3000,
	};
	const down = { ...base, kind: 'worker-down' as const, shardIds: [2, 3], message: 'worker 1 is restarting' };
	const change = { type: 'fleet:health' as const, shards: 4 };
	expect(describeEvent({ ...change, status: 'degraded', served: 2, began: [down], ended: [silent] }).text).toBe(
		'fleet degraded, 2 of 4 shards served; worker 1 is restarting',
	);
	expect(describeEvent({ ...change, status: 'healthy', served: 4, began: [], ended: [silent] }).text).toBe(
		'fleet healthy, 4 of 4 shards served; over after 3s: worker 1 does not answer',
	);
});
