/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel as core/ sees it, in user space. Three kinds of stand-ins:
 *
 *   types, arithmetic, strings		(types.h, text.h)	the same meaning
 *   locks, RCU, per-CPU data, memory	(lock.h, rcu.h, percpu.h, memory.h)	real, and stricter: what
 *					would be a splat of a debug kernel ends the program
 *   clock				(clock.h)		stands until a test moves it
 *
 * Each thread is a CPU of its own, so per-CPU data needs no more than it does in the kernel.
 *
 * To compile core/ natively, from the top of the tree:
 *
 *	cc -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Werror -g -O1 \
 *	   -fsanitize=address,undefined -Ikmod -pthread \
 *	   $(find kmod/core kmod/sim -name '*.c') YOUR_TEST.c
 *
 * What a test may turn: sim.h.
 */
#ifndef KMC_SIM_KERNEL_H
#define KMC_SIM_KERNEL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "types.h"
#include "bug.h"
#include "atomic.h"
#include "text.h"
#include "lock.h"
#include "rcu.h"
#include "percpu.h"
#include "memory.h"
#include "clock.h"
#include "siphash.h"
#include "sha256.h"

#endif
