<?php
// SPDX-License-Identifier: MIT
// memcache.php HOST|unix://PATH PORT text|binary: what PHP's Memcache (a client of its own) can do.

require __DIR__ . '/checks.php';

function storage(MemcachePool $cache): void
{
    check($cache->set('a', 'text'), 'set');
    equal($cache->get('a'), 'text', 'get');
    check($cache->get('none') === false, 'get of what is not there');
    check($cache->set('a', ['list' => [1, 2.5, null, true]]), 'set of an array');
    equal($cache->get('a'), ['list' => [1, 2.5, null, true]], 'get of an array (client flags)');
    $long = random_bytes(200_000);
    check($cache->set('long', $long), 'set of 200,000 bytes');
    equal($cache->get('long'), $long, 'get of 200,000 bytes');
    check($cache->add('b', 'm') && !$cache->add('b', 'x'), 'add');
    check($cache->append('b', '-end') && $cache->prepend('b', 'start-'), 'append, prepend');
    equal($cache->get('b'), 'start-m-end', 'append and prepend');
    // In binary this client calls a miss a failure of the server.
    check($cache->replace('b', 'r') && !@$cache->replace('none', 'r'), 'replace');
    check($cache->delete('b') && !$cache->delete('b'), 'delete');
}

function unique(MemcachePool $cache): void
{
    $cache->set('c', '1');
    $flags = $unique = null;
    equal($cache->get('c', $flags, $unique), '1', 'get with the unique');
    check($cache->cas('c', '2', 0, 0, $unique), 'cas with the right unique');
    check(!$cache->cas('c', '3', 0, 0, $unique), 'cas with an old unique');
    equal($cache->get('c'), '2', 'after cas');
}

function numbers(MemcachePool $cache): void
{
    $cache->set('n', 10);
    equal($cache->increment('n', 5), 15, 'increment');
    equal($cache->decrement('n', 20), 0, 'decrement below zero');
    check($cache->increment('none', 1) === false, 'increment of what is not there');
}

function many(MemcachePool $cache): void
{
    $pairs = [];
    foreach (range(0, 299) as $number) {
        $pairs["key-$number"] = str_repeat("value $number ", $number % 40);
        check($cache->set("key-$number", $pairs["key-$number"]), "set of key-$number");
    }
    $found = $cache->get([...array_keys($pairs), 'none']);
    ksort($found);
    ksort($pairs);
    equal($found, $pairs, 'get of many');
}

function general(MemcachePool $cache): void
{
    check(is_string($cache->getVersion()), 'getVersion');
    check($cache->set('e', 'x', 0, 1), 'set with a time');
    until(fn () => $cache->get('e') === false, 'not expired');
    check($cache->flush() && $cache->get('a') === false, 'flush');
    check($cache->close(), 'close');
}

judge(function (string $host, string $port, string $protocol): void {
    ini_set('memcache.protocol', $protocol === 'binary' ? 'binary' : 'ascii');
    ini_set('memcache.compress_threshold', '0');
    $cache = new MemcachePool();
    check($cache->addServer($host, (int)$port, 0, false, 1, 60, 0), 'addServer');
    storage($cache);
    unique($cache);
    numbers($cache);
    many($cache);
    if ($protocol !== 'binary') {
        check(current($cache->getExtendedStats())['curr_items'] > 0, 'getExtendedStats');
    }
    general($cache);
});
