/* SPDX-License-Identifier: GPL-2.0 */
/* What a kernel warns about ends the program here. */
#ifndef KMC_SIM_BUG_H
#define KMC_SIM_BUG_H

#include <stdio.h>
#include "types.h"

void kmc_sim_die(const char *file, int line, const char *what) __attribute__((noreturn, cold));

#define KMC_SIM_DEMAND(c, what) do { if (unlikely(!(c))) kmc_sim_die(__FILE__, __LINE__, what); } while (0)

#define WARN_ON(c)	({ bool __w = !!(c); KMC_SIM_DEMAND(!__w, #c); __w; })
#define WARN_ON_ONCE(c)	WARN_ON(c)
#define WARN_ONCE(c, ...) WARN_ON(c)
#define BUG_ON(c)	((void)WARN_ON(c))

#define pr_err(...)	((void)fprintf(stderr, __VA_ARGS__))
#define pr_warn(...)	pr_err(__VA_ARGS__)
#define pr_info(...)	pr_err(__VA_ARGS__)
#define pr_debug(...)	do { if (0) pr_err(__VA_ARGS__); } while (0)
#define pr_warn_ratelimited(...) pr_err(__VA_ARGS__)

#endif
