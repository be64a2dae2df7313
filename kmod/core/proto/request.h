/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a client asks and what it is told, in no protocol's words.
 */
#ifndef KMC_REQUEST_H
#define KMC_REQUEST_H

#include "../kernel.h"

enum kmc_op {
	KMC_OP_REFUSE,		/* a malformed request whose end is known: answer @refusal */
	KMC_OP_GET,
	KMC_OP_TOUCH_GET,	/* gat: get, and set a new deadline */
	KMC_OP_GET_ONE,		/* the same for one key, which is part of the head; a miss is told */
	KMC_OP_TOUCH_GET_ONE,
	KMC_OP_SET,
	KMC_OP_ADD,
	KMC_OP_REPLACE,
	KMC_OP_APPEND,
	KMC_OP_PREPEND,
	KMC_OP_CAS,
	KMC_OP_DELETE,
	KMC_OP_INCR,
	KMC_OP_DECR,
	KMC_OP_TOUCH,
	KMC_OP_FLUSH,
	KMC_OP_VERSION,
	KMC_OP_VERBOSITY,
	KMC_OP_QUIT,
	KMC_OP_SHUTDOWN,
	KMC_OP_STATS,
	KMC_OP_NOOP,
	KMC_OP_MEMLIMIT,
	KMC_OP_REASSIGN,
	KMC_OP_AUTOMOVE,
	KMC_OP_LRU,
	KMC_OP_CRAWLER,
	KMC_OP_WATCH,
	KMC_OP_DEBUG_TIME,
	KMC_OP_DEBUG_ITEM,
	KMC_OP_META_GET,
	KMC_OP_META_SET,
	KMC_OP_META_DELETE,
	KMC_OP_META_ARITH,
	KMC_OP_META_DEBUG,
	KMC_OP_META_NOOP,
	KMC_OP_AUTH_TOKEN,	/* user and password in one */
	KMC_OP_AUTH_MECHANISMS,
	KMC_OP_AUTH_START,	/* SASL: mechanism as key, and its first token */
	KMC_OP_AUTH_STEP,	/* SASL: a further token */
	KMC_OP_NR
};

enum kmc_answer {
	KMC_ANSWER_STORED,
	KMC_ANSWER_NOT_STORED,
	KMC_ANSWER_EXISTS,
	KMC_ANSWER_NOT_FOUND,
	KMC_ANSWER_DELETED,
	KMC_ANSWER_TOUCHED,
	KMC_ANSWER_OK,
	KMC_ANSWER_RESET,
	KMC_ANSWER_END,			/* of a get's values, of statistics */
	KMC_ANSWER_UNKNOWN,		/* no such command, or no such argument of one */
	KMC_ANSWER_BAD_FORMAT,
	KMC_ANSWER_DELETE_USAGE,
	KMC_ANSWER_BAD_CHUNK,		/* a value does not end where it was said to */
	KMC_ANSWER_BAD_EXPTIME,
	KMC_ANSWER_BAD_DELTA,
	KMC_ANSWER_NON_NUMERIC,
	KMC_ANSWER_TOO_LARGE,
	KMC_ANSWER_NO_MEMORY_STORING,
	KMC_ANSWER_NO_MEMORY_READING,
	KMC_ANSWER_NO_MEMORY_WRITING,
	KMC_ANSWER_NO_MEMORY,
	KMC_ANSWER_FLUSH_REFUSED,
	KMC_ANSWER_SHUTDOWN_REFUSED,
	KMC_ANSWER_BAD_SHUTDOWN,
	KMC_ANSWER_BYE,			/* to quit, if anything is said */
	KMC_ANSWER_LIMIT_TOO_SMALL,
	KMC_ANSWER_LIMIT_IN_BYTES,
	KMC_ANSWER_LIMIT_REFUSED,
	KMC_ANSWER_REASSIGN_DISABLED,
	KMC_ANSWER_REASSIGN_BUSY,
	KMC_ANSWER_REASSIGN_CLASS,
	KMC_ANSWER_REASSIGN_NO_SPARE,
	KMC_ANSWER_REASSIGN_SAME,
	KMC_ANSWER_BAD_WINDOW,
	KMC_ANSWER_LRU_TOO_MUCH,
	KMC_ANSWER_LRU_TOO_YOUNG,
	KMC_ANSWER_BAD_LINE,
	KMC_ANSWER_BAD_SLAB,
	KMC_ANSWER_DETAIL_USAGE,
	KMC_ANSWER_DETAIL_REFUSED,
	KMC_ANSWER_CACHEDUMP_REFUSED,
	KMC_ANSWER_METADUMP_REFUSED,
	KMC_ANSWER_MGDUMP_REFUSED,
	KMC_ANSWER_METADUMP_PIPELINED,
	KMC_ANSWER_MGDUMP_PIPELINED,
	KMC_ANSWER_CRAWLER_DISABLED,
	KMC_ANSWER_CRAWLER_BUSY,
	KMC_ANSWER_CRAWLER_RUNS,
	KMC_ANSWER_CRAWLER_FAILED,
	KMC_ANSWER_CRAWLER_SLEEP,
	KMC_ANSWER_BAD_CLASS,
	KMC_ANSWER_NOT_STARTED,
	KMC_ANSWER_WATCH_REFUSED,
	KMC_ANSWER_WATCH_PIPELINED,
	KMC_ANSWER_WATCHERS_MANY,
	KMC_ANSWER_WATCHER_FAILED,
	KMC_ANSWER_MISS,
	/* of meta commands only */
	KMC_ANSWER_META_NOOP,
	KMC_ANSWER_META_MISS,
	KMC_ANSWER_UNKNOWN_FLAG,
	KMC_ANSWER_DUPLICATE_FLAG,
	KMC_ANSWER_BAD_ARITH_FLAGS,
	KMC_ANSWER_TOO_MANY_FLAGS,
	KMC_ANSWER_BAD_ARGUMENT,	/* of a flag */
	KMC_ANSWER_BAD_BASE64,
	KMC_ANSWER_OPAQUE_TOO_LONG,
	KMC_ANSWER_BAD_SET_MODE,
	KMC_ANSWER_BAD_ARITH_MODE,
	KMC_ANSWER_BAD_INITIAL,
	KMC_ANSWER_BAD_FLAG_DELTA,
	KMC_ANSWER_NO_MEMORY_NEW,
	/* to who must say first who it is */
	KMC_ANSWER_AUTHENTICATED,
	KMC_ANSWER_AUTH_FAILED,
	KMC_ANSWER_UNAUTHENTICATED,
	KMC_ANSWER_AUTH_TOO_LONG,
	KMC_ANSWER_AUTH_BAD_TOKEN,
	KMC_ANSWER_AUTH_BAD_END,
	KMC_ANSWER_AUTH_MECHANISMS,
	KMC_ANSWER_AUTH_CONTINUE,
	KMC_ANSWER_NR
};

