"""A discord.py bot without any sharding code: a cog with a prefix command, and a slash command that asks the whole fleet.

    shardctl start bot.py --simulate 200 --shards 4
"""
import os

import discord
from discord import app_commands
from discord.ext import commands

from fleet_line import Line

line = Line()


class Greetings(commands.Cog):
    def __init__(self, bot):
        self.bot = bot

    @commands.command()
    async def ping(self, context):
        await context.send("pong from shard %d of %d" % (context.guild.shard_id, self.bot.shard_count))

    @app_commands.command(description="How many guilds the bot is in")
    async def guilds(self, interaction: discord.Interaction):
        counts = await line.call("guild_count")
        answer = "%d guilds, in %d processes" % (sum(counts), len(counts))
        print(answer)
        await interaction.response.send_message(answer)


class Bot(commands.AutoShardedBot):
    async def setup_hook(self):
        line.handle("guild_count")(self.guild_count)
        await line.start()
        await self.add_cog(Greetings(self))
        await self.tree.sync()

    async def guild_count(self):
        return len(self.guilds)

    async def on_ready(self):
        print("logged in as %s on shards %s, in %d guilds" % (self.user, self.shard_ids, len(self.guilds)))


intents = discord.Intents.default()
intents.message_content = True
Bot(command_prefix="!", intents=intents).run(os.environ["DISCORD_TOKEN"])
