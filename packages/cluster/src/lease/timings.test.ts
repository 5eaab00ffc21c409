import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leaseBoundsMs, timingsFor } from './timings.js';

it('follow from the lease: the numbers of the default', () => {
	expect(timingsFor()).toEqual({
		leaseMs: 6000,
		validMs: 4500,
		quietMs: 7000,
		renewMs: 1500,
		retryMs: 500,
		takeMarginMs: 500,
		observeMs: 5000,
		gapMs: 2000,
		doubtMs: 1000,
	});
});

it('keep the relations that the proof needs, for every lease and every lag of replicas', () => {
	const leases = fc.integer({ min: leaseBoundsMs.min, max: leaseBoundsMs.max });
	fc.assert(
		fc.property(leases, fc.integer({ min: 0, max: 60_000 }), (leaseMs, maxLagMs) => {
			const { validMs, quietMs, renewMs, retryMs, takeMarginMs, observeMs, gapMs, doubtMs } = timingsFor({ leaseMs, maxLagMs });
			// A holder is silent before Redis lets its lease end, and before anybody has observed it for long enough.
			expect(validMs).toBeLessThan(leaseMs);
			expect(observeMs).toBeGreaterThan(validMs);
			// An outage that no node notices costs no lease.
			expect(renewMs + 2 * retryMs).toBeLessThan(validMs);
			// A step of Redis' clock that is not noticed brings no takeover before the holder is silent.
			expect(gapMs).toBeLessThanOrEqual(leaseMs + takeMarginMs - validMs);
			expect(doubtMs).toBeLessThan(gapMs);
			// After a failover every owner has been heard, or is silent.
			expect(quietMs).toBeGreaterThan(leaseMs);
			expect(quietMs).toBeGreaterThanOrEqual(maxLagMs > 0 ? validMs + maxLagMs + 1000 : leaseMs);
		}),
	);
});
