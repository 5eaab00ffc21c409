"""Loaded by Python at the start of every Python process in a worker of shardctl, because its folder is first in PYTHONPATH.

Connects discord.py, py-cord, nextcord and disnake to the worker's local gateway, and gives their clients the shards of the worker, through
attributes of the libraries. It imports no library: each is adjusted when the bot imports it. Afterwards the sitecustomize that
Python would have loaded runs.
"""

import os
import sys

_LIBRARIES = ("discord", "nextcord", "disnake")
# The tasks in which the libraries run the code of a bot.
_HANDLERS = ("discord.py: ", "pycord: ", "nextcord: ", "disnake: ", "CommandTree-invoker", "discord-ui-", "disnake-ui-")


def _socket_to_manager():
    """The descriptor of the line protocol. Only at the start of a process is it certain that nothing else has its number."""
    import stat

    try:
        fd = int(os.environ.get("SHARDCTL_FD", ""))
        return fd if stat.S_ISSOCK(os.fstat(fd).st_mode) else None
    except (ValueError, OSError):
        return None


class _Worker:
    """What the manager started this process with."""

    def __init__(self, environ):
        self.gateway = environ["SHARDCTL_GATEWAY_URL"]
        self.api = environ["SHARDCTL_API"].rstrip("/")
        self.shards = [int(part) for part in environ["SHARDS"].strip("[] ").split(",")]
        self.count = int(environ["SHARD_COUNT"])
        self.grace = int(environ.get("SHARDCTL_GRACE_MS", "10000")) / 1000
        self.socket = _socket_to_manager()
        self.stopping = False
        self.logged_in = False
        self.run_sets_sigterm = False

    def report(self, **message):
        import json

        if self.socket is None:
            return
        try:
            os.write(self.socket, (json.dumps(message) + "\n").encode())
        except OSError:
            pass  # The manager is gone, or does not read; neither is the bot's affair.

    # One function per module of a library, called when the module has been executed.

    def adjust_http(self, module):
        """Requests go to the worker's address of Discord's REST API."""
        import re

        route = module.Route
        known = getattr(route, "BASE", None)
        version = re.search(r"/v(\d+)", known or "")
        number = version.group(1) if version else getattr(module, "API_VERSION", 10)
        base = "%s/v%s" % (self.api, number)
        if known is not None:
            route.BASE = base
        elif hasattr(route, "base"):
            route.base = property(lambda _: base)
        else:
            raise AttributeError("Route has neither BASE nor base")

    def adjust_gateway(self, module):
        """Sessions are with the local gateway. Libraries without this attribute ask the REST API for the address, which is ours."""
        socket = module.DiscordWebSocket
        if hasattr(socket, "DEFAULT_GATEWAY"):
            socket.DEFAULT_GATEWAY = type(socket.DEFAULT_GATEWAY)(self.gateway)
        self.count_asked_heartbeats(module.KeepAliveHandler)

    def count_asked_heartbeats(self, keeper):
        """The local gateway asks for heartbeats. The libraries answer, but take their latency, and the warning that they "can't keep up",
        from the last heartbeat that they sent by themselves."""
        import time

        get_payload = keeper.get_payload

        def counted(this):
            this._last_send = time.perf_counter()
            return get_payload(this)

        keeper.get_payload = counted

    def adjust_client(self, module):
        import functools

        client = module.Client
        init, run, login, connect = client.__init__, client.run, client.login, client.connect
        library = module.__name__.partition(".")[0]

        @functools.wraps(init)
        def __init__(this, *args, **kwargs):
            init(this, *args, **kwargs)
            self.set_shards(this)

        @functools.wraps(run)
        def hooked_run(this, *args, **kwargs):
            self.run_sets_sigterm = self.is_sigterm_free()
            return run(this, *args, **kwargs)

        @functools.wraps(login)
        async def hooked_login(this, *args, **kwargs):
            self.on_login(this, library)
            return await login(this, *args, **kwargs)

        # AutoShardedClient has one of its own.
        @functools.wraps(connect)
        async def hooked_connect(this, *args, **kwargs):
            if len(self.shards) > 1 and not hasattr(this, "shard_ids"):
                self.refuse_single(this)
            return await connect(this, *args, **kwargs)

        async def before_identify_hook(this, shard_id, *, initial=False):
            """Without the library's pause of 5 s: the gateway process keeps Discord's pace."""

        client.__init__ = __init__
        client.run = hooked_run
        client.login = hooked_login
        client.connect = hooked_connect
        client.before_identify_hook = before_identify_hook

    def set_shards(self, client):
        client.shard_count = client._connection.shard_count = self.count
        if hasattr(client, "shard_ids"):
            client.shard_ids = list(self.shards)
        elif len(self.shards) == 1:
            client.shard_id = self.shards[0]

    def refuse_single(self, client):
        name = type(client).__name__
        self.report(
            type="problem",
            fatal=True,
            message="%s has a single shard, and this worker has the shards %s: derive the bot from AutoShardedBot (AutoShardedClient), "
            "or start one process per shard (--shards-per-worker 1)" % (name, ", ".join(map(str, self.shards))),
        )
        raise SystemExit(1)

    def is_sigterm_free(self):
        import signal

        return signal.getsignal(signal.SIGTERM) == signal.SIG_DFL

    def may_handle_sigterm(self, loop, library):
        """Python ends at SIGTERM without a word, and what py-cord, nextcord and disnake do in run() cancels the handlers that run. A handler of
        the bot's own is left alone."""
        import signal

        if self.is_sigterm_free():
            return True
        handler = getattr(loop, "_signal_handlers", {}).get(signal.SIGTERM)
        callback = getattr(handler, "_callback", loop.stop)
        is_library = callback == loop.stop or getattr(callback, "__module__", "") == library + ".client"
        return self.run_sets_sigterm and is_library

    def on_login(self, client, library):
        import asyncio
        import signal
        import threading

        if not self.logged_in:
            self.logged_in = True
            package = sys.modules[library]
            title = getattr(package, "__title__", library)
            name = {"discord": "discord.py", "pycord": "py-cord"}.get(title, title)
            self.report(type="attached", library="%s %s" % (name, getattr(package, "__version__", "")))
            if self.socket is not None:
                threading.Thread(target=self.end_with_manager, name="shardctl", daemon=True).start()
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            if not self.may_handle_sigterm(loop, library):
                return
            try:
                loop.add_signal_handler(signal.SIGTERM, self.on_sigterm, client, loop)
            except NotImplementedError:
                pass

    def on_sigterm(self, client, loop):
        import signal

        if self.stopping:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)
        self.stopping = True
        self.ending = loop.create_task(self.shut_down(client))

    async def shut_down(self, client):
        """The handlers that run may finish; then the client logs out, and what ran it returns."""
        import asyncio
        import signal
        import threading

        running = [task for task in asyncio.all_tasks() if task.get_name().startswith(_HANDLERS)]
        if running:
            await asyncio.wait(running, timeout=max(0.0, self.grace - 1))
        try:
            await client.close()
        finally:
            # What ran the client may cancel this before its connections have closed.
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            threading.Thread(target=self.end_lingering, name="shardctl", daemon=True).start()

    def end_lingering(self):
        """Python waits for threads that are no daemons, such as that of an open database, also when the program has ended."""
        import signal
        import threading
        import time

        threading.main_thread().join()
        time.sleep(2)
        os.kill(os.getpid(), signal.SIGTERM)

    def end_with_manager(self):
        """A manager that was killed leaves no bot behind. Reads nothing: what it sends is for the bot."""
        import select
        import signal

        poll = select.poll()
        poll.register(self.socket, 0)
        poll.poll()
        os.kill(os.getpid(), signal.SIGTERM)


class _Finder:
    """Lets the other finders find a module, and adjusts it when it has been executed."""

    def __init__(self, worker):
        self.adjustments = {}
        for library in _LIBRARIES:
            self.adjustments[library + ".http"] = worker.adjust_http
            self.adjustments[library + ".gateway"] = worker.adjust_gateway
            self.adjustments[library + ".client"] = worker.adjust_client

    def find_spec(self, name, path=None, target=None):
        adjust = self.adjustments.get(name)
        if adjust is None:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                break
        else:
            return None
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            if module.__name__ != name:
                return
            try:
                adjust(module)
            except Exception as error:
                sys.stderr.write(
                    "shardctl: cannot adjust %s (%s: %s); this version of the library is not supported\n"
                    % (name, type(error).__name__, error)
                )

        spec.loader.exec_module = exec_module
        return spec


def _run_next():
    """The sitecustomize that this one has hidden."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


if "SHARDCTL_GATEWAY_URL" in os.environ:
    sys.meta_path.insert(0, _Finder(_Worker(os.environ)))
_run_next()
