"""A discord.py bot without any sharding code: a cog with a prefix command and a slash command.

    shardctl start bot.py --simulate 200 --shards 4
"""
import os

import discord
from discord import app_commands
from discord.ext import commands


class Greetings(commands.Cog):
    def __init__(self, bot):
        self.bot = bot

    @commands.command()
    async def ping(self, context):
        await context.send("pong from shard %d of %d" % (context.guild.shard_id, self.bot.shard_count))

    @app_commands.command(description="Says hello")
    async def hello(self, interaction: discord.Interaction):
        await interaction.response.send_message("Hello, %s!" % interaction.user.display_name)


class Bot(commands.AutoShardedBot):
    async def setup_hook(self):
        await self.add_cog(Greetings(self))
        await self.tree.sync()

    async def on_ready(self):
        print("logged in as %s on shards %s, in %d guilds" % (self.user, self.shard_ids, len(self.guilds)))


intents = discord.Intents.default()
intents.message_content = True
Bot(command_prefix="!", intents=intents).run(os.environ["DISCORD_TOKEN"])
