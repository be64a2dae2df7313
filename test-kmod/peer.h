/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other side, for tests in the kernel: listening sockets with a descriptor, an instance on one of
 * them, clients.
 */
#ifndef KMC_TEST_PEER_H
#define KMC_TEST_PEER_H

#include <linux/socket.h>
#include <linux/types.h>

struct kmc_owner;
struct kmc_server;
struct socket;

/**
 * struct kmc_test_listening - a listening socket as a tool would make it
 * @sock: owned by the file behind @fd
 * @fd: in the current task's table
 */
struct kmc_test_listening {
	struct socket *sock;
	int fd;
	struct sockaddr_storage address;
	int address_len;
};

/* @family: AF_INET on loopback, or AF_UNIX with an abstract name. 0 or an error. */
int kmc_test_listen(struct kmc_test_listening *listening, int family);
void kmc_test_unlisten(struct kmc_test_listening *listening);

/* An instance that serves it, with a reference for the caller, or ERR_PTR(). @owner: NULL: detached. */
struct kmc_server *kmc_test_serve_for(const struct kmc_test_listening *listening, const struct kmc_owner *owner);

static inline struct kmc_server *kmc_test_serve(const struct kmc_test_listening *listening)
{
	return kmc_test_serve_for(listening, NULL);
}

/* Stop it, wait, drop the reference. false: it was not gone within ten seconds, or left something. */
bool kmc_test_end(struct kmc_server *server);

/* A connected client, or NULL. */
struct socket *kmc_test_connect(const struct kmc_test_listening *listening);

/* Send a line, wait for any answer. Return: whether one came. */
bool kmc_test_talk(struct socket *client);

/**
 * struct kmc_test_crowd - clients that connect, send requests (whole ones, half ones, many at once), read
 *	some of the answers, and come back when they are thrown out
 */
#define KMC_TEST_CROWD 4
struct kmc_test_crowd {
	const struct kmc_test_listening *listening;
	struct task_struct *clients[KMC_TEST_CROWD];
};

int kmc_test_crowd_start(struct kmc_test_crowd *crowd, const struct kmc_test_listening *listening);
void kmc_test_crowd_stop(struct kmc_test_crowd *crowd);

#endif
