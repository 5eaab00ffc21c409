import { describe, expect, it } from 'vitest';
import { findUncaughtError, foldNodeFrames } from './uncaught-error.js';

const logged = ['Error: could not fetch the weather, which does not matter', '    at Client.<anonymous> (/bot/bot.js:6:16)'];

const thrown = [
	'/bot/bot.js:9',
	"\t\tthrow new TypeError('this is what ended the bot');",
	'\t\t^',
	'',
	'TypeError: this is what ended the bot',
	'    at Timeout._onTimeout (/bot/bot.js:9:9)',
	'    at listOnTimeout (node:internal/timers:581:17)',
	'    at process.processTimers (node:internal/timers:519:7)',
	'',
	'Node.js v22.23.0',
];

describe('findUncaughtError', () => {
	it('returns the error that Node reported, not one that was logged before', () => {
		expect(findUncaughtError([...logged, ...thrown])).toEqual({
			text: 'TypeError: this is what ended the bot',
			place: '/bot/bot.js:9:9',
			source: "throw new TypeError('this is what ended the bot');",
		});
	});

	it('returns the first line of a message with an empty line in it', () => {
		const message = ['Error: the module "sharp" is not there', '', 'Possible solutions:', '- install it'];
		const lines = [...logged, ...thrown.slice(0, 4), ...message, ...thrown.slice(5)];
		expect(findUncaughtError(lines)?.text).toBe('Error: the module "sharp" is not there');
	});

	it("names the bot's own frame when Node's code threw", () => {
		const lines = [
			'node:events:497',
			"      throw er; // Unhandled 'error' event",
			'      ^',
			'',
			'Error: listen EADDRINUSE: address already in use 127.0.0.1:3000',
			'    at Server.setupListenHandle [as _listen2] (node:net:1937:16)',
			'    at Object.<anonymous> (/bot/bot.js:5:60)',
			'',
			'Node.js v22.23.0',
		];
		expect(findUncaughtError(lines)).toEqual({
			text: 'Error: listen EADDRINUSE: address already in use 127.0.0.1:3000',
			place: '/bot/bot.js:5:60',
			source: undefined,
		});
	});

	it('parses a thrown string, an ES module, and an error without source', () => {
		expect(findUncaughtError(['[eval]:1', "throw 'str'", '^', 'str', '(Use `node …`)', '', 'Node.js v22.1.0'])?.text).toBe('str');
		const module = [
			'file:///bot/bot.mjs:3',
			'boom()',
			'^',
			'',
			'Error: x',
			'    at file:///bot/bot.mjs:3:7',
			'',
			'Node.js v22.1.0',
		];
		expect(findUncaughtError(module)?.place).toBe('/bot/bot.mjs:3:7');
		const blank = [
			'Error: the module "sharp" is not there',
			'',
			'Possible solutions:',
			'- install it',
			'    at <anonymous>:1:45',
		];
		expect(findUncaughtError([...logged, '', ...blank, '', 'Node.js v20.20.2'])?.text).toBe(blank[0]);
		const bare = [...logged, 'TypeError: b', '    at f (/bot/a.js:1:2)', '', 'Node.js v22.1.0'];
		expect(findUncaughtError(bare)).toMatchObject({ text: 'TypeError: b', place: '/bot/a.js:1:2' });
	});

	it('returns the error and not its cause or the properties printed below it, also when its start is no longer kept', () => {
		const report = [
			'<ref *1> Error: getaddrinfo ENOTFOUND discordapp.com',
			'    at GetAddrInfoReqWrap.onlookup [as oncomplete] (node:dns:107:26)',
			'    at Client.connect (/bot/client.js:12:9) {',
			"  code: 'ENOTFOUND',",
			'  request: { error: [Circular *1] },',
			'  [cause]: TypeError: socket hang up',
			'      at Socket.close (/bot/socket.js:1:1)',
			'}',
			'',
			'Node.js v20.20.2',
		];
		const whole = ['node:internal/process/promises:394', '      triggerUncaughtException(err, true);', '      ^', '', ...report];
		const text = 'Error: getaddrinfo ENOTFOUND discordapp.com';
		expect(findUncaughtError(whole)).toMatchObject({ text, place: '/bot/client.js:12:9' });
		expect(findUncaughtError([...logged, '', ...report])).toMatchObject({ text });
		expect(findUncaughtError(report.slice(3))?.text).toBe('unknown error');
		expect(findUncaughtError(['Error: of a module', '}', '', 'Node.js v20.20.2'])?.text).toBe('Error: of a module');
	});

	it('returns none when an error was only logged', () => {
		expect(findUncaughtError(logged)).toBeUndefined();
	});
});

it("counts Node's own frames in one line", () => {
	expect(foldNodeFrames(thrown.slice(4, 8))).toEqual([
		'TypeError: this is what ended the bot',
		'    at Timeout._onTimeout (/bot/bot.js:9:9)',
		'    … 2 frames of Node.js',
	]);
});
