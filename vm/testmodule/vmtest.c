// SPDX-License-Identifier: MIT
/*
 * A module that misbehaves on request, so that vm/selftest can see vm/run
 * notice it.
 */
#include <linux/module.h>
#include <linux/preempt.h>

static bool warn_on_exit;
module_param(warn_on_exit, bool, 0444);
MODULE_PARM_DESC(warn_on_exit, "print a line of level warning when unloaded");

static bool bug_on_init;
module_param(bug_on_init, bool, 0444);
MODULE_PARM_DESC(bug_on_init, "write through a null pointer when loaded");

static bool spin_on_init;
module_param(spin_on_init, bool, 0444);
MODULE_PARM_DESC(spin_on_init, "keep the CPU for ever when loaded");

/* A function of its own, so that it has a name in a trace. */
static noinline void vmtest_spin(void)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static int __init vmtest_init(void)
{
	pr_info("vmtest: loaded\n");
	if (bug_on_init)
		*(volatile int *)NULL = 1;
	if (spin_on_init)
		vmtest_spin();
	return 0;
}

static void __exit vmtest_exit(void)
{
	if (warn_on_exit)
		pr_warn("vmtest: warned on exit\n");
	pr_info("vmtest: unloaded\n");
}

module_init(vmtest_init);
module_exit(vmtest_exit);
MODULE_DESCRIPTION("A module that misbehaves on request");
MODULE_LICENSE("Dual MIT/GPL");
