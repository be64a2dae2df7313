<?php
// SPDX-License-Identifier: MIT
// What the PHP programs share: they say how many checks passed, and end with 1 after one that did not.

$checks = 0;

function check(bool $holds, string $what): void
{
    if (!$holds) {
        throw new Exception($what);
    }
    $GLOBALS['checks']++;
}

function equal(mixed $found, mixed $expected, string $what): void
{
    check($found === $expected, "$what: expected " . excerpt($expected) . ', found ' . excerpt($found));
}

function excerpt(mixed $value): string
{
    return substr(json_encode($value, JSON_INVALID_UTF8_SUBSTITUTE), 0, 200);
}

/** Asks again until it holds; the minute bounds a hang. */
function until(callable $holds, string $what): void
{
    $limit = microtime(true) + 60;
    while (!$holds()) {
        check(microtime(true) < $limit, "$what after 60 s");
        usleep(200_000);
    }
}

function judge(callable $body): void
{
    error_reporting(E_ALL & ~E_DEPRECATED);
    set_error_handler(function (int $kind, string $text): bool {
        return error_reporting() & $kind ? throw new Exception("PHP says: $text") : true;
    });
    try {
        $body(...array_slice($GLOBALS['argv'], 1));
    } catch (Throwable $problem) {
        echo "not so: {$problem->getMessage()} (line {$problem->getLine()})\n";
        exit(1);
    }
    echo "{$GLOBALS['checks']} checks passed\n";
}
