/* SPDX-License-Identifier: GPL-2.0 */
/* Test Anything Protocol, a line for each check. The plan is printed last: it is what really ran. */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

bool tap_ok(bool passed, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Are these the same bytes? Where not, both are shown, escaped, from where they part. */
bool tap_bytes(const void *got, size_t ngot, const void *wanted, size_t nwanted, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

bool tap_number(unsigned long long got, unsigned long long wanted, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints the plan. Return: exit status, 0 when something ran and nothing failed. */
int tap_done(void);

#endif
