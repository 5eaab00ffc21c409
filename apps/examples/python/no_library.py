"""A bot without a library: a WebSocket from the standard library, and Discord's gateway protocol.

    shardctl start --exec --simulate 200 --shards 4 -- python3 no_library.py
"""
import asyncio
import base64
import json
import os
from urllib.parse import urlsplit

GUILDS, GUILD_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 15
TEXT, CONTINUATION, CLOSE, PING, PONG = 1, 0, 8, 9, 10


class WebSocket:
    @classmethod
    async def connect(cls, url):
        parts = urlsplit(url)
        self = cls()
        self.reader, self.writer = await asyncio.open_connection(parts.hostname, parts.port)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            (
                "GET %s?%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n"
                % (parts.path or "/", parts.query, parts.netloc, key)
            ).encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.splitlines()[0]:
            raise ConnectionError("the gateway refused: %s" % head.splitlines()[0].decode())
        return self

    def send(self, payload, opcode=TEXT):
        mask = os.urandom(4)
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
        self.writer.write(bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    async def messages(self):
        message = b""
        while True:
            first, length = await self.reader.readexactly(2)
            if length >= 126:
                length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
            payload = await self.reader.readexactly(length)
            opcode = first & 0x0F
            if opcode == CLOSE:
                raise ConnectionError("closed with %d" % int.from_bytes(payload[:2], "big"))
            if opcode == PING:
                self.send(payload, PONG)
            if opcode not in (TEXT, CONTINUATION):
                continue
            message += payload
            if first & 0x80:
                yield json.loads(message)
                message = b""


async def run_shard(shard):
    socket = await WebSocket.connect(os.environ["SHARDCTL_GATEWAY_URL"] + "?v=10&encoding=json")
    sequence = None

    def send(op, data):
        socket.send(json.dumps({"op": op, "d": data}).encode())

    async for message in socket.messages():
        op, data = message["op"], message["d"]
        if op == 10:
            identify = {
                "token": os.environ["DISCORD_TOKEN"],
                "intents": GUILDS | GUILD_MESSAGES | MESSAGE_CONTENT,
                "properties": {"os": "linux", "browser": "none", "device": "none"},
                "shard": [shard, int(os.environ["SHARD_COUNT"])],
            }
            send(2, identify)
        elif op == 1:
            # The local gateway asks for heartbeats. They are how it knows what has arrived, and that the bot does not hang.
            send(1, sequence)
        elif op == 9:
            send(2, identify)
        elif op == 0:
            sequence = message["s"]
            if message["t"] == "READY":
                print("shard %d is ready, with %d guilds" % (shard, len(data["guilds"])), flush=True)
            if message["t"] == "MESSAGE_CREATE":
                print("shard %d: %s" % (shard, data["content"]), flush=True)


async def keep(shard):
    while True:
        try:
            await run_shard(shard)
        except (OSError, asyncio.IncompleteReadError) as error:
            print("shard %d: %s, connecting again" % (shard, error), flush=True)
            await asyncio.sleep(1)


async def main():
    shards = json.loads(os.environ["SHARDS"])
    await asyncio.gather(*map(keep, [shards] if isinstance(shards, int) else shards))


asyncio.run(main())
