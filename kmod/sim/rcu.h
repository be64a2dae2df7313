/* SPDX-License-Identifier: GPL-2.0 */
/* RCU: a thread is in a read side while it is between rcu_read_lock() and _unlock(), or has bottom
 * halves off, as in the kernel since 5.0. Grace periods are real.
 */
#ifndef KMC_SIM_RCU_H
#define KMC_SIM_RCU_H

#include "lock.h"

void rcu_read_lock(void);
void rcu_read_unlock(void);
void synchronize_rcu(void);
unsigned long start_poll_synchronize_rcu(void);
bool poll_state_synchronize_rcu(unsigned long cookie);
bool kmc_sim_reading(void);

#define rcu_read_lock_held()	kmc_sim_reading()
#define rcu_read_lock_bh_held()	kmc_sim_bh_off()
#define rcu_dereference_check(p, c) ({ KMC_SIM_DEMAND(kmc_sim_reading() || (c), \
	"rcu_dereference() outside of a read side"); __atomic_load_n(&(p), __ATOMIC_CONSUME); })
#define rcu_dereference(p)	rcu_dereference_check(p, false)
#define rcu_dereference_bh(p)	rcu_dereference_check(p, kmc_sim_bh_off())
#define rcu_dereference_protected(p, c) ({ KMC_SIM_DEMAND(c, "rcu_dereference_protected(): " #c); (p); })
#define rcu_dereference_raw(p)	__atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_access_pointer(p)	READ_ONCE(p)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), v, __ATOMIC_RELEASE)
#define RCU_INIT_POINTER(p, v)	WRITE_ONCE(p, v)

#endif
