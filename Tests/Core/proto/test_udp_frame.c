// SPDX-License-Identifier: GPL-2.0
/* protocol.txt, section "UDP protocol". */
#include <stdlib.h>

#include "test.h"
#include "core/proto/udp_frame.h"

static const struct frame_case {
	const char *what;
	u8 bytes[KMC_UDP_FRAME];
	size_t len;
	bool good;
} frames[] = {
	{ "first of one", { 0x12, 0x34, 0, 0, 0, 1, 0, 0 }, 9, true },
	{ "id 0", { 0, 0, 0, 0, 0, 1, 0, 0 }, 9, true },
	{ "id 65535, a large datagram", { 0xff, 0xff, 0, 0, 0, 1, 0, 0 }, 65507, true },
	{ "nothing behind it", { 0x12, 0x34, 0, 0, 0, 1, 0, 0 }, 8, false },
	{ "one byte short", { 0x12, 0x34, 0, 0, 0, 1, 0, 0 }, 7, false },
	{ "no byte", { 0 }, 0, false },
	{ "first of none", { 0, 1, 0, 0, 0, 0, 0, 0 }, 9, false },
	{ "first of two", { 0, 1, 0, 0, 0, 2, 0, 0 }, 9, false },
	{ "first of 256", { 0, 1, 0, 0, 1, 0, 0, 0 }, 9, false },
	{ "first of 257", { 0, 1, 0, 0, 1, 1, 0, 0 }, 9, false },
	{ "second of one", { 0, 1, 0, 1, 0, 1, 0, 0 }, 9, false },
	{ "256th of one", { 0, 1, 1, 0, 0, 1, 0, 0 }, 9, false },
	{ "second of two", { 0, 1, 0, 1, 0, 2, 0, 0 }, 9, false },
	{ "reserved, high byte", { 0, 1, 0, 0, 0, 1, 1, 0 }, 9, false },
	{ "reserved, low byte", { 0, 1, 0, 0, 0, 1, 0, 1 }, 9, false },
};

/* In a buffer of its own, as short as it is: the sanitizer sees who reads behind it. */
static int frame_parse(const struct frame_case *c, struct kmc_udp_frame *frame)
{
	size_t held = min_t(size_t, c->len, KMC_UDP_FRAME);
	u8 *bytes = malloc(held ? held : 1);
	int err;

	memcpy(bytes, c->bytes, held);
	err = kmc_udp_frame_parse(bytes, c->len, frame);
	free(bytes);
	return err;
}

void test_udp_frame(void)
{
	struct kmc_udp_frame frame = { .id = 0x1234, .sequence = 0x0102, .total = 0x0a0b };
	u8 written[KMC_UDP_FRAME];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		struct kmc_udp_frame found;
		int err = frame_parse(&frames[i], &found);

		tap_ok(err == (frames[i].good ? 0 : -EPROTO), "frame: %s", frames[i].what);
		if (!err)
			tap_ok(found.id == (frames[i].bytes[0] << 8 | frames[i].bytes[1]), "its id is %u", found.id);
	}
	memset(written, 0xff, sizeof(written));
	kmc_udp_frame_write(written, &frame);
	tap_bytes(written, sizeof(written), "\x12\x34\x01\x02\x0a\x0b\0\0", 8, "a frame is written high byte first");
}
