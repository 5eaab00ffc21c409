import { expect, it } from 'vitest';
import type { WorkerSession } from '../downstream/worker-session.js';
import { AnswerRoutes } from './answer-routes.js';

const [a, b] = [{ id: 'a' }, { id: 'b' }] as [WorkerSession, WorkerSession];

it('routes a response to the worker that asked, and an unrequested one to all', () => {
	const routes = new AnswerRoutes();
	routes.expect('1', a);
	expect([routes.leadsTo(a, '1'), routes.leadsTo(b, '1')]).toEqual([true, false]);
	expect([routes.leadsTo(b, '2'), routes.leadsTo(b, undefined)]).toEqual([true, true]);
	routes.expect('1', b);
	expect([routes.leadsTo(a, '1'), routes.leadsTo(b, '1')]).toEqual([false, true]);
});

it('drops the oldest of a thousand requests', () => {
	const routes = new AnswerRoutes();
	for (let nonce = 0; nonce <= 1000; nonce++) routes.expect(String(nonce), a);
	expect([routes.leadsTo(b, '0'), routes.leadsTo(b, '1')]).toEqual([true, false]);
});
