// One gateway session by hand: HELLO, IDENTIFY, heartbeats, events. It keeps to what the example needs and does not resume.
import { EventEmitter } from 'node:events';
import WebSocket from 'ws';

export class Shard extends EventEmitter {
	guilds = new Map();
	ping = null;
	#options;
	#socket;
	#heartbeat;
	#sequence = null;
	#beatAt = 0;

	/** @param options id, totalShards, token, intents, gatewayUrl, and waitForIdentify, which resolves when IDENTIFY may go out. */
	constructor(options) {
		super();
		this.#options = options;
	}

	get id() {
		return this.#options.id;
	}

	connect() {
		this.#socket = new WebSocket(`${this.#options.gatewayUrl}/?v=10&encoding=json`);
		this.#socket.on('message', (data) => this.#onPayload(JSON.parse(data)));
		this.#socket.on('error', (error) => console.error(`shard ${this.id}: ${error.message}`));
		this.#socket.on('close', (code) => this.#onClose(code));
	}

	/** Ends the session; Discord shows the bot offline at once. */
	disconnect() {
		this.#socket.removeAllListeners('close');
		this.#socket.close(1000);
		clearInterval(this.#heartbeat);
	}

	async #onPayload({ op, t, s, d }) {
		if (s !== null) this.#sequence = s;
		if (op === 0) this.#onDispatch(t, d);
		else if (op === 1) this.#beat();
		else if (op === 7 || op === 9) this.#socket.close(1000);
		else if (op === 10) await this.#onHello(d);
		else if (op === 11) this.ping = Date.now() - this.#beatAt;
	}

	#onDispatch(type, data) {
		if (type === 'GUILD_CREATE') this.guilds.set(data.id, data);
		else if (type === 'GUILD_DELETE' && !data.unavailable) this.guilds.delete(data.id);
		else if (type === 'READY') this.emit('ready');
		this.emit('dispatch', type, data);
	}

	async #onHello({ heartbeat_interval: intervalMs }) {
		this.#heartbeat = setInterval(() => this.#beat(), intervalMs);
		const { id, totalShards, token, intents, waitForIdentify } = this.#options;
		const socket = this.#socket;
		await waitForIdentify(id);
		if (socket.readyState !== WebSocket.OPEN) return;
		const properties = { os: process.platform, browser: 'example', device: 'example' };
		this.#send(2, { token, intents, shard: [id, totalShards], properties });
	}

	#beat() {
		this.#beatAt = Date.now();
		this.#send(1, this.#sequence);
	}

	#send(op, d) {
		this.#socket.send(JSON.stringify({ op, d }));
	}

	#onClose(code) {
		clearInterval(this.#heartbeat);
		this.emit('closed', code);
		// A new session asks for a new slot, so this cannot run away; codes that a retry cannot fix end the bot.
		const fatal = code === 4004 || (code >= 4010 && code <= 4014);
		if (!fatal) setTimeout(() => this.connect(), 1000);
	}
}
