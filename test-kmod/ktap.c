// SPDX-License-Identifier: GPL-2.0
#include "ktap.h"

#include <linux/kernel.h>
#include <linux/module.h>

struct test {
	const char *name;
	bool (*run)(void);
};

static const struct test tests[] = {
	{ "instance teardown against arriving data, TCP", kmc_test_teardown_tcp },
	{ "instance teardown against arriving data, unix", kmc_test_teardown_unix },
	{ "sockets of connections are given back as they came", kmc_test_sockets_are_given_back },
	{ "a listener's callbacks and user data are left alone", kmc_test_listener_is_left_alone },
	{ "a socket callback that is late finds its connection in memory", kmc_test_late_kick },
	{ "of many reasons to stop the first counts, once", kmc_test_many_reasons },
	{ "a listener that somebody has taken over is refused", kmc_test_busy_listener_is_refused },
	{ "a connection that somebody has taken over before us is closed and left as it is", kmc_test_connection_of_another },
	{ "a port id that comes back does not end another's instance", kmc_test_port_id_of_another },
	{ "a connection that is being made is left alone while its instance stops", kmc_test_early_end },
	{ "a client that found the lock taken has the work item run once more, and rest", kmc_test_guest_finds_lock_taken },
	{ "whose listener's lock somebody holds ends later, and holds nobody up", kmc_test_locked_listener },
};

bool kmc_ktap_fail(const char *file, int line, const char *condition)
{
	pr_info("kmctest: # %s:%d: not so: %s\n", kbasename(file), line, condition);
	return false;
}

static int run_tests(const char *text, const struct kernel_param *param)
{
	unsigned int i;

	pr_info("kmctest: KTAP version 1\n");
	pr_info("kmctest: 1..%zu\n", ARRAY_SIZE(tests));
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		pr_info("kmctest: %s %u %s\n", tests[i].run() ? "ok" : "not ok", i + 1, tests[i].name);
	return 0;
}

static const struct kernel_param_ops run_ops = { .set = run_tests };
module_param_cb(run, &run_ops, NULL, 0200);
