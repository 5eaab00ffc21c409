// What a worker asks of the gateway process that has a shard's session, and the answer. Both are signed with a key of the bot token: a person
// who has only Redis can forge neither. They are not encrypted: who reads Redis reads them.
import type { MessageSeal } from '@shardctl/cluster';
import { type ErrorCode, errorCodes } from '@shardctl/core';

export type GatewayRequest =
	/** Send this to Discord. Discord: Gateway, "Send Events". */
	| { readonly kind: 'send'; readonly op: number; readonly d: unknown }
	/** A guild as GUILD_CREATE would say it. */
	| { readonly kind: 'guild'; readonly guildId: string };

export interface RequestMessage {
	readonly id: number;
	/** Channel of the answer. */
	readonly reply: string;
	/** When it was sent, by the sender's clock, in ms. */
	readonly at: number;
	readonly request: GatewayRequest;
}

export type AnswerMessage =
	| { readonly id: number; readonly result: unknown }
	| { readonly id: number; readonly error: { readonly code: ErrorCode; readonly message: string } };

/** Undefined for what is not a request, or was not sealed with this token. */
export function openRequest(seal: MessageSeal, message: Buffer): RequestMessage | undefined {
	const { id, reply, at, request } = parsed<RequestMessage>(seal, message) ?? {};
	if (typeof id !== 'number' || typeof reply !== 'string' || typeof at !== 'number') return undefined;
	const { kind } = request ?? {};
	const isKnown = kind === 'guild' || kind === 'send';
	return isKnown ? ({ id, reply, at, request } as RequestMessage) : undefined;
}

/** Undefined for what is not an answer, or was not sealed with this token. */
export function openAnswer(seal: MessageSeal, message: Buffer): AnswerMessage | undefined {
	const answer = parsed<{ id: number; result: unknown; error: { code: ErrorCode; message: string } }>(seal, message) ?? {};
	if (typeof answer.id !== 'number') return undefined;
	if (!('error' in answer)) return { id: answer.id, result: answer.result };
	const { code, message: text } = answer.error ?? {};
	return { id: answer.id, error: { code: code && code in errorCodes ? code : 'REMOTE_ERROR', message: String(text) } };
}

function parsed<T>(seal: MessageSeal, message: Buffer): Partial<T> | undefined {
	const text = seal.open(message);
	if (text === undefined) return undefined;
	try {
		return (JSON.parse(text) ?? undefined) as Partial<T> | undefined;
	} catch {
		return undefined;
	}
}
