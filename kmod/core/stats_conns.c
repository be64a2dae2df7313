// SPDX-License-Identifier: GPL-2.0
/*
 * Rows of "stats conns". A place in the listing is an id and one of ROWS rows of it, so that going on costs
 * nothing however many connections stand before it, and whoever comes or goes meanwhile moves nobody else.
 */
#include "core.h"

#define ROWS	8	/* at most, of one connection; a power of two */

static bool kmc_conns_fill(struct kmc_stats_row *row, const struct kmc_core_conn *conn, u32 which)
{
	static const char *const names[] = { "UDP", "addr", "listen_addr", "state", "secs_since_last_cmd" };
	const char *const values[] = { conn->datagrams ? "UDP" : "", conn->address, conn->listen_address, conn->state };

	if (which >= ARRAY_SIZE(names))
		return false;
	if (which < ARRAY_SIZE(values) && !values[which][0])
		return false;
	scnprintf(row->name, sizeof(row->name), "%u:%s", conn->id, names[which]);
	if (which < ARRAY_SIZE(values))
		scnprintf(row->value, sizeof(row->value), "%s", values[which]);
	else
		scnprintf(row->value, sizeof(row->value), "%u", conn->idle);
	return true;
}

u32 kmc_stats_conns(struct kmc_core *core, u32 at, struct kmc_stats_row *row,
		    bool (*emit)(void *ctx, const struct kmc_stats_row *row), void *ctx, bool *full)
{
	struct kmc_core_conn conn;
	u32 which = at % ROWS;

	if (!core->ops->conn)
		return at;
	while (core->ops->conn(core, at / ROWS, &conn)) {
		if (conn.id != at / ROWS)
			which = 0;
		for (; which < ROWS; which++) {
			at = conn.id * ROWS + which;
			if (kmc_conns_fill(row, &conn, which) && !emit(ctx, row)) {
				*full = true;
				return at;
			}
		}
		at = (conn.id + 1) * ROWS;
		which = 0;
	}
	return at;
}
