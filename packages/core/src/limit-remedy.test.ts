import { expect, it } from 'vitest';
import { checkAddressSpace, limitRemedy } from './limit-remedy.js';

it.each<[string, RegExp]>([
	['connect EADDRNOTAVAIL 10.0.0.1:443 - Local (0.0.0.0:0)', /^no local port is free/],
	['EMFILE: too many open files, open x', /ulimit -n/],
	['spawn /usr/bin/node EAGAIN', /TasksMax=/],
	['WebAssembly.instantiate(): Out of memory: Cannot allocate Wasm memory for new instance', /ulimit -v unlimited/],
	['WebAssembly.Memory(): could not allocate memory', /ulimit -v unlimited/],
	['Fatal process OOM in Failed to reserve virtual memory for CodeRange', /ulimit -v unlimited/],
])('%s', (message, remedy) => {
	expect(limitRemedy(message)).toMatch(remedy);
});

it.each(['listen EADDRNOTAVAIL: address not available 10.0.0.1', 'connect ECONNREFUSED 127.0.0.1:1', 'write EAGAIN', ''])(
	'has nothing to say about %j',
	(message) => {
		expect(limitRemedy(message)).toBeUndefined();
	},
);

it('finds the address space of this process large enough', () => {
	expect(checkAddressSpace).not.toThrow();
});
