import { expect, it } from 'vitest';
import type { RenewalOutcome } from '../upstream/upstream-sessions.js';
import type { SessionTerms } from '../upstream/upstream-shard.js';
import { IntentUpgrade } from './intent-upgrade.js';

const terms = (intents: number): SessionTerms => ({ intents, largeThreshold: null, presence: null });

function setup(present = 1) {
	const renewals: number[] = [];
	const granted: number[] = [];
	let settle: (outcome: RenewalOutcome) => void = () => {};
	const upstream = {
		terms: terms(present),
		missing: (intents: number) => intents & ~upstream.terms.intents,
		renew: (wanted: SessionTerms) => {
			renewals.push(wanted.intents);
			return new Promise<RenewalOutcome>((resolve) => {
				settle = (outcome) => {
					if (outcome === 'accepted') upstream.terms = wanted;
					resolve(outcome);
				};
			});
		},
		cancelRenewal: () => settle('cancelled'),
	};
	const upgrade = new IntentUpgrade({ upstream, onGranted: (missing) => granted.push(missing) });
	return { upgrade, renewals, granted, decide: (outcome: RenewalOutcome) => settle(outcome) };
}

const [a, b] = [{}, {}];

it('asks once for all callers that one new session can serve, on top of the current intents', async () => {
	const { upgrade, renewals, granted, decide } = setup();
	const answers = [upgrade.request(terms(2 | 4), a), upgrade.request(terms(4), b)];
	decide('accepted');
	expect(await Promise.all(answers)).toEqual(['accepted', 'accepted']);
	expect([renewals, granted]).toEqual([[7], [6]]);
});

it('completes one upgrade before it asks for the intents that are still missing', async () => {
	const { upgrade, renewals, decide } = setup();
	const first = upgrade.request(terms(2), a);
	const second = upgrade.request(terms(8), b);
	decide('accepted');
	expect(await first).toBe('accepted');
	await new Promise(setImmediate);
	decide('accepted');
	expect(await second).toBe('accepted');
	expect(renewals).toEqual([3, 11]);
});

it('returns a refusal to all callers, and asks again for the next one', async () => {
	const { upgrade, renewals, granted, decide } = setup();
	const answers = [upgrade.request(terms(2), a), upgrade.request(terms(2), b)];
	decide({ refusedWith: 4014 });
	expect(await Promise.all(answers)).toEqual([{ refusedWith: 4014 }, { refusedWith: 4014 }]);
	void upgrade.request(terms(2), a);
	expect([renewals, granted]).toEqual([[3, 3], []]);
});

it('is cancelled when its last caller aborts', async () => {
	const { upgrade, renewals, decide } = setup();
	const answers = [upgrade.request(terms(2), a), upgrade.request(terms(2), b)];
	upgrade.withdraw(a);
	await new Promise(setImmediate);
	expect(renewals).toEqual([3]);
	upgrade.withdraw(b);
	expect(await Promise.all(answers)).toEqual(['cancelled', 'cancelled']);
	const others = [upgrade.request(terms(2), a), upgrade.request(terms(4), b)];
	upgrade.withdraw(b);
	decide('accepted');
	expect(await Promise.all(others)).toEqual(['accepted', 'cancelled']);
	expect(renewals).toEqual([3, 3]);
});
