import { fatalCloseCodes } from '@shardctl/core';
import { expect, it } from 'vitest';
import { disconnection } from './disconnection.js';

it.each([1000, 1006, 4000, 4009, undefined])('takes %s for a connection that the library makes again', (code) => {
	expect(disconnection(3, code).status).toBe('reconnecting');
});

it.each([...fatalCloseCodes.keys()])('takes %i for the end', (code) => {
	expect(disconnection(3, code)).toEqual({ shardId: 3, status: 'disconnected', closeCode: code });
});
