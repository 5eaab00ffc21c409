// Checks of this machine: the version of Node, and the folder where managers leave their records.
import { statfsSync } from 'node:fs';
import { stateDir } from '@shardctl/control';
import { messageOf } from '@shardctl/core';
import { grouped } from '../terminal/count.js';
import { type Finding, fail, ok, warn } from './finding.js';

const needed = [20, 19] as const;

export function checkNode(version: string): Finding {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	const isNew = major > needed[0] || (major === needed[0] && minor >= needed[1]);
	return isNew
		? ok('node', `Node ${version}`)
		: fail('node', `Node ${version} is too old`, `install Node ${needed.join('.')} or newer from https://nodejs.org`);
}

/** Less than the health of a fleet takes for almost full, and a good deal more than a fleet writes. */
const scarceBytes = 256 * 2 ** 20;

function spaceFinding(folder: string): Finding {
	const { bavail, bsize } = statfsSync(folder);
	const freeBytes = bavail * bsize;
	const text = `fleets are registered in ${folder}, ${grouped(Math.floor(freeBytes / 2 ** 20))} MB free`;
	if (freeBytes >= scarceBytes) return ok('state', text);
	return warn('state', text, 'free space in that folder: snapshots of sessions, logs and history are saved there');
}

export function checkState(): Finding {
	try {
		return spaceFinding(stateDir());
	} catch (error) {
		return fail('state', messageOf(error), 'set SHARDCTL_STATE_DIR to a folder that this user can write');
	}
}
