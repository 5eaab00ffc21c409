import { fatalCloseCodes } from '@shardctl/core';
import { expect, it } from 'vitest';
import { disconnection } from './disconnection.js';

it.each([1000, 1006, 4000, 4009, undefined])('treats %s as a connection that the library reopens', (code) => {
	expect(disconnection(3, code).status).toBe('reconnecting');
});

it.each([...fatalCloseCodes.keys()])('treats %i as final', (code) => {
	expect(disconnection(3, code)).toEqual({ shardId: 3, status: 'disconnected', closeCode: code });
});