/* A flag's letter as a bit. */
#define KMC_META(letter)	(1ULL << ((letter) - 'A'))

/* Words of a line, the command and the key among them (1.6.45, MFLAG_MAX_OPT_LENGTH), and bytes of an opaque
 * token with its letter (MFLAG_MAX_OPAQUE_LENGTH).
 */
#define KMC_META_WORDS_MAX	20
#define KMC_META_OPAQUE_MAX	32

/* Flags whose order matters: what is shown, and what changes it: c f h k l s t O, N R T. */
#define KMC_META_ORDERED	(KMC_META('c') | KMC_META('f') | KMC_META('h') | KMC_META('k') | \
				 KMC_META('l') | KMC_META('s') | KMC_META('t') | KMC_META('O') | \
				 KMC_META('N') | KMC_META('R') | KMC_META('T'))
#define KMC_META_ORDERED_MAX	11

/**
 * struct kmc_meta - the flags of a meta command; arguments count only if their flag is there
 * @flags: KMC_META() of each
 * @order: letters of those in KMC_META_ORDERED as they came, @count of them
 * @mode: what M says; 0: nothing
 * @opaque: a copy of O's word with its letter, @nopaque bytes
 * @vivify: exptime of N
 * @recache: time of R
 * @cas: E, the CAS value that an item gets
 * @initial: J
 */
struct kmc_meta {
	u64 flags;
	u64 cas;
	u64 initial;
	s32 vivify;
	s32 recache;
	u8 count;
	u8 mode;
	u8 nopaque;
	u8 order[KMC_META_ORDERED_MAX];
	u8 opaque[KMC_META_OPAQUE_MAX];
};

enum kmc_lru_what {
	KMC_LRU_TUNE,
	KMC_LRU_FLAT,
	KMC_LRU_SEGMENTED,
	KMC_LRU_TEMP_TTL,
};

/**
 * struct kmc_lru_change - what "lru" changes
 * @hot_pct, @warm_pct, @hot_factor, @warm_factor: of KMC_LRU_TUNE; factors in thousandths
 * @ttl: of KMC_LRU_TEMP_TTL, seconds; below 0: none
 */
struct kmc_lru_change {
	enum kmc_lru_what what;
	u32 hot_pct, warm_pct;
	u32 hot_factor, warm_factor;
	s32 ttl;
};

/**
 * struct kmc_binary - what only the binary protocol asks
 * @opaque: sent back as it came
 * @opcode: as it came
 * @initial: if the request creates: the number
 */
struct kmc_binary {
	u32 opaque;
	u8 opcode;
	u64 initial;
};

