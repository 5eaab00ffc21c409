import type { ClientRequest } from '@shardctl/gateway-protocol';
import { expect, it } from 'vitest';
import { AwaitedAnswers } from './awaited-answers.js';

const members = (nonce?: string) => ({ op: 8, d: { guild_id: '1', limit: 0, ...(nonce && { nonce }) } }) as ClientRequest;

it.each([
	['the last chunk of members', members(), { t: 'GUILD_MEMBERS_CHUNK', d: { guild_id: '1', chunk_index: 1, chunk_count: 2 } }],
	['by nonce', members('a'), { t: 'GUILD_MEMBERS_CHUNK', d: { guild_id: '1', nonce: 'a', chunk_index: 0, chunk_count: 1 } }],
	['a refusal', members('a'), { t: 'RATE_LIMITED', d: { opcode: 8, meta: { guild_id: '1', nonce: 'a' } } }],
	['sounds', { op: 31, d: { guild_ids: ['1'] } } as ClientRequest, { t: 'SOUNDBOARD_SOUNDS', d: { guild_id: '1' } }],
	['channels', { op: 43, d: { guild_id: '1', fields: [] } } as ClientRequest, { t: 'CHANNEL_INFO', d: { guild_id: '1' } }],
])('waits for %s', (_, request, answer) => {
	const answers = new AwaitedAnswers();
	answers.noteRequest(request, 0);
	answers.noteEvent({ t: 'GUILD_MEMBERS_CHUNK', d: { guild_id: '1', chunk_index: 0, chunk_count: 2 } });
	expect(answers.isEmpty(0)).toBe(false);
	answers.noteEvent(answer);
	expect(answers.isEmpty(0)).toBe(true);
});

it('does not wait for ever', () => {
	const answers = new AwaitedAnswers();
	answers.noteRequest({ op: 4, d: { guild_id: '1', channel_id: '2', self_mute: false, self_deaf: false } }, 0);
	answers.noteRequest(members(), 0);
	expect([answers.isEmpty(2000), answers.isEmpty(9999), answers.isEmpty(10_000)]).toEqual([false, false, true]);
});
