// Echoes on one channel in both ways: by our RPC, and by node's own messages.
import { ipcPort, isFrame, Peer } from '@shardctl/rpc';

const peer = new Peer({ port: ipcPort(process), epoch: 1 });
peer.handle('echo', (value) => value);
process.on('message', (message) => {
	if (!isFrame(message)) process.send(message);
});
process.send('up');
