// SPDX-License-Identifier: GPL-2.0
#include "peer.h"

#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/in.h>
#include <linux/kthread.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/un.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "server.h"

/* A whole set, a get, and the half of a set: a connection is always in the middle of something. */
static const char requests[] =
	"set kmctest 0 0 10\r\n0123456789\r\nget kmctest\r\nget kmctest absent kmctest\r\n"
	"set half 0 0 10\r\n01234";
static const char rest[] = "56789\r\n";

static void any_address(struct kmc_test_listening *listening, int family)
{
	static atomic_t number = ATOMIC_INIT(0);
	struct sockaddr_in *in = (void *)&listening->address;
	struct sockaddr_un *un = (void *)&listening->address;

	memset(&listening->address, 0, sizeof(listening->address));
	if (family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		listening->address_len = sizeof(*in);
		return;
	}
	un->sun_family = AF_UNIX;
	listening->address_len = offsetof(struct sockaddr_un, sun_path) + 1 +
		snprintf(un->sun_path + 1, sizeof(un->sun_path) - 1, "kmctest-%d", atomic_inc_return(&number));
}

static int listen_on(struct kmc_test_listening *listening)
{
	struct sockaddr *address = (struct sockaddr *)&listening->address;
	int err = kernel_bind(listening->sock, address, listening->address_len);

	if (!err)
		err = kernel_listen(listening->sock, 128);
	if (err)
		return err;
	listening->address_len = kernel_getsockname(listening->sock, address);
	return listening->address_len < 0 ? listening->address_len : 0;
}

int kmc_test_listen(struct kmc_test_listening *listening, int family)
{
	struct file *file;
	int err = sock_create(family, SOCK_STREAM, 0, &listening->sock);

	if (err)
		return err;
	any_address(listening, family);
	err = listen_on(listening);
	if (err) {
		sock_release(listening->sock);
		return err;
	}
	file = sock_alloc_file(listening->sock, O_CLOEXEC, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	listening->fd = get_unused_fd_flags(O_CLOEXEC);
	if (listening->fd < 0) {
		fput(file);
		return listening->fd;
	}
	fd_install(listening->fd, file);
	return 0;
}

void kmc_test_unlisten(struct kmc_test_listening *listening)
{
	close_fd(listening->fd);
}

struct kmc_server *kmc_test_serve_for(const struct kmc_test_listening *listening, const struct kmc_owner *owner)
{
	struct kmc_server_spec *spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	struct kmc_server *server;

	if (!spec)
		return ERR_PTR(-ENOMEM);
	kmc_settings_defaults(&spec->settings);
	spec->net = current->nsproxy->net_ns;
	if (owner) {
		spec->flags = KMC_INSTANCE_F_ATTACHED;
		spec->owner = *owner;
	}
	spec->nr_listeners = 1;
	spec->listeners[0].fd = listening->fd;
	server = kmc_server_create(spec, NULL);
	kfree(spec);
	return server;
}

bool kmc_test_end(struct kmc_server *server)
{
	bool clean;

	kmc_server_stop(server, KMC_REASON_REQUEST);
	if (!wait_for_completion_timeout(&server->gone, 60 * HZ))
		return false;
	clean = !atomic_read(&server->objects) && !server->conns.nr && list_empty(&server->conns.list);
	kmc_server_put(server);
	return clean;
}

struct socket *kmc_test_connect(const struct kmc_test_listening *listening)
{
	struct socket *client;

	if (sock_create_kern(&init_net, listening->address.ss_family, SOCK_STREAM, 0, &client))
		return NULL;
	if (!kernel_connect(client, (struct sockaddr *)&listening->address, listening->address_len, 0))
		return client;
	sock_release(client);
	return NULL;
}

static int say(struct socket *client, const char *words, size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec = { .iov_base = (void *)words, .iov_len = len };

	return kernel_sendmsg(client, &msg, &vec, 1, len);
}

static int hear(struct socket *client, int flags)
{
	char buffer[256];
	struct msghdr msg = { };
	struct kvec vec = { .iov_base = buffer, .iov_len = sizeof(buffer) };

	return kernel_recvmsg(client, &msg, &vec, 1, sizeof(buffer), flags);
}

bool kmc_test_talk(struct socket *client)
{
	return say(client, "version\r\n", 9) == 9 && hear(client, 0) > 0;
}

static bool harass(struct socket *client)
{
	return say(client, requests, sizeof(requests) - 1) > 0 && hear(client, MSG_DONTWAIT) != 0 &&
	       say(client, rest, sizeof(rest) - 1) > 0;
}

static int crowd_member(void *data)
{
	struct kmc_test_crowd *crowd = data;
	struct socket *client;
	int turns;

	while (!kthread_should_stop()) {
		client = kmc_test_connect(crowd->listening);
		for (turns = 0; client && turns < 50 && !kthread_should_stop() && harass(client); turns++)
			cond_resched();
		if (client)
			sock_release(client);
		else
			schedule_timeout_interruptible(1);
	}
	return 0;
}

int kmc_test_crowd_start(struct kmc_test_crowd *crowd, const struct kmc_test_listening *listening)
{
	int i;

	memset(crowd, 0, sizeof(*crowd));
	crowd->listening = listening;
	for (i = 0; i < KMC_TEST_CROWD; i++) {
		struct task_struct *client = kthread_run(crowd_member, crowd, "kmctest/%d", i);

		if (IS_ERR(client)) {
			kmc_test_crowd_stop(crowd);
			return PTR_ERR(client);
		}
		crowd->clients[i] = client;
	}
	return 0;
}

void kmc_test_crowd_stop(struct kmc_test_crowd *crowd)
{
	int i;

	for (i = 0; i < KMC_TEST_CROWD && crowd->clients[i]; i++)
		kthread_stop(crowd->clients[i]);
}
