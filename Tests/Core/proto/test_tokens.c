// SPDX-License-Identifier: GPL-2.0
#include "test.h"
#include "core/proto/tokens.h"
#include <stdlib.h>

/* The words of @line, written as "(word)(word)". The line has no byte behind it that may be read. */
static void test_split(const char *line, size_t len, const char *wanted)
{
	struct kmc_tokens tokens;
	char got[512];
	size_t n = 0;
	u8 *copy = malloc(len ? len : 1);
	u32 i;

	memcpy(copy, line, len);
	kmc_tokens_split(&tokens, copy, len);
	for (i = 0; i < tokens.count; i++) {
		got[n++] = '(';
		memcpy(got + n, tokens.token[i].at, tokens.token[i].len);
		n += tokens.token[i].len;
		got[n++] = ')';
	}
	free(copy);
	tap_bytes(got, n, wanted, strlen(wanted), "words of \"%.*s\"", (int)len, line);
}

static void test_words(const char *line, const char *wanted)
{
	test_split(line, strlen(line), wanted);
}

void test_tokens(void)
{
	struct kmc_tokens tokens;
	char many[200] = "";
	int i;

	test_words("", "");
	test_words(" ", "");
	test_words("     ", "");
	test_words("a", "(a)");
	test_words(" a", "(a)");
	test_words("a ", "(a)");
	test_words("get a b", "(get)(a)(b)");
	test_words("  get   a  b   ", "(get)(a)(b)");
	test_words("a\tb c", "(a\tb)(c)");
	test_words("a\rb\r", "(a\rb\r)");
	for (i = 0; i < 30; i++)
		strcat(many, "x ");
	test_words(many, "(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)(x)");
	kmc_tokens_split(&tokens, (const u8 *)"stats settings", 14);
	tap_ok(kmc_token_is(&tokens, 0, "stats"), "is the word");
	tap_ok(!kmc_token_is(&tokens, 0, "stat"), "is not a shorter word");
	tap_ok(!kmc_token_is(&tokens, 0, "statss"), "is not a longer word");
	tap_ok(!kmc_token_is(&tokens, 2, "stats"), "no third word");
	tap_ok(kmc_token_begins(&tokens, 1, "settings"), "the whole word begins it");
	tap_ok(kmc_token_begins(&tokens, 1, "settingsmore"), "begins a longer one");
	tap_ok(!kmc_token_begins(&tokens, 1, "setting"), "does not begin a shorter one");
	tap_ok(!kmc_token_begins(&tokens, 2, "settings"), "no third word begins anything");
}
