#!/usr/bin/perl
# json-log FORMAT COMMAND [ARGUMENT ...]: runs a server that cannot write JSON and prints what it logs as one JSON object a
# line, with the fields of the other parts (docs/logs.md). FORMAT is postgres, valkey or pgbouncer.
# It is the first process of the container: it hands signals on, ends with the server's exit code, and not before the last line.
# The images of the three servers have the same file (tests/unit/images/json-log.test.ts). It needs Debian's perl-base only.
use strict;
use warnings;
use Fcntl qw(O_RDWR);
use POSIX qw(WNOHANG dup2 mkfifo strftime);

# A longer line is printed in pieces.
my $longest = 1 << 20;
# A server that has ended may have left processes whose last lines are on their way, and a `sleep` that says nothing more.
my ($silence, $patience) = (0.5, 10);

# Valkey's report about a crash comes without the form of its other lines.
my $crashed;

my %formats = (postgres => \&postgres, valkey => \&valkey, pgbouncer => \&pgbouncer);
my ($format, @command) = @ARGV;
my $read = $formats{$format // ""};
die "usage: json-log postgres|valkey|pgbouncer COMMAND [ARGUMENT ...]\n" unless $read && @command;

my @streams = $format eq "postgres" ? collected($ENV{POSTGRES_LOG} // "/tmp/log") : ();
my $server = start(@command);
$SIG{$_} = sub { kill $_[0], $server } for qw(HUP INT QUIT TERM USR1 USR2);
$SIG{CHLD} = sub { };
# Without a reader the server goes on.
$SIG{PIPE} = "IGNORE";
exit follow();

# Postgres writes JSON to files only. These are pipes: nothing to rotate, and no disk to fill. Messages come through its
# collector, which does not mix the lines of two processes; the second pipe has what others print, such as a library.
sub collected {
    my ($directory) = @_;
    mkdir $directory, 0700;
    return map {
        my $path = "$directory/postgres.$_";
        unlink $path;
        mkfifo($path, 0600) or die "json-log: $path: $!\n";
        # For writing as well: opening does not wait for the collector, and its restart is no end.
        sysopen my $handle, $path, O_RDWR or die "json-log: $path: $!\n";
        { handle => $handle, level => "ERROR", rest => "" };
    } qw(json log);
}

sub start {
    my @pipes = map { pipe my $from, my $to or die "json-log: $!\n"; [$from, $to] } 1, 2;
    my $pid = fork // die "json-log: $!\n";
    if ($pid == 0) {
        dup2(fileno $pipes[$_][1], $_ + 1) for 0, 1;
        exec { $_[0] } @_ or do { print STDERR "json-log: $_[0]: $!\n"; POSIX::_exit(127) };
    }
    close $$_[1] for @pipes;
    push @streams, { handle => $pipes[0][0], level => "INFO", rest => "" }, { handle => $pipes[1][0], level => "ERROR", rest => "" };
    return $pid;
}

# Prints until the server has ended and all is said; returns its exit code.
sub follow {
    my ($code, $until);
    while (1) {
        my $left;
        while (($left = waitpid -1, WNOHANG) > 0) {
            ($code, $until) = ($? & 127 ? 128 + ($? & 127) : $? >> 8, time + $patience) if $left == $server;
        }
        my $bits = "";
        vec($bits, fileno $_->{handle}, 1) = 1 for @streams;
        # No process is left that could say something: the first one gets the children of all that have ended.
        my $alone = $$ == 1 && defined $code && $left < 0;
        my $ready = select $bits, undef, undef, $alone ? 0 : defined $code ? $silence : 1;
        last if defined $code && ($ready == 0 || time > $until);
        @streams = grep { !vec($bits, fileno $_->{handle}, 1) || take($_) } @streams if $ready > 0;
    }
    show($_, $_->{rest}) for @streams;
    return $code;
}

# False at the end of a stream.
sub take {
    my ($stream) = @_;
    my $count = sysread $stream->{handle}, $stream->{rest}, 65536, length $stream->{rest};
    return 1 if !defined $count && $!{EINTR};
    my @lines = split /\n/, $stream->{rest}, -1;
    $stream->{rest} = $count ? pop @lines // "" : "";
    if (length $stream->{rest} > $longest) {
        push @lines, $stream->{rest};
        $stream->{rest} = "";
    }
    show($stream, @lines);
    return $count;
}

sub show {
    my ($stream, @lines) = @_;
    my $text = "";
    for (grep /\S/, @lines) {
        my @fields = $read->($_);
        $text .= object(@fields ? @fields : plain($_, $stream->{level}));
    }
    while (length $text) {
        my $written = syswrite STDOUT, $text;
        if (defined $written) { substr $text, 0, $written, "" }
        elsif (!$!{EINTR}) { return }
    }
}

# Pairs of names and values, the values as JSON; undefined ones are left out.
sub object {
    my @pairs;
    while (my ($name, $value) = splice @_, 0, 2) {
        push @pairs, qq("$name": $value) if defined $value;
    }
    my $line = "{" . join(", ", @pairs) . "}\n";
    # Bytes of a client that are no UTF-8 would make the line no JSON.
    $line =~ s/[\x80-\xff]/?/g unless utf8::decode(my $copy = $line);
    return $line;
}

sub quoted {
    my ($text) = @_;
    $text =~ s/(["\\])/\\$1/g;
    $text =~ s/([\x00-\x1f\x7f])/sprintf '\u%04x', ord $1/ge;
    return qq("$text");
}

# A line that is none of the server's log: of the entrypoint, of a library, of a report about a crash.
sub plain {
    my ($text, $level) = @_;
    return (time => quoted(strftime "%Y-%m-%dT%H:%M:%S.000Z", gmtime), level => quoted($level), logger => quoted($format), message => quoted($text));
}

sub postgres {
    my ($line) = @_;
    # As it starts, before its collector does.
    if ($line =~ /^(\d{4}-\d\d-\d\d) ([\d:.]+) (?:UTC|GMT) \[(\d+)\] (\w+):  (.*)/) {
        return (time => quoted("$1T$2Z"), level => severity($4), logger => quoted("postgres"), message => quoted($5), pid => $3);
    }
    my %of;
    while ($line =~ /\G[{,]"(\w+)":("(?:[^"\\]++|\\.)*+"|[^",}]++)/gc) { $of{$1} = $2 }
    return unless $line =~ /\G\}$/ && $of{timestamp} && $of{error_severity};
    my ($code) = ($of{state_code} // "") =~ /^"(\w{5})"$/;
    withhold(\%of, substr $code // "", 0, 2);
    my ($request) = ($of{application_name} // "") =~ /^"([A-Za-z0-9][\w.-]{7,62})"$/;
    undef $request if defined $request && $request =~ /^(?:orcheo|pg_)/;
    my $message = $of{message} // '""';
    # It has the text of statements; pgaudit hides passwords itself.
    my $audit = $message =~ /^"AUDIT: /;
    $message =~ s/'[^']*'/'***'/g if $audit;
    return (
        time => $of{timestamp} =~ s/^"(\S+) (\S+) UTC"$/"$1T$2Z"/r,
        level => severity($of{error_severity} =~ tr/"//dr),
        logger => '"postgres"',
        message => $message,
        # A worker names its connections after the request whose run it executes (orcheo_runtime/connections.py).
        request => defined $request ? quoted($request) : undef,
        kind => $audit ? '"audit"' : undef,
        code => defined $code && $code ne "00000" ? quoted($code) : undef,
        client => $of{remote_host},
        backend => $of{backend_type},
        application => defined $request ? undef : $of{application_name},
        (map { ($_ => $of{$_}) } qw(user dbname pid detail hint context statement)),
    );
}

sub severity {
    my ($own) = @_;
    my %levels = (LOG => "INFO", INFO => "INFO", NOTICE => "INFO", FATAL => "ERROR", PANIC => "CRITICAL", DETAIL => "INFO", HINT => "INFO");
    return quoted($own =~ /^DEBUG/ ? "DEBUG" : $levels{$own} // $own);
}

# Errors of classes 22 (data) and 23 (constraints) quote the values of rows and parameters: whatever people have entered.
sub withhold {
    my ($of, $class) = @_;
    return if $class !~ /^2[23]$/;
    if ($class eq "22") {
        delete @$of{qw(detail context)};
        $of->{message} =~ s/\\"(?:[^"\\]|\\[^"])*\\"/\\"***\\"/g;
    }
    $of->{detail} =~ s/(=|contains )\(.*\)/$1(***)/ if defined $of->{detail};
    $of->{statement} =~ s/'[^']*'/'***'/g if defined $of->{statement};
}

sub valkey {
    my ($line) = @_;
    $crashed ||= $line =~ /VALKEY BUG REPORT START/;
    my ($pid, $role, $time, $level, $message) =
        $line =~ /^pid=(\d+) role=(\S+) timestamp="([^"]+)" level=(\w+) message="(.*)"$/
        or return $crashed ? plain($line =~ s/\r$//r, "CRITICAL") : ();
    my %levels = (debug => "DEBUG", verbose => "DEBUG", notice => "INFO", warning => "WARNING");
    $time =~ s/\+00:00$/Z/;
    return (time => quoted($time), level => quoted($levels{$level} // uc $level), logger => quoted("valkey"), message => quoted($message), role => quoted($role), pid => $pid);
}

sub pgbouncer {
    my ($line) = @_;
    my ($day, $time, $pid, $level, $message) = $line =~ /^(\S+) (\S+) UTC \[(\d+)\] ([A-Z]+) (.*)$/ or return;
    my %levels = (LOG => "INFO", FATAL => "CRITICAL", NOISE => "DEBUG");
    return (time => quoted("${day}T${time}Z"), level => quoted($levels{$level} // $level), logger => quoted("pgbouncer"), message => quoted($message), pid => $pid);
}
