// SPDX-License-Identifier: GPL-2.0
/* Which sizes there are: memcached's slab_init(), or what -o slab_sizes says. */
#include "state.h"

/*
 * memcached multiplies sizes by a double. Where the exact product is a whole number the rounded one may
 * be just below it, and the size a step smaller; so factor and product are rounded as IEEE 754 does it:
 * a factor of @mantissa / 2^@shift, 2^52 <= mantissa < 2^53.
 */
struct kmc_factor {
	u64 mantissa;
	u32 shift;
};

static struct kmc_factor kmc_factor(u32 thousandths)
{
	struct kmc_factor factor = { .shift = 0 };
	u64 rest;
	u32 odd;

	while (div_u64((u64)thousandths << factor.shift, 1000) < 1ULL << 52)
		factor.shift++;
	rest = (u64)thousandths << factor.shift;
	factor.mantissa = div_u64_rem(rest, 1000, &odd);
	if (odd > 500 || (odd == 500 && factor.mantissa & 1))
		factor.mantissa++;
	return factor;
}

static u32 kmc_factor_scale(struct kmc_factor factor, u32 size)
{
	unsigned __int128 product = (unsigned __int128)factor.mantissa * size;
	u32 extra = fls64((u64)(product >> 53));	/* bits that a double has no room for */
	unsigned __int128 half = extra ? (unsigned __int128)1 << (extra - 1) : 0;
	unsigned __int128 cut = product & (((unsigned __int128)1 << extra) - 1);
	u64 rounded = (u64)(product >> extra);

	if (extra && (cut > half || (cut == half && rounded & 1)))
		rounded++;
	return (u32)(((unsigned __int128)rounded << extra) >> factor.shift);
}

/* size >= limit / factor, with the quotient rounded to the nearest double. */
static bool kmc_factor_reaches(struct kmc_factor factor, u32 size, u32 limit)
{
	unsigned __int128 left, right, half_step;

	if (size >= limit)
		return true;
	left = (unsigned __int128)limit << factor.shift;
	right = (unsigned __int128)factor.mantissa * size;
	half_step = (unsigned __int128)factor.mantissa << (fls(size) - 1);
	return left << 53 <= (right << 53) + half_step;
}

/* By growth. Return: how many there are below the largest. */
static u32 kmc_classes_grow(const struct kmc_settings *settings, u32 *sizes)
{
	struct kmc_factor factor = kmc_factor(settings->growth_factor);
	u32 size = KMC_NOMINAL_HEADER + settings->size_min;
	u32 count = 0;

	while (count < KMC_CLASSES_MAX - 2 &&
	       !kmc_factor_reaches(factor, size, settings->slab_chunk_max)) {
		size = ALIGN(size, KMC_NOMINAL_ALIGN);
		sizes[++count] = size;
		size = kmc_factor_scale(factor, size);
	}
	return count;
}

/* A number at the front of @text, which ends at a zero or at a dash; U32_MAX: none. */
static u32 kmc_classes_number(const char **text)
{
	u32 number = 0;

	do {
		u32 digit = **text - '0';

		if (digit > 9 || number > KMC_PAGE_SIZE)
			return U32_MAX;
		number = number * 10 + digit;
		(*text)++;
	} while (**text && **text != '-');
	return number;
}

int kmc_classes_listed(const struct kmc_settings *settings, u32 *sizes)
{
	const char *text = settings->slab_sizes;
	u32 last = 0, number;
	int count = 0;

	for (;;) {
		while (*text == '-')
			text++;
		if (!*text)
			return count;
		number = kmc_classes_number(&text);
		if (number < settings->size_min || number > settings->slab_chunk_max)
			return -ERANGE;
		if (number <= last + KMC_NOMINAL_ALIGN || count == KMC_CLASSES_MAX - 2)
			return -EINVAL;
		last = number;
		sizes[++count] = ALIGN(number, KMC_NOMINAL_ALIGN);
	}
}

u32 kmc_classes_sizes(const struct kmc_settings *settings, u32 *sizes)
{
	int listed = kmc_classes_listed(settings, sizes);
	u32 count = listed > 0 ? listed : kmc_classes_grow(settings, sizes);

	sizes[++count] = settings->slab_chunk_max;
	return count;
}

/* By bisection. */
static u32 kmc_class_seek(const struct kmc_slab *slab, u64 nominal)
{
	u32 low = 1, high = slab->last;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (slab->classes[mid].nominal >= nominal)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

void kmc_classes_index(struct kmc_slab *slab)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(slab->small); i++)
		slab->small[i] = (u8)kmc_class_seek(slab, i * KMC_NOMINAL_ALIGN);
}

u32 kmc_slab_class(const struct kmc_slab *slab, u64 nominal)
{
	if (nominal <= KMC_CLASS_SMALL)
		return slab->small[DIV_ROUND_UP((u32)nominal, KMC_NOMINAL_ALIGN)];
	return kmc_class_seek(slab, nominal);
}
