// SPDX-License-Identifier: GPL-2.0
/*
 * One datagram: its frame as read and as written again, and what it carries given to a session of its own.
 *
 * Input: the datagram.
 */
#include "harness.h"
#include "core/proto/udp_frame.h"
#include <string.h>

/* The rule of protocol.txt, section "UDP protocol", once more and in other words. */
static bool fuzz_is_request(const uint8_t *data, size_t size)
{
	static const uint8_t only[] = { 0, 0, 0, 1, 0, 0 };	/* the first of one; two bytes that are 0 */

	return size > 8 && !memcmp(data + 2, only, sizeof(only));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t written[KMC_UDP_FRAME];
	struct kmc_udp_frame frame;
	kmcsim_session *session;

	FUZZ_DEMAND(fuzz_is_request(data, size) == !kmc_udp_frame_parse(data, size, &frame));
	if (!fuzz_is_request(data, size))
		return 0;
	kmc_udp_frame_write(written, &frame);
	FUZZ_DEMAND(!memcmp(written, data, sizeof(written)));
	session = kmcsim_session_open(fuzz_pair(data[0]).whole, 0);
	FUZZ_DEMAND(session);
	fuzz_feed(session, data + KMC_UDP_FRAME, size - KMC_UDP_FRAME);
	kmcsim_session_close(session);
	return 0;
}
