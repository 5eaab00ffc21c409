// Reads the query of a gateway URL: `?v=10&encoding=json&compress=zlib-stream`. Discord: Gateway, "Gateway URL Query String Params".
import type { TransportCompression } from './compression/codec.js';

export type ConnectQuery =
	| { version: number; compression: TransportCompression }
	/** The connection is opened and closed again with 4012, or with 4002 for an encoding that is not spoken here. */
	| { close: 4002 | 4012; detail: string; version: number }
	/** The HTTP request is refused. */
	| { httpStatus: 400 };

const compressions: ReadonlySet<string> = new Set(['zlib-stream', 'zstd-stream']);

export function readConnectQuery(query: URLSearchParams): ConnectQuery {
	const version = Number(query.get('v') ?? 6);
	// Discontinued versions get HTTP 400 (Reference, "API Versioning"); what never existed gets a close code.
	if (version >= 1 && version <= 5) return { httpStatus: 400 };
	if (!Number.isInteger(version) || version < 6 || version > 10)
		return { close: 4012, detail: `v=${query.get('v')}`, version: 0 };
	const encoding = query.get('encoding') ?? 'json';
	if (encoding !== 'json') return { close: 4002, detail: `encoding ${encoding} is not offered here, only json`, version };
	const compress = query.get('compress');
	return { version, compression: compress !== null && compressions.has(compress) ? (compress as TransportCompression) : 'none' };
}
