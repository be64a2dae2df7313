/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

/*
 * getopt_long(3) keeps its state in variables, which Swift's concurrency checks refuse. The caller
 * holds a lock around a whole parse.
 */
static inline void getopt_restart(void) { optind = 0; opterr = 0; }
static inline const char *getopt_argument(void) { return optarg; }
static inline int getopt_next_index(void) { return optind; }
static inline int getopt_refused(void) { return optopt; }
