import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { ConnectionRecord } from './connection-record.js';

const start = 1_000_000;

it('B8: counts the attempts of an outage from its start, with the wait before the next', async () => {
	const clock = fakeClock(start);
	const record = new ConnectionRecord(clock);
	expect(record.facts).toEqual({ since: null, tries: 0, nextTryAt: null, lastClose: null, lastEventAt: null });
	record.waiting(0);
	record.trying();
	record.ready();
	expect(record.facts).toMatchObject({ since: start, tries: 0 });
	await clock.advance(5000);
	record.event();
	await clock.advance(1000);
	record.closed({ code: 1006, reason: 'the connection broke' });
	expect(record.facts).toEqual({
		since: start + 6000,
		tries: 0,
		nextTryAt: null,
		lastClose: { code: 1006, reason: 'the connection broke', at: start + 6000 },
		lastEventAt: start + 5000,
	});
	record.waiting(0);
	record.trying();
	record.failed(new Error('connect ECONNREFUSED 127.0.0.1:9'));
	await clock.advance(10);
	record.closed({ code: 1006, reason: record.socketError ?? '' });
	record.waiting(500);
	expect(record.facts).toMatchObject({
		since: start + 6000,
		tries: 2,
		nextTryAt: start + 6510,
		lastClose: { code: null, reason: 'connect ECONNREFUSED 127.0.0.1:9' },
	});
	expect(record.socketError).toBeUndefined();
	record.trying();
	record.ready();
	expect(record.facts).toMatchObject({ since: start + 6010, tries: 0, nextTryAt: null });
});
