/* SPDX-License-Identifier: GPL-2.0 */
/* What is said and what is answered. */
#ifndef CONVERSATION_H
#define CONVERSATION_H

#include "core/kernel.h"

struct conversation {
	const char *name;
	const char *in;
	size_t nin;
	const char *out;
	size_t nout;
	bool closed;
};

#define TALK(name, in, out)	{ name, in, sizeof(in) - 1, out, sizeof(out) - 1, false }
#define LAST(name, in, out)	{ name, in, sizeof(in) - 1, out, sizeof(out) - 1, true }

#define K50	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define K250	K50 K50 K50 K50 K50
#define BAD	"CLIENT_ERROR bad command line format\r\n"

/* Hold each in every way: whole, in pieces, split at every point, in small turns, with slow replies. */
void hold_conversations(const struct conversation *conversations, size_t count);

#endif