/* struct kmc_request.level of KMC_OP_AUTOMOVE: what is set to @delta */
enum kmc_automove_what {
	KMC_AUTOMOVE_LEVEL,
	KMC_AUTOMOVE_RATIO,	/* these two in millionths */
	KMC_AUTOMOVE_FREERATIO,
	KMC_AUTOMOVE_WINDOW,
};

/**
 * enum kmc_verb - what a command with words of its own is to do
 * @KMC_VERB_WRONG: say struct kmc_request.refusal, unless something else is to be said before
 */
enum kmc_verb {
	KMC_VERB_NONE,
	KMC_VERB_WRONG,
	/* stats; without any, the rows of a group */
	KMC_VERB_RESET,
	KMC_VERB_DETAIL,
	KMC_VERB_CACHEDUMP,
	/* stats detail */
	KMC_VERB_ON,
	KMC_VERB_OFF,
	KMC_VERB_DUMP,
	/* lru_crawler */
	KMC_VERB_CRAWL,
	KMC_VERB_METADUMP,
	KMC_VERB_MGDUMP,
	KMC_VERB_TOCRAWL,
	KMC_VERB_SLEEP,
	KMC_VERB_ENABLE,
	KMC_VERB_DISABLE,
	/* debugtime */
	KMC_VERB_PAUSE,
	KMC_VERB_RESUME,
	KMC_VERB_MOVE,
	/* debugitem */
	KMC_VERB_LOCK,
	KMC_VERB_UNLOCK,
	KMC_VERB_REF,
	KMC_VERB_UNREF,
	KMC_VERB_UNREF_LAST,
};

/* In struct kmc_request.classes. */
#define KMC_CLASSES_INDEX	1ULL

/**
 * struct kmc_request - one request; which fields count depends on @op
 * @refusal: of KMC_OP_REFUSE, and of KMC_VERB_WRONG
 * @verb, @how: of KMC_OP_STATS, KMC_OP_CRAWLER, KMC_OP_DEBUG_*: what to do, and more of it
 * @noreply: the client wants no answer. Errors that are found before this is known are sent anyway.
 * @with_cas: show CAS values with the items (gets, gats)
 * @graceful: of KMC_OP_SHUTDOWN
 * @invalid: an argument is wrong, but there are checks that come before saying so (KMC_OP_FLUSH,
 *	KMC_OP_SHUTDOWN, KMC_OP_REASSIGN)
 * @creates: KMC_OP_INCR, KMC_OP_DECR: a number that is not there is made (@binary)
 * @last: the connection is closed behind the answer
 * @key, @args: point into the bytes that were parsed; good until these go
 * @args: what stands behind "stats"; @nargs == 0: nothing. Of KMC_OP_AUTH_*: the token, if it is short enough to be
 *	somebody's; else its @nbytes follow
 * @level: a number: of KMC_OP_VERBOSITY, KMC_OP_CRAWLER, the limit of a cachedump; of KMC_OP_WATCH a set of
 *	enum kmc_watched
 * @nbytes: of the value that follows (its line end not counted); for KMC_OP_REFUSE, how many bytes
 *	follow that are to be thrown away (all counted)
 * @cas: 0, or the value that the item must have. Once the request has changed the item, its new one.
 * @delta: of KMC_OP_MEMLIMIT, mebibytes
 * @class_from, @class_to: of KMC_OP_REASSIGN, as the client wrote them
 * @classes: of KMC_OP_CRAWLER and cachedump: set of slab class ids; there is no class 0, its place stands for
 *	the index
 * @shift: of KMC_OP_DEBUG_TIME, in seconds
 * @meta: of meta commands; @lru: of KMC_OP_LRU. Not cleared for others.
 * @binary: of the binary protocol's
 */
struct kmc_request {
	enum kmc_op op : 8;
	enum kmc_answer refusal : 8;
	enum kmc_verb verb : 8;
	enum kmc_verb how : 8;
	bool noreply : 1;
	bool with_cas : 1;
	bool graceful : 1;
	bool invalid : 1;
	bool creates : 1;
	bool last : 1;
	u32 nkey;
	u32 nargs;
	const u8 *key;
	const u8 *args;
	union {
		u32 client_flags;
		u32 level;
	};
	u32 nbytes;
	s64 exptime;
	union {
		u64 cas;
		u64 classes;
		s64 shift;
	};
	union {
		u64 delta;
		struct {
			s32 class_from, class_to;
		};
	};
	union {
		struct kmc_meta meta;
		struct kmc_binary binary;
		struct kmc_lru_change lru;
	};
};

/**
 * struct kmc_hit - an item to be shown
 */
struct kmc_hit {
	const u8 *key;
	u32 nkey;
	u32 client_flags;
	u32 nbytes;
	u64 cas;
};

#endif
