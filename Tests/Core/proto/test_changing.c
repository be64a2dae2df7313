// SPDX-License-Identifier: GPL-2.0
/*
 * Lines that their sender changes while they are parsed: what came by splice or sendfile lies in pages that a process on
 * this machine may still write to. The sanitizers say when a byte was used that is not the one that was checked.
 */
#include "test.h"
#include "drive.h"
#include "core/cmd/meta.h"
#include "core/proto/base64.h"
#include "core/proto/text.h"
#include <pthread.h>

#define PARSES		400000
#define KEY		"QUJD"

struct changing {
	u8 *byte;
	u8 one, other;
	bool enough;
};

static void *change(void *data)
{
	struct changing *changing = data;

	while (!READ_ONCE(changing->enough)) {
		WRITE_ONCE(*changing->byte, changing->other);
		WRITE_ONCE(*changing->byte, changing->one);
	}
	return NULL;
}

/* The byte of @line at @place is now @one, now @other, while it is parsed again and again. */
static void test_line(const char *text, size_t place, u8 one, u8 other)
{
	u8 line[64];
	struct changing changing = { .byte = line + place, .one = one, .other = other };
	struct kmc_request req;
	u32 i, parsed = 0;
	pthread_t thread;

	memcpy(line, text, strlen(text));
	if (!tap_ok(!pthread_create(&thread, NULL, change, &changing), "a thread changes \"%s\"", text))
		return;
	for (i = 0; i < PARSES; i++) {
		memset(&req, 0, sizeof(req));
		parsed += kmc_meta_parse(line, strlen(text), &req);
	}
	WRITE_ONCE(changing.enough, true);
	pthread_join(thread, NULL);
	tap_ok(parsed > 0, "it was parsed as one of the two lines, %u times", parsed);
}

/* A key in base64 that is none any more when it is executed. */
static void test_key(const char *text, size_t place, u8 other, const char *wanted)
{
	u8 line[512], room[KMC_KEY_MAX];
	struct kmc_key key;
	struct drive d;

	drive_open(&d, NULL);
	memcpy(line, text, strlen(text));
	tap_ok(kmc_meta_parse(line, strlen(text), &d.session->req) && d.session->req.op == KMC_OP_META_DEBUG,
	       "\"%s\" is a request", text);
	line[place] = other;
	key = kmc_meta_key(d.session, room);
	tap_bytes(key.data, key.len, wanted, strlen(wanted), "whatever becomes of it, it has a key");
	tap_ok(key.data == room, "which nobody else can change");
	drive_close(&d);
}

/* One as long as a line takes: what is left of it is no longer than any key that was decoded, for it may be shown in base64. */
static void test_long_key(void)
{
	char text[300] = "me ", wanted[300] = "";

	memset(text + 3, 'A', 248);
	strcat(text, "** b");
	memset(wanted, 'A', KMC_BASE64_BYTES(KMC_TEXT_KEY_MAX));
	test_key(text, 3 + 247, '*', wanted);
}

void test_changing(void)
{
	test_long_key();
	test_key("me QUJD b", 3, 'R', "EBC");
	test_key("me QQ== b", 4, '=', "Q===");
	test_key("me QUJD b", 6, 0xfe, "QUJ\xfe");
	test_line("md " KEY KEY KEY KEY KEY KEY KEY " b v", 34, 'v', 0xfe);
	test_line("md " KEY KEY KEY KEY KEY KEY KEY " b v", 34, 'v', '{');
	test_line("mg " KEY " b v", 1, 'g', 0xfe);
}
