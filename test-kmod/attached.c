// SPDX-License-Identifier: GPL-2.0
/*
 * Instances that end with a netlink socket.
 */
#include <linux/err.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <net/sock.h>

#include "ktap.h"
#include "peer.h"
#include "registry.h"
#include "server.h"

#define PORT_ID 0x4b4d4301

static int open_owner(struct socket **sock, struct kmc_owner *owner)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = PORT_ID };
	int err = sock_create(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC, sock);

	if (err)
		return err;
	err = kernel_bind(*sock, (struct sockaddr *)&address, sizeof(address));
	if (err)
		sock_release(*sock);
	*owner = (struct kmc_owner){ .sk = (*sock)->sk, .portid = PORT_ID };
	return err;
}

/*
 * A socket that closes leaves its port id before it tells: meanwhile another may have got the id and
 * started an instance. What is told then names namespace and port id of the other, who lives.
 */
bool kmc_test_port_id_of_another(void)
{
	struct kmc_test_listening listening;
	struct kmc_server *server;
	struct kmc_owner owner;
	struct socket *sock;
	bool spared, ended;

	CHECK(!kmc_test_listen(&listening, AF_UNIX));
	CHECK(!open_owner(&sock, &owner));
	server = kmc_test_serve_for(&listening, &owner);
	CHECK(!IS_ERR(server));
	kmc_registry_owner_gone(current->nsproxy->net_ns, PORT_ID);
	spared = !kmc_server_stopping(server);
	sock_release(sock);
	ended = READ_ONCE(server->reason) == KMC_REASON_OWNER;
	CHECK(kmc_test_end(server));
	kmc_test_unlisten(&listening);
	CHECK(spared);
	CHECK(ended);
	return true;
}
