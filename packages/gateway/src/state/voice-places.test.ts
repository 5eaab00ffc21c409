import { expect, it } from 'vitest';
import { VoicePlaces } from './voice-places.js';

const state = (channelId: string | null, userId = '9') => ({
	t: 'VOICE_STATE_UPDATE',
	d: { guild_id: '1', channel_id: channelId, user_id: userId, session_id: 's' },
});
const server = { t: 'VOICE_SERVER_UPDATE', d: { guild_id: '1', token: 't', endpoint: 'e' } };
const join = (channelId: string) => ({ guild_id: '1', channel_id: channelId });

function inChannel(): VoicePlaces {
	const memory = new VoicePlaces();
	memory.take(state('5'), '9');
	memory.take(server, '9');
	return memory;
}

it('records the channels the bot is in, until it leaves or the guild is removed', () => {
	const memory = inChannel();
	memory.take(state('6', '8'), '9');
	expect(memory.leaving()).toEqual([{ op: 4, d: { guild_id: '1', channel_id: null, self_mute: false, self_deaf: false } }]);
	memory.take(state(null), '9');
	expect(memory.leaving()).toEqual([]);
	const other = inChannel();
	other.take({ t: 'GUILD_DELETE', d: { id: '1' } }, '9');
	expect(other.leaving()).toEqual([]);
});

it('sends the voice server once to a session that joins the same channel', () => {
	const memory = inChannel();
	const session = {};
	expect(memory.answerTo(join('5'), session)).toEqual([state('5'), server]);
	expect(memory.answerTo(join('5'), session)).toEqual([]);
	expect(memory.answerTo(join('5'), {})).toHaveLength(2);
});

it('leaves the response to Discord when the bot joins another channel, or nothing is known', () => {
	const memory = inChannel();
	const session = {};
	expect(memory.answerTo(join('6'), session)).toEqual([]);
	// It has asked Discord itself, so Discord sends all later voice events.
	expect(memory.answerTo(join('5'), session)).toEqual([]);
	expect(new VoicePlaces().answerTo(join('5'), {})).toEqual([]);
});

it('survives a snapshot', () => {
	const memory = new VoicePlaces();
	memory.restore(JSON.parse(JSON.stringify(inChannel().places)));
	expect(memory.answerTo(join('5'), {})).toEqual([state('5'), server]);
	memory.clear();
	expect(memory.places).toEqual([]);
});
