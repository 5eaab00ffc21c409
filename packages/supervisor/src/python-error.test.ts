import { expect, it } from 'vitest';
import { findPythonError } from './python-error.js';

const lines = (text: string) => text.replace(/^\n/, '').split('\n');

it('finds the error, and the last line of the program itself', () => {
	const report = `
logging in
Traceback (most recent call last):
  File "/bot/bot.py", line 12, in <module>
    client.run('x')
    ~~~~~~~~~~^^^^^
  File "/usr/lib/python3/dist-packages/discord/client.py", line 828, in run
    asyncio.run(runner())
discord.errors.LoginFailure: Improper token has been passed.
  more of the message
ERROR asyncio Unclosed connector`;
	expect(findPythonError(lines(report))).toEqual({
		text: 'discord.errors.LoginFailure: Improper token has been passed.',
		place: '/bot/bot.py:12',
		source: "client.run('x')",
	});
});

it('finds a syntax error of the file itself, which has no traceback', () => {
	const report = `
  File "/bot/bot.py", line 3
    def broken(:
               ^
SyntaxError: invalid syntax`;
	expect(findPythonError(lines(report))).toEqual({
		text: 'SyntaxError: invalid syntax',
		place: '/bot/bot.py:3',
		source: 'def broken(:',
	});
});

it('takes the last of several, such as the one that was raised while another was handled', () => {
	const report = `
Traceback (most recent call last):
  File "/bot/bot.py", line 2, in <module>
    first()
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/bot/bot.py", line 4, in <module>
    second()
ValueError`;
	expect(findPythonError(lines(report))).toEqual({ text: 'ValueError', place: '/bot/bot.py:4', source: 'second()' });
});

it.each([
	[['nothing of it']],
	[[]],
	[['Traceback (most recent call last):']],
	[['  File "/bot/bot.py", line 2, in x', '    x()']],
])('finds none in %j', (text) => {
	expect(findPythonError(text)).toBeUndefined();
});
