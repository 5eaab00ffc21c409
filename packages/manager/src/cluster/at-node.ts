// Names the node in the failure of what was done there.
import { ShardctlError } from '@shardctl/core';

export async function atNode<T>(name: string, work: Promise<T>): Promise<T> {
	try {
		return await work;
	} catch (error) {
		if (!ShardctlError.is(error) || error.details.node !== undefined) throw error;
		throw new ShardctlError(error.code, `node ${name}: ${error.message}`, {
			cause: error,
			details: { ...error.details, node: name },
		});
	}
}
