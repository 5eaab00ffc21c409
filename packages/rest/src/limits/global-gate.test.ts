import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { GlobalGate } from './global-gate.js';
import type { Token } from './token-source.js';
import { TokenWindow } from './token-window.js';

const never = new AbortController().signal;

function gateOf(perSecond: number) {
	const clock = fakeClock();
	const gate = new GlobalGate({ clock, tokens: new TokenWindow(perSecond) });
	const admitted: string[] = [];
	const tokens: Token[] = [];
	const ask = (source: number, name: string, signal = never) =>
		void gate.pass(source, signal).then(
			(token) => {
				admitted.push(name);
				tokens.push(token);
			},
			() => {},
		);
	return { clock, gate, admitted, tokens, ask };
}

describe('the gate before Discord', () => {
	it('admits as many as there are tokens, and the next when one is free', async () => {
		const { clock, gate, admitted, tokens, ask } = gateOf(2);
		for (const name of ['a', 'b', 'c']) ask(1, name);
		await clock.advance(0);
		expect([admitted, gate.size]).toEqual([['a', 'b'], 1]);
		tokens[0]?.settle(clock.monotonic());
		await clock.advance(1001);
		expect(admitted).toEqual(['a', 'b']);
		await clock.advance(1);
		expect(admitted).toEqual(['a', 'b', 'c']);
	});

	it('takes turns between workers', async () => {
		const { clock, admitted, tokens, ask } = gateOf(1);
		ask(1, 'first');
		for (const name of ['a1', 'a2']) ask(1, name);
		ask(2, 'b1');
		await clock.advance(0);
		for (let n = 0; n < 3; n++) {
			tokens[n]?.giveBack();
			await clock.advance(0);
		}
		expect(admitted).toEqual(['first', 'a1', 'b1', 'a2']);
	});

	it('forgets who has left', async () => {
		const { clock, gate, admitted, tokens, ask } = gateOf(1);
		const gone = new AbortController();
		ask(1, 'first');
		ask(2, 'gone', gone.signal);
		ask(3, 'last');
		gone.abort();
		await clock.advance(0);
		expect(gate.size).toBe(1);
		tokens[0]?.giveBack();
		await clock.advance(0);
		expect(admitted).toEqual(['first', 'last']);
	});

	it('is closed for as long as Discord says', async () => {
		const { clock, gate, admitted, ask } = gateOf(50);
		gate.closeFor(3000);
		gate.closeFor(1000);
		ask(1, 'a');
		await clock.advance(2999);
		expect(admitted).toEqual([]);
		await clock.advance(1);
		expect(admitted).toEqual(['a']);
	});
});
