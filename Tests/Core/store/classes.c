// SPDX-License-Identifier: GPL-2.0
/* Slab classes against memcached's: its arithmetic in doubles, and the program itself if it is there. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "fixture.h"
#include "suites.h"

/* As protocol-independent rules say it: grow by the factor, aligned to 8, up to the largest over it. */
static u32 sizes_in_doubles(double factor, u32 size_min, u32 chunk_max, u32 *sizes)
{
	u32 size = 48 + size_min, id;

	for (id = 1; id < 63 && !(size >= chunk_max / factor); id++) {
		size += (8 - size % 8) % 8;
		sizes[id] = size;
		size = (u32)(size * factor);
	}
	sizes[id] = chunk_max;
	return id;
}

static void compare(struct cache *c, const u32 *sizes, u32 last)
{
	u32 id;

	EQUAL(cache_store(c)->slab.last, last);
	for (id = 1; id <= last; id++)
		EQUAL(cache_store(c)->slab.classes[id].nominal, sizes[id]);
}

static void doubles(void)
{
	static const u32 mins[] = { 1, 8, 48, 49, 100, 500, 1000, 20000 };
	static const u32 maxes[] = { 1024, 16384, 262144, 524288, 1048576 };
	struct cache c;
	u32 f, m, x, sizes[64];

	for (f = 1001; f < 4000; f += f < 1500 ? 3 : 41) {
		for (m = 0; m < ARRAY_SIZE(mins); m++) {
			for (x = 0; x < ARRAY_SIZE(maxes); x++) {
				struct kmc_store *store = kvzalloc(sizeof(*store), GFP_KERNEL);

				cache_init(&c);
				c.settings.growth_factor = f;
				c.settings.size_min = mins[m];
				c.settings.slab_chunk_max = maxes[x];
				c.core.settings = c.settings;
				c.core.store = store;
				store->core = &c.core;
				EQUAL(kmc_slab_init(store), 0);
				compare(&c, sizes, sizes_in_doubles(f / 1000.0, mins[m], maxes[x], sizes));
				kmc_slab_exit(store);
				kvfree(store);
			}
		}
	}
}

struct config {
	char *options[8];
	u32 factor, size_min, item_max, chunk_max, no_cas;
};

static const struct config configs[] = {
	{ { NULL }, 1250, 48, 1 << 20, 512 << 10 },
	{ { "-C", NULL }, 1250, 48, 1 << 20, 512 << 10, 1 },
	{ { "-f", "1.08", "-n", "32", NULL }, 1080, 32, 1 << 20, 512 << 10 },
	{ { "-f", "2", "-n", "1", NULL }, 2000, 1, 1 << 20, 512 << 10 },
	{ { NULL }, 1250, 48, 1 << 20, 16 << 10 },
	{ { "-f", "1.1", NULL }, 1100, 48, 1 << 20, 64 << 10 },
	{ { "-I", "2m", NULL }, 1250, 48, 2 << 20, 512 << 10 },
	{ { "-I", "128k", "-n", "100", NULL }, 1250, 100, 128 << 10, 128 << 10 },
};

/* A memcached of our own, on a socket in a directory of its own. */
struct server {
	pid_t pid;
	char dir[32];
	char errors[48];
	struct sockaddr_un address;
	FILE *stream;
};

static const char *const binaries[] = { "/usr/bin/memcached", "/usr/local/bin/memcached" };

static const char *binary(void)
{
	u32 i;

	if (getenv("MEMCACHED"))
		return getenv("MEMCACHED");

	for (i = 0; i < ARRAY_SIZE(binaries); i++)
		if (access(binaries[i], X_OK) == 0)
			return binaries[i];
	return NULL;
}

/* @unit: of slab_chunk_max. Up to 1.6.18 at least it says kilobytes, and takes bytes. */
static void server_start(struct server *s, const struct config *config, u32 unit)
{
	char *argv[32] = { "memcached", "-u", "root", "-vv", "-m", "1024", "-U", "0", "-s", s->address.sun_path };
	char chunk_max[32];
	char *const *options = config->options;
	int n = 10, tries = 0, fd;

	strcpy(s->dir, "/tmp/kmc-store-XXXXXX");
	CHECK(mkdtemp(s->dir) != NULL);
	s->address.sun_family = AF_UNIX;
	snprintf(s->address.sun_path, sizeof(s->address.sun_path), "%s/s", s->dir);
	while (*options)
		argv[n++] = *options++;
	snprintf(chunk_max, sizeof(chunk_max), "slab_chunk_max=%u", config->chunk_max / unit);
	argv[n++] = "-o";
	argv[n++] = chunk_max;
	snprintf(s->errors, sizeof(s->errors), "%s/errors", s->dir);
	s->pid = fork();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(open(s->errors, O_WRONLY | O_CREAT, 0600), 2);
		execv(binary(), argv);
		_exit(127);
	}
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	while (connect(fd, (struct sockaddr *)&s->address, sizeof(s->address)) && tries++ < 12000)
		usleep(10000);
	CHECK(tries < 12000);
	s->stream = fdopen(fd, "r+");
}

