// Reads the body of a REST request: JSON, or a multipart form with `payload_json` and files. Bounded; the rest is refused.
import type { IncomingMessage } from 'node:http';
import { parseJsonKeepingIds } from '@shardctl/gateway-protocol';
import { invalidForm, RestError } from './answer.js';

export interface UploadedFile {
	name: string;
	sizeBytes: number;
	contentType: string;
}

export interface RequestBody {
	json: unknown;
	files: UploadedFile[];
}

const maxBodyBytes = 32 * 1024 * 1024;
/** More than any object of Discord has. */
const maxDepth = 100;

export async function readBytes(request: IncomingMessage, maxBytes = maxBodyBytes): Promise<Buffer> {
	const pieces: Buffer[] = [];
	let size = 0;
	for await (const piece of request) {
		size += (piece as Buffer).length;
		if (size > maxBytes) throw new RestError(413, 40005, 'Request entity too large');
		pieces.push(piece as Buffer);
	}
	return Buffer.concat(pieces);
}

export function parseJson(bytes: Buffer): unknown {
	let value: unknown;
	try {
		value = parseJsonKeepingIds(bytes.toString('utf8'));
	} catch {
		throw new RestError(400, 50109, 'The request body contains invalid JSON.');
	}
	// What is kept of it is written as JSON again for every client, which fails on a value that is nested much deeper.
	if (isDeeperThan(maxDepth, value)) throw new RestError(400, 50109, 'The request body is nested too deeply.');
	return value;
}

function isDeeperThan(levels: number, value: unknown): boolean {
	if (typeof value !== 'object' || value === null) return false;
	return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

export async function readBody(request: IncomingMessage): Promise<RequestBody> {
	const bytes = await readBytes(request);
	if (bytes.length === 0) return { json: undefined, files: [] };
	const contentType = request.headers['content-type'] ?? '';
	if (contentType.startsWith('application/json')) return { json: parseJson(bytes), files: [] };
	if (!contentType.startsWith('multipart/form-data')) {
		throw invalidForm({ _errors: 'Expected "Content-Type" header to be one of {"application/json", "multipart/form-data"}.' });
	}
	return readForm(bytes, contentType);
}

async function readForm(bytes: Buffer, contentType: string): Promise<RequestBody> {
	// The form parser of fetch is at hand in every Node.
	const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } }).formData().catch(() => {
		throw new RestError(400, 50035, 'Invalid Form Body');
	});
	const files: UploadedFile[] = [];
	const fields: Record<string, unknown> = {};
	for (const [name, value] of form) {
		if (typeof value === 'string') fields[name] = value;
		else files.push({ name: value.name, sizeBytes: value.size, contentType: value.type });
	}
	const { payload_json: payload, ...rest } = fields;
	return { json: typeof payload === 'string' ? parseJson(Buffer.from(payload)) : rest, files };
}
