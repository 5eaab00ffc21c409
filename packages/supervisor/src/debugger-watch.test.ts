import { describe, expect, it } from 'vitest';
import { DebuggerWatch } from './debugger-watch.js';

const url = 'ws://127.0.0.1:9229/0f2c936f-b1cd-4ac9-aab3-f63b0f33d55e';
const other = 'ws://127.0.0.1:45999/latest/meta-data';
const any = () => true;

function watching(requested = false) {
	const watch = new DebuggerWatch({ requested });
	const search = new AbortController();
	let woken = 0;
	const address = (accepts: (url: string) => boolean = any) => watch.address(() => woken++, accepts, search.signal);
	return { watch, address, search, woken: () => woken };
}

describe('DebuggerWatch of a child without an inspector', () => {
	it('finding 5: ignores a line that it did not cause', async () => {
		const { watch, address, search, woken } = watching();
		const lines = [`Debugger listening on ${other}`, 'Debugger attached.', 'a line of the bot'];
		expect(lines.map((line) => watch.see(line))).toEqual([false, false, false]);
		expect(watch).toMatchObject({ url: null, attachedByText: false, ours: false });
		const found = address();
		expect(woken()).toBe(1);
		search.abort();
		expect(await found).toBeNull();
	});

	it('opens the inspector, waits for its address, and treats its output as ours from then on', async () => {
		const { watch, address, woken } = watching();
		const found = address();
		expect(watch.see('a line of the bot')).toBe(false);
		expect(watch.see(`Debugger listening on ${url}`)).toBe(true);
		expect(await found).toBe(url);
		expect(watch.see('Debugger attached.')).toBe(true);
		expect({ woken: woken(), attached: watch.attachedByText }).toEqual({ woken: 1, attached: false });
	});

	it('accepts the first confirmed address while it waits for one', async () => {
		const { watch, address } = watching();
		const found = address((candidate) => candidate === url);
		watch.see(`Debugger listening on ${other}`);
		watch.see(`Debugger listening on ${url}`);
		expect(await found).toBe(url);
	});

	it('accepts no address after the search', async () => {
		const { watch, address, search } = watching();
		const found = address();
		search.abort();
		expect(await found).toBeNull();
		watch.see(`Debugger listening on ${other}`);
		expect(watch.url).toBeNull();
	});

	it('forgets the inspector once it is closed, and opens it again at the next search', async () => {
		const { watch, address, woken } = watching();
		void address();
		watch.see(`Debugger listening on ${url}`);
		expect(watch.ours).toBe(true);
		watch.closed();
		expect(watch).toMatchObject({ ours: false, url: null });
		expect(watch.see('Debugger attached.')).toBe(false);
		void address();
		expect(woken()).toBe(2);
	});
});

describe('DebuggerWatch of a child that was started with an inspector', () => {
	it.each(['listening', 'ending'])('follows a debugger that attaches and leaves, for which node writes "%s"', (word) => {
		const { watch } = watching(true);
		const seen = [
			`Debugger listening on ${url}`,
			'For help, see: https://nodejs.org/en/docs/inspector',
			'Debugger attached.',
			'a line of the bot',
			`Debugger ${word} on ${url}`,
		].map((line) => [watch.see(line), watch.attachedByText]);
		expect(seen).toEqual([
			[false, false],
			[false, false],
			[false, true],
			[false, true],
			[false, false],
		]);
	});

	it('finding 5: keeps the address from the first line, which is written before the bot runs', async () => {
		const { watch, address, woken } = watching(true);
		watch.see(`Debugger listening on ${url}`);
		watch.see(`Debugger listening on ${other}`);
		expect(await address()).toBe(url);
		expect(woken()).toBe(0);
		watch.closed();
		expect(watch.url).toBe(url);
	});
});
