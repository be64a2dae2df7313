// SPDX-License-Identifier: GPL-2.0
#include "test.h"

int main(void)
{
	test_numbers();
	test_udp_frame();
	test_tokens();
	test_bytes();
	test_reply();
	test_settings();
	test_conversations();
	test_base64();
	test_changing();
	test_meta();
	test_meta_effects();
	test_lines();
	test_values();
	test_turns();
	test_stats();
	test_admin();
	test_binary();
	test_lru();
	test_detail();
	test_dump();
	test_auth();
	test_buffers();
#ifdef WITH_DOUBLE
	test_memory();
	test_meta_memory();
#else
	test_slabs();
	test_watch();
	test_hooks();
#endif
	return tap_done();
}
