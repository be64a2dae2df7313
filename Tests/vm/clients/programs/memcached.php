<?php
// SPDX-License-Identifier: MIT
// memcached.php HOST|PATH PORT text|binary: what PHP's Memcached (on libmemcached) can do.

require __DIR__ . '/checks.php';

function connect(string $host, int $port, bool $binary, array $more = []): Memcached
{
    $cache = new Memcached();
    $cache->setOptions($more + [
        Memcached::OPT_BINARY_PROTOCOL => $binary, Memcached::OPT_CONNECT_TIMEOUT => 60000,
        Memcached::OPT_RECV_TIMEOUT => 60_000_000, Memcached::OPT_SEND_TIMEOUT => 60_000_000,
        Memcached::OPT_POLL_TIMEOUT => 60000, Memcached::OPT_TCP_NODELAY => true,
    ]);
    $cache->addServer($host, $port);
    return $cache;
}

function storage(Memcached $cache): void
{
    check($cache->set('a', 'text'), 'set');
    equal($cache->get('a'), 'text', 'get');
    check($cache->get('none') === false && $cache->getResultCode() === Memcached::RES_NOTFOUND, 'get of what is not there');
    check($cache->set('a', ['list' => [1, 2.5, null, true]]), 'set of an array');
    equal($cache->get('a'), ['list' => [1, 2.5, null, true]], 'get of an array (client flags)');
    $long = random_bytes(200_000);
    check($cache->set('long', $long), 'set of 200,000 bytes');
    equal($cache->get('long'), $long, 'get of 200,000 bytes');
    check($cache->add('b', 'm') && !$cache->add('b', 'x'), 'add');
    $cache->setOption(Memcached::OPT_COMPRESSION, false);
    check($cache->append('b', '-end') && $cache->prepend('b', 'start-'), 'append, prepend');
    equal($cache->get('b'), 'start-m-end', 'append and prepend');
    check($cache->replace('b', 'r') && !$cache->replace('none', 'r'), 'replace');
    check($cache->delete('b') && !$cache->delete('b'), 'delete');
}

function unique(Memcached $cache): void
{
    $cache->set('c', '1');
    $found = $cache->get('c', null, Memcached::GET_EXTENDED);
    equal($found['value'], '1', 'get with the unique');
    check($cache->cas($found['cas'], 'c', '2'), 'cas with the right unique');
    check(!$cache->cas($found['cas'], 'c', '3') && $cache->getResultCode() === Memcached::RES_DATA_EXISTS, 'cas with an old unique');
    equal($cache->get('c'), '2', 'after cas');
}

function numbers(Memcached $cache, bool $binary): void
{
    $cache->set('n', 10);
    equal($cache->increment('n', 5), 15, 'increment');
    equal($cache->decrement('n', 20), 0, 'decrement below zero');
    check($cache->increment('none', 1) === false, 'increment of what is not there');
    if ($binary) {
        equal($cache->increment('begun', 1, 7), 7, 'increment begins a number');
        equal($cache->increment('begun', 1, 7), 8, 'increment of what it began');
    }
}

function many(Memcached $cache): void
{
    $pairs = [];
    foreach (range(0, 499) as $number) {
        $pairs["key-$number"] = str_repeat("value $number ", $number % 40);
    }
    check($cache->setMulti($pairs), 'setMulti');
    $found = $cache->getMulti([...array_keys($pairs), 'none'], Memcached::GET_PRESERVE_ORDER);
    equal(array_filter($found, 'is_string'), $pairs, 'getMulti');
    check($cache->getDelayed(array_keys($pairs)), 'getDelayed');
    equal(count($cache->fetchAll()), 500, 'fetchAll');
    equal(array_unique(array_values($cache->deleteMulti(array_keys($pairs)))), [true], 'deleteMulti');
    equal($cache->getMulti(array_keys($pairs)), [], 'after deleteMulti');
}

function times(Memcached $cache): void
{
    // Some seconds: one may be over as soon as the clock ticks, before the touch.
    check($cache->set('kept', 'x', 5) && $cache->set('e', 'x', 5), 'set with a time');
    check($cache->touch('kept', 1000) && !$cache->touch('none', 10), 'touch');
    until(fn () => $cache->get('e') === false, 'not expired');
    equal($cache->get('kept'), 'x', 'touched before it expired');
}

function general(Memcached $cache): void
{
    equal(count($cache->getVersion()), 1, 'getVersion');
    $figures = $cache->getStats();
    check(current($figures)['curr_items'] > 0, 'getStats');
    check($cache->flush() && $cache->get('a') === false, 'flush');
    check($cache->quit(), 'quit');
}

judge(function (string $host, string $port, string $protocol): void {
    $binary = $protocol === 'binary';
    $cache = connect($host, (int)$port, $binary);
    storage($cache);
    unique($cache);
    numbers($cache, $binary);
    many($cache);
    times($cache);
    $quick = connect($host, (int)$port, $binary, [Memcached::OPT_NO_BLOCK => true, Memcached::OPT_BUFFER_WRITES => true]);
    foreach (range(0, 299) as $number) {
        $quick->set('q' . $number % 5, "$number");
    }
    check($quick->flushBuffers() && $quick->get('q4') === '299', 'after buffered sets');
    general($cache);
});
