#!/usr/bin/env perl
# A bot without a library, in Perl: a WebSocket from what comes with Perl, and Discord's gateway protocol. Any program that can do the same
# runs as a fleet.
#
#     shardctl start --exec --simulate 200 --shards 4 -- ./bot.pl

use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use JSON::PP qw(decode_json encode_json);
use MIME::Base64 qw(encode_base64);

use constant { TEXT => 1, CLOSE => 8, PING => 9, PONG => 10 };
my $intents = 1 << 0 | 1 << 9 | 1 << 15;    # GUILDS, GUILD_MESSAGES, MESSAGE_CONTENT

$| = 1;
binmode STDOUT, ':encoding(UTF-8)';
my $select = IO::Select->new;
my %session_of;                              # by the socket's descriptor

sub connect_shard {
    my ($shard) = @_;
    my ($host, $port, $path) = $ENV{SHARDCTL_GATEWAY_URL} =~ m{^ws://([^:/]+):(\d+)(.*)$} or die "SHARDCTL_GATEWAY_URL is missing\n";
    my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port) or return;
    my $key = encode_base64(join('', map { chr int rand 256 } 1 .. 16), '');
    $path = "/$path" unless $path =~ m{^/};
    print $socket "GET $path?v=10&encoding=json HTTP/1.1\r\nHost: $host:$port\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        . "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: $key\r\n\r\n";
    $select->add($socket);
    $session_of{ fileno $socket } = { shard => $shard, socket => $socket, bytes => '', message => '', sequence => undef };
}

sub send_frame {
    my ($session, $payload, $opcode) = @_;
    my $length = length $payload;
    my $mask = join '', map { chr int rand 256 } 1 .. 4;
    my $masked = $payload ^ substr $mask x (1 + $length / 4), 0, $length;
    syswrite $session->{socket}, chr(0x80 | $opcode) . ($length < 126 ? chr(0x80 | $length) : pack('Cn', 0x80 | 126, $length)) . $mask . $masked;
}

sub send_op {
    my ($session, $op, $data) = @_;
    send_frame($session, encode_json({ op => $op, d => $data }), TEXT);
}

sub identify {
    my ($session) = @_;
    send_op($session, 2, {
        token => $ENV{DISCORD_TOKEN},
        intents => $intents,
        properties => { os => 'linux', browser => 'none', device => 'none' },
        shard => [ map { 0 + $_ } $session->{shard}, $ENV{SHARD_COUNT} ],
    });
}

sub handle {
    my ($session, $message) = @_;
    my ($op, $data, $shard) = ($message->{op}, $message->{d}, $session->{shard});
    identify($session) if $op == 10 || $op == 9;
    # The local gateway asks for heartbeats. They are how it knows what has arrived, and that the bot does not hang.
    send_op($session, 1, $session->{sequence}) if $op == 1;
    return if $op != 0;
    $session->{sequence} = $message->{s};
    print "shard $shard is ready, with " . @{ $data->{guilds} } . " guilds\n" if $message->{t} eq 'READY';
    print "shard $shard: $data->{content}\n" if $message->{t} eq 'MESSAGE_CREATE';
}

# Takes one frame off what has arrived; false where it is not complete.
sub take_frame {
    my ($session) = @_;
    my ($first, $size) = unpack 'CC', $session->{bytes} or return 0;
    return 0 if length $session->{bytes} < 2;
    my $head = $size == 126 ? 4 : $size == 127 ? 10 : 2;
    return 0 if length $session->{bytes} < $head;
    $size = unpack 'n', substr $session->{bytes}, 2 if $size == 126;
    $size = unpack 'Q>', substr $session->{bytes}, 2 if $head == 10;
    return 0 if length $session->{bytes} < $head + $size;
    my $payload = substr $session->{bytes}, $head, $size;
    substr $session->{bytes}, 0, $head + $size, '';
    my $opcode = $first & 0x0f;
    die 'closed with ' . unpack('n', $payload) . "\n" if $opcode == CLOSE;
    send_frame($session, $payload, PONG) if $opcode == PING;
    return 1 if $opcode > TEXT;
    $session->{message} .= $payload;
    handle($session, decode_json(delete $session->{message})), $session->{message} = '' if $first & 0x80;
    return 1;
}

sub receive {
    my ($session) = @_;
    sysread $session->{socket}, $session->{bytes}, 65536, length $session->{bytes} or die "the connection has ended\n";
    unless ($session->{open}) {
        $session->{bytes} =~ s/^(HTTP.*?\r\n)(?:.*?\r\n)?\r\n//s or return;
        die "the gateway refused: $1" if $1 !~ / 101 /;
        $session->{open} = 1;
    }
    1 while take_frame($session);
}

my $shards = JSON::PP->new->allow_nonref->decode($ENV{SHARDS});
my %missing = map { $_ => 1 } ref $shards ? @$shards : $shards;
while (1) {
    for my $shard (keys %missing) { delete $missing{$shard} if connect_shard($shard) }
    for my $socket ($select->can_read(1)) {
        my $session = $session_of{ fileno $socket };
        next if eval { receive($session); 1 };
        print "shard $session->{shard}: $@";
        $select->remove($socket);
        delete $session_of{ fileno $socket };
        close $socket;
        $missing{ $session->{shard} } = 1;
        sleep 1;
    }
}
