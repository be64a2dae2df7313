// SPDX-License-Identifier: GPL-2.0
/*
 * Values of all sizes, there and back again, in runs and replies of all sizes.
 */
#include "test.h"
#include "drive.h"
#include "sim/sim.h"
#include <stdlib.h>

static void fill(u8 *at, size_t len)
{
	u32 seed = 7;

	while (len--) {
		seed = seed * 1103515245 + 12345;
		*at++ = seed >> 16;
	}
}

/* set, and @command twice in one line; @send bytes leave at a time. */
static void test_value(u32 size, const char *command, size_t run, u32 send)
{
	size_t nin, nout = 0;
	u8 *in = malloc(size + 200), *out = malloc(2 * size + 200), *value;
	u32 allocated = kmc_sim_live_allocations();
	struct drive d;

	nin = sprintf((char *)in, "set a 3 0 %u\r\n", size);
	value = in + nin;
	fill(value, size);
	nin += size;
	nin += sprintf((char *)in + nin, "\r\n%s a b a\r\n", command);
	nout = sprintf((char *)out, "STORED\r\nVALUE a 3 %u\r\n", size);
	memcpy(out + nout, value, size);
	nout += size;
	nout += sprintf((char *)out + nout, "\r\nVALUE a 3 %u\r\n", size);
	memcpy(out + nout, value, size);
	nout += size;
	nout += sprintf((char *)out + nout, "\r\nEND\r\n");
	drive_open(&d, NULL);
	d.run = run;
	d.send = send;
	drive_feed(&d, in, nin);
	tap_bytes(d.out, d.nout, out, nout, "%s of %u bytes in runs of %zu, sent by %u", command, size,
		  run, send);
	drive_close(&d);
	tap_number(kmc_sim_live_allocations(), allocated, "and nothing is left over");
	free(in);
	free(out);
}

/* What is refused is swallowed to its last byte, and then talk goes on. */
static void test_refused(u32 size, const char *answer, size_t run)
{
	u8 *in = malloc(size + 200);
	char wanted[100];
	struct drive d;
	size_t nin;

	nin = sprintf((char *)in, "set a 0 0 1\r\n1\r\nset a 0 0 %u\r\n", size);
	memset(in + nin, '\n', size);
	nin += size;
	nin += sprintf((char *)in + nin, "\r\nget a\r\n");
	snprintf(wanted, sizeof(wanted), "STORED\r\n%sEND\r\n", answer);
	drive_open(&d, NULL);
	d.run = run;
	drive_feed(&d, in, nin);
	tap_bytes(d.out, d.nout, wanted, strlen(wanted), "%u bytes are refused, in runs of %zu", size, run);
	tap_number(drive_count(&d, KMC_COUNT_store_too_large), 1, "and counted");
	drive_close(&d);
	free(in);
}

/* Copied or held, both are small for a reply of many. */
#define SMALL_MAX	4096

/* Replies of small values that fill the room many times over. */
static void test_small(u32 size, u32 keys, u32 send)
{
	u8 value[SMALL_MAX];
	char *get = malloc(2 * keys + 16), *at = get;
	char head[64];
	struct drive d;
	u32 i, nhead;

	fill(value, size);
	drive_open(&d, NULL);
	drive_feed(&d, head, sprintf(head, "set a 0 0 %u\r\n", size));
	drive_feed(&d, value, size);
	drive_feed(&d, "\r\n", 2);
	drive_forget(&d);
	d.send = send;
	at += sprintf(at, "get");
	for (i = 0; i < keys; i++)
		at += sprintf(at, " a");
	at += sprintf(at, "\r\n");
	drive_feed(&d, get, at - get);
	nhead = sprintf(head, "VALUE a 0 %u\r\n", size);
	tap_number(d.nout, (u64)keys * (nhead + size + 2) + 5, "%u values of %u bytes, sent by %u", keys,
		   size, send);
	for (i = 0; i < keys; i++) {
		const u8 *one = d.out + i * (nhead + size + 2);

		if (memcmp(one, head, nhead) || memcmp(one + nhead, value, size) ||
		    memcmp(one + nhead + size, "\r\n", 2))
			break;
	}
	tap_number(i, keys, "each as it should be");
	drive_close(&d);
	free(get);
}

void test_values(void)
{
	static const u32 sizes[] = { 1, 100, KMC_COPY_MAX - 1, KMC_COPY_MAX, KMC_COPY_MAX + 1, 4095, 4096, 4097, 8191, 8193, 50000, 524288, 600000, 1000000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		test_value(sizes[i], "get", 0, 0);
		test_value(sizes[i], "get", 1460, 1000);
		test_value(sizes[i], "gat 0", 65536, 4096);
	}
	test_value(5000, "get", 1, 1);
	test_value(100, "gat 100", 1, 1);
	test_refused(1 << 20, "SERVER_ERROR object too large for cache\r\n", 0);
	test_refused(1 << 20, "SERVER_ERROR object too large for cache\r\n", 1460);
	test_refused(8 << 20, "SERVER_ERROR object too large for cache\r\n", 4096);
	test_small(1, 3000, 0);
	test_small(1, 3000, 1);
	test_small(KMC_COPY_MAX, 100, 0);
	test_small(KMC_COPY_MAX, 100, 777);
	test_small(KMC_COPY_MAX + 1, 100, 777);
	test_small(SMALL_MAX, 50, 0);
	test_small(SMALL_MAX, 50, 777);
	test_small(2000, 100, 5000);
}
