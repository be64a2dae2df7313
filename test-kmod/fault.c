// SPDX-License-Identifier: GPL-2.0
/*
 * Parameters of kmctest.ko about faults:
 *	fail	N: the N-th hit from now fails; 0: none. Reads as how many hits are still to come.
 *	burst	N: the next N hits of that one site fail
 *	sites	"FILE:LINE WHAT HITS FAILED" for each site, read only
 *	tx_frags	Y: TCP's replies are sent from pages that they are built in; N: from buffers, by copying
 *	frag_spares	Y: those pages are kept for the next; N: each turn asks for one
 * A failure is said in the kernel's log, so that it is known even of a load that failed.
 */
#include "fault.h"

#include <linux/module.h>
#include <linux/sysfs.h>

bool kmc_test_tx_frags = true;
module_param_named(tx_frags, kmc_test_tx_frags, bool, 0600);
bool kmc_test_frag_spares;
module_param_named(frag_spares, kmc_test_frag_spares, bool, 0600);

static atomic_t countdown = ATOMIC_INIT(0);
static atomic_t burst = ATOMIC_INIT(0);
static struct kmc_fault_site *only;

static const char *file_name(const struct kmc_fault_site *site)
{
	const char *under = strstr(site->file, "/kmod/");

	return under ? under + sizeof("/kmod/") - 1 : site->file;
}

static bool is_to_fail(const struct kmc_fault_site *site)
{
	const struct kmc_fault_site *one = READ_ONCE(only);

	if (one && one != site)
		return false;
	return (one && atomic_dec_if_positive(&burst) >= 0) || atomic_dec_if_positive(&countdown) == 0;
}

bool kmc_fault(struct kmc_fault_site *site)
{
	atomic_inc(&site->hits);
	if (!is_to_fail(site))
		return false;
	atomic_inc(&site->failed);
	pr_info("kmctest: fault %s:%u %s\n", file_name(site), site->line, site->what);
	return true;
}

static int set_counter(const char *text, const struct kernel_param *param)
{
	unsigned int hits;
	int err = kstrtouint(text, 10, &hits);

	if (!err)
		atomic_set(param->arg, hits);
	return err;
}

static int get_counter(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(param->arg));
}

static const struct kernel_param_ops counter_ops = { .set = set_counter, .get = get_counter };
module_param_cb(fail, &counter_ops, &countdown, 0600);
module_param_cb(burst, &counter_ops, &burst, 0600);

static int set_only(const char *text, const struct kernel_param *param)
{
	struct kmc_fault_site *site;
	char name[128];

	WRITE_ONCE(only, NULL);
	if (!*text || *text == '\n')
		return 0;
	for (site = &kmc_fault_first + 1; site < &kmc_fault_last; site++) {
		snprintf(name, sizeof(name), "%s:%u %s", file_name(site), site->line, site->what);
		if (sysfs_streq(text, name)) {
			WRITE_ONCE(only, site);
			return 0;
		}
	}
	return -ENOENT;
}

static const struct kernel_param_ops only_ops = { .set = set_only };
module_param_cb(only, &only_ops, NULL, 0200);

static int get_sites(char *buffer, const struct kernel_param *param)
{
	const struct kmc_fault_site *site;
	int at = 0;

	for (site = &kmc_fault_first + 1; site < &kmc_fault_last; site++)
		at += sysfs_emit_at(buffer, at, "%s:%u %s %d %d\n", file_name(site), site->line, site->what,
				    atomic_read(&site->hits), atomic_read(&site->failed));
	return at + sysfs_emit_at(buffer, at, "end\n");
}

static const struct kernel_param_ops sites_ops = { .get = get_sites };
module_param_cb(sites, &sites_ops, NULL, 0400);
