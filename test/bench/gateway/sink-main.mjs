// The process of the reading client in the gateway's benchmark: the same client on every path. It does what the protocol requires
// and as little as possible besides, so that the path is measured.
import { ipcPort, Peer } from '@shardctl/rpc';
import WebSocket from 'ws';

process.on('disconnect', () => process.exit());
const peer = new Peer({ port: ipcPort(process), epoch: 1 });
const ways = new Map();
/** Members and presences among them, as a bot that knows its members has. */
const intents = 53_608_447;
const reportEvery = 200;

class Way {
	arrived = 0;
	#reported = 0;
	#name;
	#delays = null;

	constructor(name) {
		this.#name = name;
	}

	connect(url, shard, token) {
		const socket = new WebSocket(`${url}/?v=10&encoding=json`, { perMessageDeflate: false });
		let seq = null;
		return new Promise((resolve, reject) => {
			let guilds = Number.POSITIVE_INFINITY;
			socket.on('error', reject);
			socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
			socket.on('message', (data) => {
				const begin = data.toString('latin1', 0, 64);
				if (!begin.startsWith('{"t":"')) {
					const { op } = JSON.parse(data);
					if (op === 10) socket.send(JSON.stringify({ op: 2, d: { token, properties: {}, intents, shard } }));
					else if (op === 1) socket.send(`{"op":1,"d":${seq}}`);
					return;
				}
				seq = Number.parseInt(begin.slice(begin.indexOf('"s":') + 4), 10);
				if (guilds === 0) return this.#arrive(data);
				const { t, d } = JSON.parse(data);
				if (t === 'READY') guilds = d.guilds.length;
				if (t === 'GUILD_CREATE') guilds--;
				if (guilds === 0) resolve();
			});
		});
	}

	#arrive(data) {
		this.arrived++;
		this.#delays?.push(Number(process.hrtime.bigint() - BigInt(JSON.parse(data).d.nonce)) / 1e6);
		if (this.arrived - this.#reported < reportEvery) return;
		peer.notify('arrived', { way: this.#name, events: this.arrived - this.#reported });
		this.#reported = this.arrived;
	}

	/** From now on each event is parsed and its age recorded; returns those since the last call. */
	takeDelays(next) {
		const delays = this.#delays;
		this.#delays = next ? [] : null;
		return delays;
	}
}

peer.handle('connect', async ({ way, url, token, shards }) => {
	const made = new Way(way);
	ways.set(way, made);
	for (let id = 0; id < shards; id++) await made.connect(url, [id, shards], token);
	return null;
});
peer.handle('count', ({ way }) => ways.get(way).arrived);
peer.handle('delays', ({ way, next }) => ways.get(way).takeDelays(next));
