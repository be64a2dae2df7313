// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tap.h"
#include "sim/sim.h"

static unsigned long *checks;	/* shared with the children */

void tap_check(bool ok, const char *file, int line, const char *what)
{
	__atomic_fetch_add(checks, 1, __ATOMIC_RELAXED);
	if (ok)
		return;
	fflush(stdout);
	fprintf(stderr, "# %s:%d: not so: %s\n", file, line, what);
	_exit(1);
}

void tap_check_equal(unsigned long long got, unsigned long long want, const char *file, int line,
		     const char *what)
{
	if (got != want)
		fprintf(stderr, "# got %llu, want %llu\n", got, want);
	tap_check(got == want, file, line, what);
}

void tap_note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

/* The child's errors, passed on if they are unexpected. */
static bool tap_said(int fd, const char *word)
{
	static char text[1 << 16];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
	if (word && strstr(text, word))
		return true;
	fputs(text, stderr);
	return false;
}

static bool tap_run(const struct tap_test *test)
{
	unsigned long before = *checks;
	int pipes[2], status;
	bool said;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipes) || (pid = fork()) < 0) {
		perror("tap");
		return false;
	}
	if (pid == 0) {
		dup2(pipes[1], 2);
		close(pipes[0]);
		close(pipes[1]);
		test->run();
		fflush(stdout);
		exit(0);
	}
	close(pipes[1]);
	said = tap_said(pipes[0], test->dies);
	close(pipes[0]);
	if (waitpid(pid, &status, 0) != pid)
		return false;
	if (test->dies)
		return said && !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 && *checks > before;
}

int tap_main(int argc, char **argv, const struct tap_suite *suites, unsigned int count)
{
	const char *only = argc > 1 ? argv[1] : "";
	unsigned int s, t, run = 0, failed = 0, skipped = 0;

	checks = mmap(NULL, sizeof(*checks), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (checks == MAP_FAILED)
		return 1;
	printf("TAP version 13\n");
	for (s = 0; s < count; s++) {
		for (t = 0; t < suites[s].count; t++) {
			const struct tap_test *test = &suites[s].tests[t];
			bool ok;

			if (!strstr(test->name, only))
				continue;
			run++;
			if (test->asan && !kmc_sim_can_poison()) {
				skipped++;
				printf("ok %u - %s # SKIP needs the address sanitizer\n", run, test->name);
				continue;
			}
			ok = tap_run(test);
			failed += !ok;
			printf("%s %u - %s\n", ok ? "ok" : "not ok", run, test->name);
		}
	}
	printf("1..%u\n# tests %u, failed %u, skipped %u, checks %lu\n", run, run, failed, skipped, *checks);
	return run == 0 || failed ? 1 : 0;
}
