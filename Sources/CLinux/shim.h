/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <linux/capability.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * getopt_long(3) keeps its state in variables, which Swift's concurrency checks refuse. The caller
 * holds a lock around a whole parse.
 */
static inline void getopt_restart(void) { optind = 0; opterr = 0; }
static inline const char *getopt_argument(void) { return optarg; }
static inline int getopt_next_index(void) { return optind; }
static inline int getopt_refused(void) { return optopt; }

/* Swift hides fork(), which only a program with one thread may call: the caller sees to that. */
static inline pid_t process_fork(void) { return fork(); }

/* prctl(2) with one value; Swift calls no function of variable arguments. */
static inline int prctl_set(int what, unsigned long value) { return prctl(what, value, 0, 0, 0); }

/* Makes CAP_NET_ADMIN the only capability of the calling thread; 0, or -1 with errno. */
static inline int capabilities_keep_net_admin(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective = CAP_TO_MASK(CAP_NET_ADMIN);
	data[CAP_TO_INDEX(CAP_NET_ADMIN)].permitted = CAP_TO_MASK(CAP_NET_ADMIN);
	return syscall(SYS_capset, &head, data);
}
