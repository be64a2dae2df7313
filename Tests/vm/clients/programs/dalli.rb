#!/usr/bin/ruby
# SPDX-License-Identifier: MIT
# frozen_string_literal: true
# dalli.rb ENDPOINT [USER PASSWORD]: what Ruby's Dalli (binary) can do; says how many checks passed, ends with 1 after one that did not.

require 'logger'
require 'dalli'
Dalli.logger = Logger.new($stderr, level: Logger::ERROR)

$checks = 0

def check(holds, what)
  raise what unless holds

  $checks += 1
end

def equal(found, expected, what)
  check(found == expected, "#{what}: expected #{expected.inspect[0, 200]}, found #{found.inspect[0, 200]}")
end

def storage(cache)
  check(cache.set('a', 'text'), 'set')
  equal(cache.get('a'), 'text', 'get')
  equal(cache.get('none'), nil, 'get of what is not there')
  check(cache.set('a', { 'list' => [1, 2.5, nil] }), 'set of an object')
  equal(cache.get('a'), { 'list' => [1, 2.5, nil] }, 'get of an object (client flags)')
  long = Random.new(1).bytes(200_000)
  check(cache.set('long', long), 'set of 200,000 bytes')
  equal(cache.get('long'), long, 'get of 200,000 bytes')
  check(cache.add('b', 'm', 0, raw: true) && !cache.add('b', 'x'), 'add')
  check(cache.append('b', '-end') && cache.prepend('b', 'start-'), 'append, prepend')
  equal(cache.get('b', raw: true), 'start-m-end', 'append and prepend')
  check(cache.replace('b', 'r') && cache.replace('none', 'r').zero? && cache.get('none').nil?, 'replace')
  check(cache.delete('b') && !cache.delete('b'), 'delete')
end

def unique(cache)
  cache.set('c', '1')
  value, unique = cache.get_cas('c')
  equal(value, '1', 'get_cas')
  check(cache.set_cas('c', '2', unique), 'set_cas with the right unique')
  check(!cache.set_cas('c', '3', unique), 'set_cas with an old unique')
  check(!cache.delete_cas('c', unique), 'delete_cas with an old unique')
  check(cache.cas('c') { |old| "#{old}!" }, 'cas')
  equal(cache.get('c'), '2!', 'after cas')
end

def numbers(cache)
  equal(cache.incr('n', 5, 0, 7), 7, 'incr begins a number')
  equal(cache.incr('n', 5), 12, 'incr')
  equal(cache.decr('n', 20), 0, 'decr below zero')
  equal(cache.incr('nothing'), nil, 'incr of what is not there')
end

# A block of multi sends quiet requests, and waits at its end.
def many(cache)
  pairs = (0..499).to_h { |number| ["key-#{number}", "value #{number} " * (number % 40)] }
  cache.multi { pairs.each { |key, value| cache.set(key, value) } }
  equal(cache.get_multi(*pairs.keys, 'none'), pairs, 'get_multi')
  equal(cache.get_multi_cas('key-1', 'none').keys, ['key-1'], 'get_multi_cas')
  cache.multi { pairs.each_key { |key| cache.delete(key) } }
  equal(cache.get_multi(*pairs.keys), {}, 'after deletes in a block')
end

def times(cache)
  # Some seconds: one may be over as soon as the clock ticks, before the touch.
  check(cache.set('kept', 'x', 5) && cache.set('e', 'x', 5), 'set with a time')
  check(cache.touch('kept', 1000) && !cache.touch('none', 10), 'touch')
  limit = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 60
  until cache.get('e').nil?
    check(Process.clock_gettime(Process::CLOCK_MONOTONIC) < limit, 'not expired after 60 s')
    sleep 0.2
  end
  equal(cache.gat('kept', 1000), 'x', 'touched before it expired')
end

def general(cache)
  equal(cache.version.size, 1, 'version')
  check(cache.stats.values.first['curr_items'].to_i.positive?, 'stats')
  check(!cache.stats(:settings).values.first.empty? && !cache.stats(:items).values.first.empty?, 'stats settings, items')
  check(cache.reset_stats, 'reset_stats')
  check(cache.flush_all && cache.get('a').nil?, 'flush_all')
  cache.close
end

begin
  who = ARGV.size > 1 ? { username: ARGV[1], password: ARGV[2] } : {}
  cache = Dalli::Client.new(ARGV[0], socket_timeout: 60, socket_max_failures: 0, error_when_over_max_size: true, **who)
  storage(cache)
  unique(cache)
  numbers(cache)
  many(cache)
  times(cache)
  general(cache)
rescue StandardError => e
  puts "not so: #{e.message} (#{e.backtrace.grep(/dalli.rb/).first})"
  exit 1
end
puts "#{$checks} checks passed"
