// Checks of this machine: the version of Node, and the folder where managers leave their records.

import { stateDir } from '@shardctl/control';
import { messageOf } from '@shardctl/core';
import { type Finding, fail, ok } from './finding.js';

const needed = [20, 19] as const;

export function checkNode(version: string): Finding {
	const [major = 0, minor = 0] = version.split('.').map(Number);
	const isNew = major > needed[0] || (major === needed[0] && minor >= needed[1]);
	return isNew
		? ok('node', `Node ${version}`)
		: fail('node', `Node ${version} is too old`, `install Node ${needed.join('.')} or newer from https://nodejs.org`);
}

export function checkState(): Finding {
	try {
		return ok('state', `fleets are registered in ${stateDir()}`);
	} catch (error) {
		return fail('state', messageOf(error), 'set SHARDCTL_STATE_DIR to a folder that this user can write');
	}
}
