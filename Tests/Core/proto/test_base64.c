// SPDX-License-Identifier: GPL-2.0
#include "test.h"
#include "core/proto/base64.h"
#include <stdlib.h>
#include <string.h>

/* @text has no byte behind it that may be read, the answer none that may be written. */
static void decodes(const char *text, const char *wanted, size_t nwanted)
{
	u32 len = (u32)strlen(text), n;
	u8 *copy = malloc(len ? len : 1), *at = malloc(KMC_BASE64_BYTES(len) + 1);

	memcpy(copy, text, len);
	n = kmc_base64_decode(at, copy, len);
	tap_bytes(at, n, wanted, nwanted, "\"%s\" is %zu bytes", text, nwanted);
	free(copy);
	free(at);
}

#define DECODES(text, wanted)	decodes(text, wanted, sizeof(wanted) - 1)

static void encodes(const char *data, size_t len, const char *wanted)
{
	u8 *at = malloc(KMC_BASE64_CHARS(len) + 1), back[256];
	u32 n = kmc_base64_encode(at, (const u8 *)data, (u32)len);

	tap_bytes(at, n, wanted, strlen(wanted), "%zu bytes are \"%s\"", len, wanted);
	tap_bytes(back, n ? kmc_base64_decode(back, at, n) : 0, data, len, "and back");
	free(at);
}

#define ENCODES(data, wanted)	encodes(data, sizeof(data) - 1, wanted)

void test_base64(void)
{
	ENCODES("", "");
	ENCODES("f", "Zg==");
	ENCODES("fo", "Zm8=");
	ENCODES("foo", "Zm9v");
	ENCODES("foob", "Zm9vYg==");
	ENCODES("\0\377\r\n ", "AP8NCiA=");
	ENCODES("\373\377\277", "+/+/");
	DECODES("", "");
	DECODES("Zm9", "");
	DECODES("Zm9vY", "");
	DECODES("Z", "");
	DECODES("A===", "");
	DECODES("====", "");
	DECODES("-_-_", "");
	/* As 1.6.45 reads: what means nothing is skipped, what stands behind a padded group is ignored. */
	DECODES("Z!m-9_v", "foo");
	DECODES("Zg==Zm9v", "f");
	DECODES("Zg======", "f");
	DECODES("=AAA", "\0\0");
}
