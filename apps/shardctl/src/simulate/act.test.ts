import { expect, it } from 'vitest';
import { describeAnswer } from './act.js';
import type { InteractionAnswer } from './simulator-client.js';

const answer = (given: Partial<InteractionAnswer>): InteractionAnswer => ({
	answeredAfterMs: 4.6,
	callbackType: 4,
	message: null,
	followed: false,
	modal: null,
	...given,
});

it('shows the text of components, and what can be pressed in them', () => {
	const section = {
		type: 9,
		components: [{ type: 10, content: '# Settings' }],
		accessory: { type: 2, custom_id: 'edit', label: 'Edit' },
	};
	const container = {
		type: 17,
		components: [section, { type: 14 }, { type: 10, content: 'Language: English' }, { type: 12, items: [{}] }],
	};
	expect(describeAnswer(answer({ message: { content: '', flags: 32_768, components: [container] } }))).toBe(
		'the bot answered after 5 ms: # Settings\nLanguage: English\n  edit  Edit',
	);
});

it('shows the text beside embeds, and says where there is none', () => {
	expect(describeAnswer(answer({ message: { content: 'Hello', embeds: [{}, {}] } }))).toBe(
		'the bot answered after 5 ms: Hello [2 embeds]',
	);
	expect(describeAnswer(answer({ message: { content: '', components: [{ type: 12, items: [{}] }] } }))).toBe(
		'the bot answered after 5 ms: [no text]',
	);
});

it('shows the text and the fields of a form', () => {
	const components = [
		{ type: 10, content: 'Say why.' },
		{ type: 18, label: 'Reason', component: { type: 4, custom_id: 'reason' } },
	];
	expect(describeAnswer(answer({ callbackType: 9, modal: { title: 'Ban', components } }))).toBe(
		'the bot opened the form "Ban" after 5 ms\nSay why.\n  reason',
	);
});