static void server_stop(struct server *s)
{
	fclose(s->stream);
	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
	unlink(s->errors);
	unlink(s->address.sun_path);
	rmdir(s->dir);
}

/* What the server said about its classes when it started. */
static u32 server_sizes(struct server *s, u32 *sizes)
{
	char line[256];
	FILE *errors = fopen(s->errors, "r");
	u32 id, size, last = 0;

	CHECK(errors != NULL);
	while (fgets(line, sizeof(line), errors))
		if (sscanf(line, "slab class %u: chunk size %u", &id, &size) == 2)
			sizes[last = id] = size;
	fclose(errors);
	return last;
}

/* The class of the one item that the server holds, 0: it says nothing of any. */
static u32 server_item(struct server *s)
{
	u32 class = 0, other;
	char line[256];

	fprintf(s->stream, "stats items\r\n");
	fflush(s->stream);
	while (fgets(line, sizeof(line), s->stream) && strncmp(line, "END", 3))
		if (sscanf(line, "STAT items:%u:number %u", &class, &other) == 2)
			EQUAL(other, 1);
	return class;
}

/* The class that the server puts an item into, 0: too large. It is deleted again. */
static u32 server_class(struct server *s, const char *key, u32 flags, u32 len)
{
	static char value[2 << 20];
	u32 class = 0, tries;
	char line[256];
	bool stored;

	memset(value, 'v', len);
	fprintf(s->stream, "set %s %u 0 %u\r\n", key, flags, len);
	fwrite(value, 1, len, s->stream);
	fprintf(s->stream, "\r\n");
	fflush(s->stream);
	CHECK(fgets(line, sizeof(line), s->stream) != NULL);
	stored = strncmp(line, "STORED", 6) == 0;
	CHECK(stored || strstr(line, "too large"));
	/* On its way from one LRU to another it is in none, and nobody counts it. */
	for (tries = 0; stored && !class && tries < 1000; tries++)
		class = server_item(s);
	fprintf(s->stream, "delete %s\r\n", key);
	fflush(s->stream);
	CHECK(fgets(line, sizeof(line), s->stream) != NULL);
	return class;
}

static u32 our_class(struct cache *c, const char *key, u32 flags, u32 len)
{
	static u8 value[2 << 20];
	struct kmc_item *item = cache_item(c, key, value, len, flags, 0);
	u32 class;

	if (item == ERR_PTR(-E2BIG))
		return 0;
	CHECK(!IS_ERR(item));
	class = kmc_item_class(item);
	kmc_item_put(cache_store(c), item);
	return class;
}

static void probe(struct server *s, struct cache *c, const char *key, u32 flags, u32 len)
{
	EQUAL(our_class(c, key, flags, len), server_class(s, key, flags, len));
}

/* Around every place where the class changes. */
static void probe_edges(struct server *s, struct cache *c)
{
	const struct kmc_slab *slab = &cache_store(c)->slab;
	char longest[KMC_KEY_MAX + 1] = "";
	u32 id, d, size, over = 48 + 3 + (c->settings.cas ? 8 : 0);

	memset(longest, 'k', KMC_KEY_MAX);
	for (id = 1; id <= slab->last; id++) {
		for (d = 0; d < 3; d++) {
			size = slab->classes[id].nominal + d;
			if (size > over + 1)
				probe(s, c, "k", 0, size - over - 1 - 1);
			if (size > over + 5)
				probe(s, c, "k", 7, size - over - 4 - 1 - 1);
			if (size > over + KMC_KEY_MAX + 1)
				probe(s, c, longest, 0, size - over - KMC_KEY_MAX - 1);
		}
	}
	for (d = 0; d < 3; d++)
		probe(s, c, "k", 0, c->settings.item_size_max - over - 1 + d - 1);
}

static void program(void)
{
	u32 i, last, sizes[64] = { 0 };

	if (!binary()) {
		tap_note("no memcached is installed: only its arithmetic was compared");
		CHECK(true);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(configs); i++) {
		const struct config *config = &configs[i];
		struct server s = { 0 };
		struct cache c;

		cache_init(&c);
		c.settings.growth_factor = config->factor;
		c.settings.size_min = config->size_min;
		c.settings.item_size_max = config->item_max;
		c.settings.slab_chunk_max = config->chunk_max;
		c.settings.cas = !config->no_cas;
		cache_open(&c);
		server_start(&s, config, 1024);
		last = server_sizes(&s, sizes);
		if (sizes[last] == config->chunk_max / 1024) {
			server_stop(&s);
			server_start(&s, config, 1);
			last = server_sizes(&s, sizes);
		}
		compare(&c, sizes, last);
		probe_edges(&s, &c);
		server_stop(&s);
		cache_close(&c);
	}
}

static const struct tap_test tests[] = {
	{ "classes: as doubles make them", doubles },
	{ "classes: as memcached prints and uses them", program },
};

const struct tap_suite classes_suite = TAP_SUITE(tests);
