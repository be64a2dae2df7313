// SPDX-License-Identifier: GPL-2.0
#include "tap.h"
#include <stdio.h>
#include <string.h>

static unsigned int ran, failed;

static bool tap_line(bool passed, const char *format, va_list args)
{
	ran++;
	failed += !passed;
	printf("%s %u - ", passed ? "ok" : "not ok", ran);
	vprintf(format, args);
	putchar('\n');
	return passed;
}

bool tap_ok(bool passed, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_line(passed, format, args);
	va_end(args);
	return passed;
}

static void tap_show(const char *what, const unsigned char *bytes, size_t len, size_t from)
{
	size_t i;

	printf("# %s, %zu bytes, from %zu: \"", what, len, from);
	for (i = from; i < len && i < from + 160; i++) {
		if (bytes[i] == '\r')
			printf("\\r");
		else if (bytes[i] == '\n')
			printf("\\n");
		else if (bytes[i] < 32 || bytes[i] > 126)
			printf("\\x%02x", bytes[i]);
		else
			putchar(bytes[i]);
	}
	printf("\"\n");
}

bool tap_bytes(const void *got, size_t ngot, const void *wanted, size_t nwanted, const char *format, ...)
{
	bool same = ngot == nwanted && (!ngot || !memcmp(got, wanted, ngot));
	const unsigned char *a = got, *b = wanted;
	size_t part = 0;
	va_list args;

	va_start(args, format);
	tap_line(same, format, args);
	va_end(args);
	if (same)
		return true;
	while (part < ngot && part < nwanted && a[part] == b[part])
		part++;
	part = part < 20 ? 0 : part - 20;
	tap_show("got", a, ngot, part);
	tap_show("wanted", b, nwanted, part);
	return false;
}

bool tap_number(unsigned long long got, unsigned long long wanted, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_line(got == wanted, format, args);
	va_end(args);
	if (got != wanted)
		printf("# got %llu, wanted %llu\n", got, wanted);
	return got == wanted;
}

int tap_done(void)
{
	printf("1..%u\n", ran);
	if (failed)
		printf("# %u of %u failed\n", failed, ran);
	return ran && !failed ? 0 : 1;
}
