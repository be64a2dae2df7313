/* SPDX-License-Identifier: GPL-2.0 */
/* The tests, in the order in which they run. */
#ifndef TEST_H
#define TEST_H

#include "tap.h"

void test_numbers(void);
void test_udp_frame(void);
void test_tokens(void);
void test_bytes(void);
void test_reply(void);
void test_settings(void);
void test_conversations(void);
void test_meta(void);
void test_meta_effects(void);
void test_base64(void);
void test_changing(void);
void test_lines(void);
void test_values(void);
void test_turns(void);
void test_stats(void);
void test_admin(void);
void test_binary(void);
void test_lru(void);
void test_detail(void);
void test_dump(void);
void test_auth(void);
void test_buffers(void);

/* With the store only. */
void test_slabs(void);

/* With the stand-in for the store only. */
void test_memory(void);
void test_meta_memory(void);

/* With the store only. */
void test_watch(void);
void test_hooks(void);

#endif
