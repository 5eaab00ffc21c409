import { describe, expect, it } from 'vitest';
import { DebuggerWatch } from './debugger-watch.js';

const url = 'ws://127.0.0.1:9229/0f2c936f-b1cd-4ac9-aab3-f63b0f33d55e';

describe('DebuggerWatch', () => {
	it.each(['listening', 'ending'])('follows a debugger that comes and goes, which node tells as "%s"', (word) => {
		const watch = new DebuggerWatch();
		const seen = [
			`Debugger listening on ${url}`,
			'For help, see: https://nodejs.org/en/docs/inspector',
			'Debugger attached.',
			'a line of the bot',
			`Debugger ${word} on ${url}`,
		].map((line) => [watch.see(line), watch.attached]);
		expect(seen).toEqual([
			[false, false],
			[false, false],
			[false, true],
			[false, true],
			[false, false],
		]);
	});

	it('wakes the inspector, waits for its address, and calls its talk from then on ours', async () => {
		const watch = new DebuggerWatch();
		let woken = 0;
		const address = watch.address(() => woken++);
		expect(watch.see('a line of the bot')).toBe(false);
		expect(watch.see(`Debugger listening on ${url}`)).toBe(true);
		expect(await address).toBe(url);
		expect(watch.see('Debugger attached.')).toBe(true);
		expect({ woken, attached: watch.attached }).toEqual({ woken: 1, attached: false });
	});

	it('tells our own session from one that comes later', () => {
		const watch = new DebuggerWatch();
		void watch.address(() => {});
		const seen = [`Debugger listening on ${url}`, 'Debugger attached.', `Debugger ending on ${url}`, 'Debugger attached.'].map(
			(line) => {
				watch.see(line);
				return watch.attached;
			},
		);
		expect(seen).toEqual([false, false, false, true]);
	});

	it('does not wake an inspector that listens', async () => {
		const watch = new DebuggerWatch();
		watch.see(`Debugger listening on ${url}`);
		let woken = 0;
		expect(await watch.address(() => woken++)).toBe(url);
		expect(woken).toBe(0);
	});
});
