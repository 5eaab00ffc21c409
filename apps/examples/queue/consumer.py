"""A worker of the event queue in Python, with its standard library alone. packages/queue/WIRE.md describes each step.

    SHARDCTL_QUEUE=redis://localhost DISCORD_TOKEN=... python3 consumer.py
"""
import base64, json, os, secrets, select, signal, time
from redis_connection import Redis

GROUP, EVENTS, LEASE = 'python', ['MESSAGE_CREATE'], 3.0


def handle(kind, data):
    print(kind, data['content'], flush=True)


def script(name, names, *words):
    return redis('EVAL', scripts[name], len(names), *names, *words)


def pairs(flat):
    return dict(zip(flat[::2], flat[1::2]))


def turn(mode='stay', give_back=()):
    """Renews the lease, gives partitions back, and takes this worker's share."""
    global held, valid_until, renew_at, surplus
    now, before = time.monotonic(), held
    has = [word for p, epoch in held.items() for word in (p, epoch, 'free' if p in give_back else 'keep')]
    ms = [round(LEASE * 1000 / part) for part in (1, 12, 3)]
    answer = script('turn', [group, prefix], member, *ms, partitions, mode, f'{group}:changed', *has)
    held, surplus, valid_until, renew_at = pairs(answer[4]), int(answer[2]), now + 0.75 * LEASE, now + LEASE / 4
    for partition, epoch in list(held.items()):
        if before.get(partition) != epoch:
            last = '-'
            while last:  # What the owner before had in hand comes first.
                pending = script('claimPending', [group, stream + partition], GROUP, member, 100, partition, epoch, last)
                last = work(partition, epoch, pending[2], pairs(pending[3])) if pending[0] == 'OK' and pending[3] else None


def owns(partition, epoch):
    """Whether this worker may read from the partition, and handle its events."""
    if time.monotonic() >= renew_at:
        turn()
    if held.get(partition) == epoch and time.monotonic() < valid_until:
        return True
    held.pop(partition, None)  # The next turn says whose it is, and what is left of it.
    return False


def work(partition, epoch, entries, deliveries={}):
    names, mine, done = [group, stream + partition], [GROUP, member, partition, epoch], []

    def acknowledge():
        if done:
            script('acknowledge', names, *mine, len(done), *done)
        done.clear()

    for entry, fields in entries:
        event, delivery = pairs(fields), int(deliveries.get(entry, 0))
        event |= zip(('n', 't', 's', 'sid', 'g'), [*event['e'].split(' '), ''])
        reason = f'its worker ended while it was handled, {delivery} times'
        while owns(partition, epoch) and delivery < 3:
            delivery += 1
            if delivery > 1:
                acknowledge()  # If this worker ends now, it was this event, and none before it.
                if not script('begin', names, *mine, entry, delivery):
                    held.pop(partition, None)
                    break
            try:
                if event['t'] in EVENTS and event.get('only', GROUP) == GROUP:
                    handle(event['t'], json.loads(event['d']))
                done.append(entry)
                break
            except Exception as error:
                reason = repr(error)
                time.sleep(0.1 * delivery)
        if partition not in held:
            break
        if entry not in done:
            dead = ['group', GROUP, 'reason', reason] + [word for name in ('t', 's', 'sid', 'g', 'd') for word in (name, event[name])]
            script('bury', [*names, f'{prefix}:dead'], *mine, entry, 10_000, *dead)
    acknowledge()
    return [*deliveries][-1] if deliveries and partition in held else None


def subscribe(begins_at):
    names = [prefix, f'{prefix}:groups', group]
    return script('subscribe', names, GROUP, subscription, stream, f'{prefix}:groups:changed', begins_at, f'{prefix}:shard:')


application = base64.b64decode(os.environ['DISCORD_TOKEN'].split('.')[0] + '==').decode()
prefix, member = f'shardctl:{application}:queue', secrets.token_hex(8)
group, stream = f'{prefix}:group:{GROUP}', f'{prefix}:events:'
redis, bell = Redis(os.environ['SHARDCTL_QUEUE']), Redis(os.environ['SHARDCTL_QUEUE'])
subscription = json.dumps({'events': sorted(EVENTS), 'intents': None}, separators=(',', ':'))
while not (scripts := pairs(redis('HGETALL', f'{prefix}:scripts'))) or (answer := subscribe('$'))[0] != 'OK':
    time.sleep(0.5)  # No fleet has written to the queue yet.
partitions, subscribed_at = int(answer[1]) * int(answer[2]), time.monotonic()
held, surplus, renew_at, stopping = {}, 0, 0, []
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stopping.append(True))
bell('SUBSCRIBE', f'{prefix}:bell')
while not stopping:
    if surplus or time.monotonic() >= renew_at:
        turn(give_back=list(held)[:surplus])
    if time.monotonic() >= subscribed_at + 5:
        subscribe('0')  # Redis may have lost the group.
        subscribed_at = time.monotonic()
    mine = list(held.items())
    names = [group, *[stream + p for p, _ in mine]]
    answers = script('read', names, GROUP, member, 10, *[word for pair in mine for word in pair]) if mine else []
    news = [(p, epoch, answer[2]) for (p, epoch), answer in zip(mine, answers) if answer[0] == 'OK' and answer[2]]
    for some in news:
        work(*some)
    if not news and select.select([bell.socket], [], [], 0.2)[0]:
        bell.reply()
turn('leave', give_back=list(held))
