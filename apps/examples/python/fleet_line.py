"""Calls into and out of a Python bot, by the line protocol of shardctl: JSON, one message a line, on the descriptor SHARDCTL_FD. Copy this file.

    line = Line()

    @line.handle("guild_count")
    async def guild_count():
        return len(bot.guilds)

    await line.start()          # in setup_hook
    counts = await line.call("guild_count")          # of every worker; shard=3 asks one
"""
import asyncio
import json
import os
import socket


class Line:
    def __init__(self):
        self.handlers = {}
        self.calls = {}
        self.last_id = 0

    def handle(self, name):
        def register(handler):
            self.handlers[name] = handler
            return handler

        return register

    async def start(self):
        if "SHARDCTL_FD" not in os.environ:
            return  # The bot runs without shardctl.
        manager = socket.socket(fileno=int(os.environ["SHARDCTL_FD"]))
        self.reader, self.writer = await asyncio.open_unix_connection(sock=manager, limit=2**20 + 1)
        self.send(type="hello", handlers=list(self.handlers))
        self.task = asyncio.create_task(self.read())

    def send(self, **message):
        self.writer.write(json.dumps(message).encode() + b"\n")

    async def call(self, name, *args, shard=None):
        self.last_id += 1
        self.calls[self.last_id] = reply = asyncio.get_running_loop().create_future()
        self.send(type="call", id=self.last_id, name=name, args=args, **({} if shard is None else {"shard": shard}))
        return await reply

    async def read(self):
        while line := await self.reader.readline():
            message = json.loads(line)
            if message["type"] == "call":
                asyncio.create_task(self.answer(message))
            elif message["type"] == "reply":
                reply = self.calls.pop(message["id"])
                if "error" in message:
                    reply.set_exception(RuntimeError("%(message)s (%(code)s)" % message["error"]))
                else:
                    reply.set_result(message.get("result"))

    async def answer(self, message):
        try:
            result = await self.handlers[message["name"]](*message["args"])
            self.send(type="reply", id=message["id"], result=result)
        except Exception as error:
            self.send(type="reply", id=message["id"], error={"message": str(error), "code": type(error).__name__})
