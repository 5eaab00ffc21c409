// Interactions that wait for an answer or can still be followed up. Bounded; a token is good for 15 minutes.
// Discord: Receiving and Responding to Interactions.
import type { Modal } from './components.js';
import type { Message } from './model.js';

export interface PendingInteraction {
	id: string;
	token: string;
	type: number;
	createdAtMs: number;
	channelId: string;
	guildId: string | null;
	userId: string;
	/** Set by the first answer; the answer must come within three seconds. */
	respondedAtMs: number | null;
	callbackType: number | null;
	/** The original response, where it is a message. */
	message: Message | null;
	/** Whether a deferred answer or update has followed, by whatever request. */
	followed: boolean;
	/** The modal that was the answer, until it is submitted. */
	modal: Modal | null;
}

export const interactionTokenTtlMs = 15 * 60_000;
export const interactionAnswerWithinMs = 3000;
const maxInteractions = 10_000;

export class InteractionBook {
	readonly #byToken = new Map<string, PendingInteraction>();
	readonly counts = { created: 0, answered: 0 };

	add(interaction: PendingInteraction): void {
		this.counts.created++;
		this.#byToken.set(interaction.token, interaction);
		if (this.#byToken.size > maxInteractions) {
			const [oldest] = this.#byToken.keys();
			if (oldest !== undefined) this.#byToken.delete(oldest);
		}
	}

	byToken(token: string, nowMs: number): PendingInteraction | undefined {
		const interaction = this.#byToken.get(token);
		return interaction && nowMs - interaction.createdAtMs <= interactionTokenTtlMs ? interaction : undefined;
	}

	/** The newest one that matches, whether or not it still can be answered. */
	newest(matches: (interaction: PendingInteraction) => boolean): PendingInteraction | undefined {
		return [...this.#byToken.values()].reverse().find(matches);
	}

	get(id: string, token: string, nowMs: number): PendingInteraction | undefined {
		const interaction = this.byToken(token, nowMs);
		return interaction?.id === id ? interaction : undefined;
	}
}
