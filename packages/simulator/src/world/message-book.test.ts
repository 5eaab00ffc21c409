import { expect, test } from 'vitest';
import { MessageBook } from './message-book.js';

const message = (id: string, channel = 'c') => ({ id, channel_id: channel, author: { id: 'u', username: 'u' }, content: id });

test('keeps the newest messages of a channel, newest first; a replaced one keeps its place', () => {
	const book = new MessageBook({ perChannel: 3, total: 10 });
	for (const id of ['1', '2', '3', '4']) book.add(message(id));
	book.add({ ...message('3'), content: 'edited' });
	expect(book.list('c').map(({ content }) => content)).toEqual(['4', 'edited', '2']);
	expect([book.get('c', '1'), book.delete('c', '2'), book.delete('c', '2')]).toEqual([undefined, true, false]);
});

test('drops the channel without messages for longest first', () => {
	const book = new MessageBook({ perChannel: 3, total: 3 });
	book.add(message('1', 'a'));
	book.add(message('2', 'b'));
	book.add(message('3', 'a'));
	book.add(message('4', 'c'));
	expect(['a', 'b', 'c'].map((channel) => book.list(channel).length)).toEqual([2, 0, 1]);
});
