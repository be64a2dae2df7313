/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests that run in the kernel, in the task that writes to /sys/module/kmctest/parameters/run; the result
 * is KTAP in the kernel's log.
 */
#ifndef KMC_TEST_KTAP_H
#define KMC_TEST_KTAP_H

#include <linux/printk.h>
#include <linux/types.h>

/* Says what is wrong; gives back false. */
bool kmc_ktap_fail(const char *file, int line, const char *condition);

/* In a function that returns bool: true when all is well. */
#define CHECK(condition) \
	do { \
		if (!(condition)) \
			return kmc_ktap_fail(__FILE__, __LINE__, #condition); \
	} while (0)

/* teardown.c, sockets.c, attached.c, held.c, early.c, guest.c: each true when it passed */
bool kmc_test_teardown_tcp(void);
bool kmc_test_teardown_unix(void);
bool kmc_test_sockets_are_given_back(void);
bool kmc_test_listener_is_left_alone(void);
bool kmc_test_late_kick(void);
bool kmc_test_many_reasons(void);
bool kmc_test_busy_listener_is_refused(void);
bool kmc_test_port_id_of_another(void);
bool kmc_test_connection_of_another(void);
bool kmc_test_locked_listener(void);
bool kmc_test_early_end(void);
bool kmc_test_guest_finds_lock_taken(void);

#endif
