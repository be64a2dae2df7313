// SPDX-License-Identifier: MIT
/*
 * A plugin of QEMU that counts the guest's instructions by the block of code that they belong to, in a file that others
 * may map and read at any time: pairs of 64-bit numbers, address of a block and instructions run in it. All of user space
 * is one block, at address 1. Argument: out=PATH. For one virtual CPU: the counters are not atomic.
 *
 * Debian does not package QEMU's header, so the few declarations that are needed stand here (QEMU 7.2, "QEMU TCG Plugins",
 * API version 1).
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SLOTS		(1u << 19)
#define USER_END	(1ull << 63)
#define USER		1

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info_t;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*qemu_plugin_vcpu_tb_trans_cb_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, qemu_plugin_vcpu_tb_trans_cb_t cb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, enum qemu_plugin_op op, void *ptr,
					      uint64_t imm);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

struct slot {
	uint64_t address;
	uint64_t count;
};

static struct slot *slots;

/* The slot of a block; the last one takes what finds no room. */
static struct slot *slot_of(uint64_t address)
{
	uint32_t place = (uint32_t)((address * 0x9E3779B97F4A7C15ull) >> 40) % (SLOTS - 1), tries;

	for (tries = 0; tries < SLOTS / 2; tries++) {
		if (!slots[place].address)
			slots[place].address = address;
		if (slots[place].address == address)
			return &slots[place];
		place = (place + 1) % (SLOTS - 1);
	}
	return &slots[SLOTS - 1];
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);

	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 &slot_of(address < USER_END ? USER : address)->count,
						 qemu_plugin_tb_n_insns(tb));
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	int file;

	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count: out=PATH is needed\n");
		return -1;
	}
	file = open(argv[0] + 4, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, SLOTS * sizeof(*slots))) {
		perror(argv[0] + 4);
		return -1;
	}
	slots = mmap(NULL, SLOTS * sizeof(*slots), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (slots == MAP_FAILED) {
		perror("mmap");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
