// SPDX-License-Identifier: GPL-2.0
#include "udp_frame.h"

static u16 kmc_udp_get(const u8 *at)
{
	return at[0] << 8 | at[1];
}

static void kmc_udp_put(u8 *at, u16 value)
{
	at[0] = value >> 8;
	at[1] = value & 0xff;
}

int kmc_udp_frame_parse(const u8 *data, size_t len, struct kmc_udp_frame *frame)
{
	if (len <= KMC_UDP_FRAME)
		return -EPROTO;
	frame->id = kmc_udp_get(data);
	frame->sequence = kmc_udp_get(data + 2);
	frame->total = kmc_udp_get(data + 4);
	return frame->sequence == 0 && frame->total == 1 && !kmc_udp_get(data + 6) ? 0 : -EPROTO;
}

void kmc_udp_frame_write(u8 *at, const struct kmc_udp_frame *frame)
{
	kmc_udp_put(at, frame->id);
	kmc_udp_put(at + 2, frame->sequence);
	kmc_udp_put(at + 4, frame->total);
	kmc_udp_put(at + 6, 0);
}
