// SPDX-License-Identifier: GPL-2.0
#include "kernel.h"

int scnprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	if (size == 0)
		return 0;
	va_start(args, format);
	n = vsnprintf(buf, size, format, args);
	va_end(args);
	return n < 0 ? 0 : (size_t)n < size ? n : (int)size - 1;
}

ssize_t strscpy(char *dest, const char *src, size_t size)
{
	size_t len = strnlen(src, size);

	if (size == 0)
		return -E2BIG;
	if (len == size) {
		memcpy(dest, src, size - 1);
		dest[size - 1] = 0;
		return -E2BIG;
	}
	memcpy(dest, src, len + 1);
	return (ssize_t)len;
}

/* The kernel's rules: no space around, one plus sign and one newline at the end are fine. */
int kstrtoull(const char *s, unsigned int base, unsigned long long *result)
{
	unsigned long long v = 0;
	bool any = false;

	if (*s == '+')
		s++;
	for (; *s && *s != '\n'; s++, any = true) {
		unsigned int d;

		if (*s >= '0' && *s <= '9')
			d = (unsigned int)(*s - '0');
		else if ((*s | 32) >= 'a' && (*s | 32) <= 'z')
			d = (unsigned int)((*s | 32) - 'a') + 10;
		else
			return -EINVAL;
		if (d >= base)
			return -EINVAL;
		if (check_mul_overflow(v, (unsigned long long)base, &v) ||
		    check_add_overflow(v, (unsigned long long)d, &v))
			return -ERANGE;
	}
	if (!any || (*s == '\n' && s[1]))
		return -EINVAL;
	*result = v;
	return 0;
}

int kstrtouint(const char *s, unsigned int base, unsigned int *result)
{
	unsigned long long v;
	int err = kstrtoull(s, base, &v);

	if (err)
		return err;
	if (v > UINT_MAX)
		return -ERANGE;
	*result = (unsigned int)v;
	return 0;
}
