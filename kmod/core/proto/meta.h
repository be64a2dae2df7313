/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The meta commands: mg, ms, md, ma, me, mn (memcached's protocol.txt, "Meta Commands"; what that leaves
 * open is as 1.6.45 does it). Lines of the text protocol with flags of one letter, some with an argument.
 */
#ifndef KMC_PROTO_META_H
#define KMC_PROTO_META_H

#include "../kernel.h"
#include "request.h"

/* Flags that each reply shows if they were asked for. T and N are not shown but change what t shows. */
#define KMC_META_SHOW_KEY	(KMC_META('O') | KMC_META('k'))
#define KMC_META_SHOW_ITEM	(KMC_META_SHOW_KEY | KMC_META('s') | KMC_META('t') | KMC_META('c') | \
				 KMC_META('f') | KMC_META('l') | KMC_META('h') | KMC_META('T') | KMC_META('N'))
#define KMC_META_SHOW_STORED	(KMC_META_SHOW_KEY | KMC_META('c') | KMC_META('s'))
#define KMC_META_SHOW_NUMBER	(KMC_META_SHOW_KEY | KMC_META('c') | KMC_META('t') | KMC_META('T') | \
				 KMC_META('N'))

/**
 * struct kmc_meta_item - an item, or the want of one, as a meta command shows it
 * @key, @nkey: as it is stored; shown in base64 if @binary
 * @nbytes, @client_flags, @cas: as they are
 * @now, @exptime: on the cache's clock; @exptime is what it was before the command, 0: never
 * @touched: @exptime from flag T on
 * @vivified: @exptime from flag N on, if @created
 * @idle: seconds since the last access before this
 * @fetched: by an earlier command
 */
struct kmc_meta_item {
	const u8 *key;
	u32 nkey;
	u32 nbytes;
	u32 client_flags;
	u32 now;
	u32 exptime;
	u32 touched;
	u32 vivified;
	u32 idle;
	u64 cas;
	bool binary;
	bool created;
	bool fetched;
};

/**
 * kmc_meta_parse - a line, if it is a meta command
 * @line, @len: without its end
 * @req: filled, all but @meta zeroed by the caller. If the value of an ms is to be thrown away, it ends
 *	with two bytes more than it says.
 * Return: whether it is one.
 */
bool kmc_meta_parse(const u8 *line, size_t len, struct kmc_request *req);

/**
 * kmc_meta_parse_plain - the head of an mg as nearly all are: one blank between words, flags without argument
 * @data, @len: input, of which the line may be a part
 * @req: as for kmc_meta_parse()
 * Return: bytes of the line; 0: it is none, or not all of it is there, and nothing was read.
 */
size_t kmc_meta_parse_plain(const u8 *data, size_t len, struct kmc_request *req);

/**
 * kmc_meta_put - the flags of a reply, each with a blank in front, in the order in which they were asked for
 * @item: its @exptime is afterwards as the command leaves it
 * @show: KMC_META() of the flags that this reply knows
 * Return: behind them; with a code and what else a reply has within KMC_LINE_MAX bytes.
 */
u8 *kmc_meta_put(u8 *at, const struct kmc_request *req, struct kmc_meta_item *item, u64 show);

/* The line of a meta debug, to @at (KMC_LINE_MAX bytes). @class, @size: of the slab. Return: its length. */
u32 kmc_meta_put_debug(u8 *at, const struct kmc_meta_item *item, u32 class, u64 size);

#endif
