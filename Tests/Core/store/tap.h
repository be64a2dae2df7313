/* SPDX-License-Identifier: GPL-2.0 */
/* Tests that print TAP. Each runs in a process of its own: what ends it ends only itself. */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>

/**
 * struct tap_test - one test
 * @dies: what the process must say on its way out, for a test that must not end well; else NULL
 * @asan: needs the address sanitizer; skipped without it
 */
struct tap_test {
	const char *name;
	void (*run)(void);
	const char *dies;
	bool asan;
};

/* Counts; a test that checks nothing fails. */
void tap_check(bool ok, const char *file, int line, const char *what);
void tap_check_equal(unsigned long long got, unsigned long long want, const char *file, int line,
		     const char *what);

#define CHECK(c)	tap_check(c, __FILE__, __LINE__, #c)
#define EQUAL(got, want) tap_check_equal((unsigned long long)(got), (unsigned long long)(want), \
					 __FILE__, __LINE__, #got " == " #want)

/* A line for whoever reads the output. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define TAP_SUITE(tests) { tests, sizeof(tests) / sizeof((tests)[0]) }

struct tap_suite {
	const struct tap_test *tests;
	unsigned int count;
};

/* Runs those whose names contain argv[1], if there is one. Return: exit status. */
int tap_main(int argc, char **argv, const struct tap_suite *suites, unsigned int count);

#endif
