import { MessageSeal } from '@shardctl/cluster';
import { expect, it } from 'vitest';
import { openAnswer, openRequest } from './gateway-request.js';

const seal = new MessageSeal({ secret: 'token', applicationId: '1' });
const sealed = (value: unknown, by = seal) => by.seal(JSON.stringify(value));
const request = { id: 1, reply: 'x', at: 5, request: { kind: 'guild', guildId: '7' } };

it('opens a request, and nothing else', () => {
	expect(openRequest(seal, sealed(request))).toEqual(request);
	const others = [
		null,
		7,
		[],
		{},
		{ ...request, id: '1' },
		{ ...request, request: null },
		{ ...request, request: { kind: 'x' } },
	];
	expect(others.map((each) => openRequest(seal, sealed(each)))).toEqual(others.map(() => undefined));
	expect(openRequest(seal, seal.seal('{'))).toBeUndefined();
});

it('opens nothing that was sealed with another token', () => {
	const other = new MessageSeal({ secret: 'another', applicationId: '1' });
	expect(openRequest(seal, sealed(request, other))).toBeUndefined();
	expect(openAnswer(seal, sealed({ id: 1, result: 2 }, other))).toBeUndefined();
	expect(openRequest(seal, Buffer.from(JSON.stringify(request)))).toBeUndefined();
});

it('opens an answer, with a code of an error that is known', () => {
	expect(openAnswer(seal, sealed({ id: 1, result: { a: 1 } }))).toEqual({ id: 1, result: { a: 1 } });
	const refused = { id: 1, error: { code: 'GUILD_NOT_FOUND', message: 'no' } };
	expect(openAnswer(seal, sealed(refused))).toEqual(refused);
	expect(openAnswer(seal, sealed({ id: 1, error: { code: 'NEW', message: 'no' } }))).toMatchObject({
		error: { code: 'REMOTE_ERROR' },
	});
	expect(openAnswer(seal, sealed({ id: 1, error: null }))).toMatchObject({ error: { code: 'REMOTE_ERROR' } });
	expect(openAnswer(seal, sealed({}))).toBeUndefined();
});
