"""A connection to Redis with the standard library alone: https://redis.io/docs/latest/develop/reference/protocol-spec/"""
import json, os, socket, ssl, tempfile, urllib.parse


def tls_context():
    """With the certificates of --queue-ca, --queue-cert and --queue-key, which shardctl gives its workers as PEM."""
    given = json.loads(os.environ.get('SHARDCTL_QUEUE_TLS') or '{}')
    context = ssl.create_default_context(cadata=given.get('ca'))
    if 'cert' in given:
        with tempfile.NamedTemporaryFile('w') as file:  # Python reads a certificate from files alone.
            file.write(f"{given['cert']}\n{given['key']}")
            file.flush()
            context.load_cert_chain(file.name)
    return context


class Redis:
    def __init__(self, url):
        at = urllib.parse.urlsplit(url)
        if at.scheme not in ('redis', 'rediss'):
            raise ValueError(f'the address of Redis begins with redis:// or rediss://, not {at.scheme}:')
        self.socket = socket.create_connection((at.hostname, at.port or 6379))
        if at.scheme == 'rediss':
            self.socket = tls_context().wrap_socket(self.socket, server_hostname=at.hostname)
        self.file = self.socket.makefile('rb')
        if at.password:
            self('AUTH', *filter(None, (urllib.parse.unquote(word or '') for word in (at.username, at.password))))
        if at.path.strip('/'):
            self('SELECT', at.path.strip('/'))

    def __call__(self, *words):
        words = [str(word).encode() for word in words]
        self.socket.sendall(b'*%d\r\n' % len(words) + b''.join(b'$%d\r\n%s\r\n' % (len(word), word) for word in words))
        return self.reply()

    def reply(self):
        line = self.file.readline()
        kind, text = line[:1], line[1:-2].decode()
        if kind == b'$':
            return None if text == '-1' else self.file.read(int(text) + 2)[:-2].decode()
        if kind == b'*':
            return None if text == '-1' else [self.reply() for _ in range(int(text))]
        if kind in (b':', b'+'):
            return int(text) if kind == b':' else text
        raise ConnectionError(text or 'Redis closed the connection')
