#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# fast.pl ENDPOINT: what Cache::Memcached::Fast can do; says how many checks passed, ends with 1 after one that did not.
use strict;
use warnings;
use Cache::Memcached::Fast;

my $checks = 0;
my $cache = Cache::Memcached::Fast->new({
	servers => [$ARGV[0]], namespace => 'fast:', connect_timeout => 60, io_timeout => 60, max_failures => 0,
	compress_threshold => 10_000, compress_ratio => 0.9, utf8 => 1,
});

sub check {
	my ($holds, $what) = @_;
	die "$what\n" unless $holds;
	$checks++;
}

sub equal {
	my ($found, $expected, $what) = @_;
	$found = 'undef' unless defined $found;
	check($found eq $expected, "$what: expected $expected, found " . substr($found, 0, 200));
}

sub versions {
	my $versions = $cache->server_versions;
	check(1 == keys %$versions, 'server_versions');
}

sub storage {
	check($cache->set('a', 'text'), 'set');
	equal($cache->get('a'), 'text', 'get');
	check(!defined $cache->get('none'), 'get of what is not there');
	check($cache->set('a', {list => [1, 2, 3]}), 'set of an object');
	equal(join(',', @{$cache->get('a')->{list}}), '1,2,3', 'get of an object (client flags)');
	check($cache->set('long', 'x' x 200_000), 'set of 200,000 bytes');
	equal($cache->get('long'), 'x' x 200_000, 'get of 200,000 bytes');
	check($cache->add('b', 'm') && !$cache->add('b', 'x'), 'add');
	check($cache->append('b', '-end') && $cache->prepend('b', 'start-'), 'append, prepend');
	equal($cache->get('b'), 'start-m-end', 'append and prepend');
	check($cache->replace('b', 'r') && !$cache->replace('none', 'r'), 'replace');
	check($cache->delete('b') && !$cache->delete('b'), 'delete');
}

sub unique {
	$cache->set('c', '1');
	my $pair = $cache->gets('c');
	equal($pair->[1], '1', 'gets');
	check($cache->cas('c', $pair->[0], '2'), 'cas with the right unique');
	my $late = $cache->cas('c', $pair->[0], '3');
	check(defined $late && !$late, 'cas with an old unique');
	equal($cache->get('c'), '2', 'after cas');
	my $pairs = $cache->gets_multi('c', 'none');
	check(1 == keys %$pairs && $pairs->{c}[1] eq '2', 'gets_multi');
}

sub numbers {
	$cache->set('n', 10);
	equal($cache->incr('n', 5), 15, 'incr');
	my $least = $cache->decr('n', 20);
	check($least && $least == 0, 'decr below zero');
	my $none = $cache->incr('none', 1);
	check(defined $none && !$none, 'incr of what is not there');
	my $all = $cache->incr_multi(['n', 3], 'none');
	equal($all->{n}, 3, 'incr_multi');
}

sub many {
	my %pairs = map { ("key-$_" => "value $_ " x ($_ % 40)) } 0 .. 499;
	my $stored = $cache->set_multi(map { [$_, $pairs{$_}] } keys %pairs);
	equal(scalar(grep { $_ } values %$stored), 500, 'set_multi');
	my $found = $cache->get_multi(keys %pairs, 'none');
	equal(scalar(keys %$found), 500, 'get_multi');
	equal($found->{$_}, $pairs{$_}, $_) for keys %pairs;
	my $gone = $cache->delete_multi(keys %pairs);
	equal(scalar(grep { $_ } values %$gone), 500, 'delete_multi');
}

# Calls without an answer are pushed, and nowait_push waits until all have been taken.
sub silent {
	my $quick = Cache::Memcached::Fast->new({servers => [$ARGV[0]], namespace => 'fast:', nowait => 1, io_timeout => 60});
	$quick->set("q" . $_ % 5, $_) for 0 .. 299;
	$quick->nowait_push;
	equal($cache->get('q4'), 299, 'after sets that waited for nothing');
}

sub times {
	# Some seconds: one may be over as soon as the clock ticks, before the touch.
	check($cache->set('kept', 'x', 5) && $cache->set('e', 'x', 5), 'set with a time');
	check($cache->touch('kept', 1000) && !$cache->touch('none', 10), 'touch');
	my $limit = time + 60;
	while (defined $cache->get('e')) {
		die "not expired after 60 s\n" if time > $limit;
		select undef, undef, undef, 0.2;
	}
	equal($cache->get('kept'), 'x', 'touched before it expired');
	check($cache->gat(1000, 'kept') eq 'x', 'gat');
}

sub flush {
	check((values %{$cache->flush_all})[0], 'flush_all');
	check(!defined $cache->get('a'), 'after flush_all');
}

eval { versions(); storage(); unique(); numbers(); many(); silent(); times(); flush(); 1 } or do {
	print "not so: $@";
	exit 1;
};
print "$checks checks passed\n";
