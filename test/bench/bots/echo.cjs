// The floor of every call: a child that sends each message back.
process.on('message', (message) => process.send(message));
process.send('ready');
