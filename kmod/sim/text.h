/* SPDX-License-Identifier: GPL-2.0 */
/* Strings and numbers, as the kernel's own library has them. */
#ifndef KMC_SIM_TEXT_H
#define KMC_SIM_TEXT_H

#include <stdarg.h>
#include <stdio.h>
#include "types.h"

static inline void memzero_explicit(void *p, size_t n)
{
	memset(p, 0, n);
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

int scnprintf(char *buf, size_t size, const char *format, ...) __printf(3, 4);
ssize_t strscpy(char *dest, const char *src, size_t size);
int kstrtoull(const char *s, unsigned int base, unsigned long long *result);
int kstrtouint(const char *s, unsigned int base, unsigned int *result);
#define kstrtou64(s, base, r) kstrtoull(s, base, r)
#define kstrtou32(s, base, r) kstrtouint(s, base, r)

#endif
