// SPDX-License-Identifier: GPL-2.0
/*
 * Thin handlers: parse, find, call, describe. What each operation means is said in the contract.
 *
 * Operations run in parallel, in the caller's task, under genetlink's own read lock, which also keeps
 * the module in place meanwhile. Nothing is dumped: a dump that is left half read would hold it longer.
 */
#include "control.h"

#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/kmemcache.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "core/auth.h"
#include "describe.h"
#include "event.h"
#include "registry.h"
#include "server.h"

/* Filled from the core's table; what it says about ranges is checked by kmc_settings_check(). */
static struct nla_policy settings_policy[KMC_S_MAX + 1] __ro_after_init;

static const struct nla_policy listener_policy[KMC_L_TAG + 1] = {
	[KMC_L_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[KMC_L_PROTOCOL] = NLA_POLICY_MAX(NLA_U8, KMC_PROTOCOL_BINARY),
	[KMC_L_TAG] = { .type = NLA_STRING, .len = KMC_TAG_MAX },
};

static const struct nla_policy auth_policy[KMC_AUTH_A_MAX + 1] = {
	[KMC_AUTH_A_SALT] = NLA_POLICY_EXACT_LEN(KMC_AUTH_SALT_LEN),
	[KMC_AUTH_A_ROUNDS] = NLA_POLICY_RANGE(NLA_U32, 1, KMC_AUTH_ROUNDS_MAX),
	[KMC_AUTH_A_DIGESTS] = { .type = NLA_BINARY, .len = KMC_AUTH_USERS_MAX * KMC_AUTH_DIGEST_LEN },
};

static const struct nla_policy new_policy[KMC_A_MAX + 1] = {
	[KMC_A_NAME] = { .type = NLA_STRING, .len = KMC_NAME_MAX },
	[KMC_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KMC_INSTANCE_F_ATTACHED),
	[KMC_A_PID] = { .type = NLA_U32 },
	[KMC_A_SETTINGS] = NLA_POLICY_NESTED(settings_policy),
	[KMC_A_LISTENER] = NLA_POLICY_NESTED(listener_policy),
	[KMC_A_AUTH] = NLA_POLICY_NESTED(auth_policy),
};

static const struct nla_policy set_auth_policy[KMC_A_MAX + 1] = {
	[KMC_A_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KMC_A_NAME] = { .type = NLA_STRING, .len = KMC_NAME_MAX },
	[KMC_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KMC_LIST_F_ALL_NETNS),
	[KMC_A_AUTH] = NLA_POLICY_NESTED(auth_policy),
};

static const struct nla_policy find_policy[KMC_A_MAX + 1] = {
	[KMC_A_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KMC_A_NAME] = { .type = NLA_STRING, .len = KMC_NAME_MAX },
	[KMC_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KMC_LIST_F_ALL_NETNS),
};

static const struct nla_policy list_policy[KMC_A_MAX + 1] = {
	[KMC_A_CURSOR] = { .type = NLA_U32 },
	[KMC_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KMC_LIST_F_ALL_NETNS),
};

static const struct nla_policy stats_policy[KMC_A_MAX + 1] = {
	[KMC_A_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[KMC_A_NAME] = { .type = NLA_STRING, .len = KMC_NAME_MAX },
	[KMC_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, KMC_LIST_F_ALL_NETNS),
	[KMC_A_STATS_GROUP] = { .type = NLA_STRING, .len = KMC_STATS_GROUP_MAX },
	[KMC_A_CURSOR] = { .type = NLA_U32 },
};

static const struct nla_policy none_policy[KMC_A_MAX + 1] = { };

/* What a later module might be asked with: enough for a newer tool to hear EOPNOTSUPP and no other no. */
static const struct nla_policy reserved_policy[KMC_A_MAX + 1] = {
	[KMC_A_ID] = { .type = NLA_U32 },
	[KMC_A_NAME] = { .type = NLA_STRING, .len = KMC_NAME_MAX },
	[KMC_A_FLAGS] = { .type = NLA_U32 },
	[KMC_A_SETTINGS] = { .type = NLA_NESTED },
	[KMC_A_CURSOR] = { .type = NLA_U32 },
	[KMC_A_STREAM] = { .type = NLA_NESTED },
};

static bool name_is_good(const char *name)
{
	const char *c;
	bool digits = true;

	for (c = name; *c; c++) {
		if (!isascii(*c) || !(isalnum(*c) || strchr("._:-", *c)))
			return false;
		if (!isdigit(*c))
			digits = false;
	}
	return !digits;
}

static int parse_name(struct kmc_server_spec *spec, const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	nla_strscpy(spec->name, attr, sizeof(spec->name));
	if (name_is_good(spec->name))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "a name is made of letters, digits and . _ : - and is not only digits");
	return -EINVAL;
}

static u64 setting_value(const struct nlattr *attr, enum kmc_setting_type type)
{
	switch (type) {
	case KMC_SETTING_U8:
		return nla_get_u8(attr);
	case KMC_SETTING_U32:
		return nla_get_u32(attr);
	default:
		return nla_get_u64(attr);
	}
}

static int parse_settings(struct kmc_settings *settings, const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[KMC_S_MAX + 1];
	const struct kmc_setting_row *row;
	const char *complaint = NULL;
	int err;

	kmc_settings_defaults(settings);
	if (!nest)
		return 0;
	err = nla_parse_nested(attrs, KMC_S_MAX, nest, settings_policy, extack);
	if (err)
		return err;
	for (row = kmc_setting_rows; row < kmc_setting_rows + kmc_setting_count; row++) {
		if (!attrs[row->attr])
			continue;
		if (row->type == KMC_SETTING_STRING)
			nla_strscpy((char *)settings + row->offset, attrs[row->attr], row->max + 1);
		else
			kmc_setting_put(settings, row, setting_value(attrs[row->attr], row->type));
	}
	err = kmc_settings_check(settings, &complaint);
	if (err)
		kmc_nl_say(extack, complaint);
	return err;
}

static int parse_listener(struct kmc_listener_spec *spec, const struct nlattr *nest, u8 protocol,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[KMC_L_TAG + 1];
	int err = nla_parse_nested(attrs, KMC_L_TAG, nest, listener_policy, extack);

	if (err)
		return err;
	if (!attrs[KMC_L_FD]) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "a listener comes without descriptor");
		return -EINVAL;
	}
	spec->fd = nla_get_s32(attrs[KMC_L_FD]);
	spec->protocol = attrs[KMC_L_PROTOCOL] ? nla_get_u8(attrs[KMC_L_PROTOCOL]) : protocol;
	if (!attrs[KMC_L_TAG])
		return 0;
	nla_strscpy(spec->tag, attrs[KMC_L_TAG], sizeof(spec->tag));
	if (spec->tag[0])
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attrs[KMC_L_TAG], "a listener's tag is empty");
	return -EINVAL;
}

static int parse_listeners(struct kmc_server_spec *spec, struct genl_info *info)
{
	const struct nlattr *attr;
	int rest, err;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != KMC_A_LISTENER)
			continue;
		if (spec->nr_listeners == KMC_LISTENERS_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr, "more listeners than an instance may have");
			return -EINVAL;
		}
		err = parse_listener(&spec->listeners[spec->nr_listeners++], attr, spec->settings.protocol,
				     info->extack);
		if (err)
			return err;
	}
	return 0;
}

/* Return: a table for the caller, or ERR_PTR(). */
static struct kmc_auth_table *parse_auth(const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[KMC_AUTH_A_MAX + 1];
	const struct nlattr *digests;
	struct kmc_auth_table *table;
	int err = nla_parse_nested(attrs, KMC_AUTH_A_MAX, nest, auth_policy, extack);
	u32 len;

	if (err)
		return ERR_PTR(err);
	digests = attrs[KMC_AUTH_A_DIGESTS];
	len = digests ? nla_len(digests) : 0;
	if (!attrs[KMC_AUTH_A_SALT] || !attrs[KMC_AUTH_A_ROUNDS] || len % KMC_AUTH_DIGEST_LEN) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "an authentication table has a salt, rounds and whole digests");
		return ERR_PTR(-EINVAL);
	}
	table = kmc_auth_table_create(nla_data(attrs[KMC_AUTH_A_SALT]), nla_get_u32(attrs[KMC_AUTH_A_ROUNDS]),
				      digests ? nla_data(digests) : NULL, len / KMC_AUTH_DIGEST_LEN);
	if (table)
		return table;
	NL_SET_ERR_MSG(extack, "no memory for the authentication table");
	return ERR_PTR(-ENOMEM);
}

/* With authentication a table, and only listeners that speak what it can be said in; without it none. */
static int parse_spec_auth(struct kmc_server_spec *spec, const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	u8 protocol = spec->settings.auth == KMC_AUTH_TEXT ? KMC_PROTOCOL_TEXT : KMC_PROTOCOL_BINARY;
	struct kmc_auth_table *table;
	u32 i;

	if (!nest != (spec->settings.auth == KMC_AUTH_NONE)) {
		NL_SET_ERR_MSG(extack, "an authentication table comes with authentication, and never without");
		return -EINVAL;
	}
	if (!nest)
		return 0;
	for (i = 0; i < spec->nr_listeners; i++) {
		if (spec->listeners[i].protocol == protocol)
			continue;
		NL_SET_ERR_MSG(extack, "with authentication listeners speak text only, with SASL binary only");
		return -EINVAL;
	}
	table = parse_auth(nest, extack);
	if (IS_ERR(table))
		return PTR_ERR(table);
	spec->auth = table;
	return 0;
}

static int parse_spec(struct kmc_server_spec *spec, struct sk_buff *skb, struct genl_info *info)
{
	int err = parse_name(spec, info->attrs[KMC_A_NAME], info->extack);

	if (err)
		return err;
	spec->net = genl_info_net(info);
	if (info->attrs[KMC_A_FLAGS])
		spec->flags = nla_get_u32(info->attrs[KMC_A_FLAGS]);
	if (info->attrs[KMC_A_PID])
		spec->pid = nla_get_u32(info->attrs[KMC_A_PID]);
	if (spec->flags & KMC_INSTANCE_F_ATTACHED)
		spec->owner = kmc_owner_of(skb);
	/* What a tenant makes ends with the tenant, whose memory it is. */
	if (!(spec->flags & KMC_INSTANCE_F_ATTACHED) && !netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(info->extack,
			       "an instance that outlives its process takes CAP_NET_ADMIN on the host: attach it");
		return -EPERM;
	}
	err = parse_settings(&spec->settings, info->attrs[KMC_A_SETTINGS], info->extack);
	if (!err)
		err = parse_listeners(spec, info);
	return err ? err : parse_spec_auth(spec, info->attrs[KMC_A_AUTH], info->extack);
}

/* Return: a message with the header of a reply, or NULL without memory. */
static struct sk_buff *reply_new(struct genl_info *info, u8 cmd, void **head)
{
	struct sk_buff *msg = genlmsg_new(KMC_REPLY_ROOM, GFP_KERNEL);

	if (!msg)
		return NULL;
	*head = genlmsg_put_reply(msg, info, &kmc_family, 0, cmd);
	return msg;
}

static int no_memory(struct genl_info *info)
{
	NL_SET_ERR_MSG(info->extack, "no memory for the reply");
	return -ENOMEM;
}

static int reply_instance(struct genl_info *info, struct sk_buff *msg, void *head, struct kmc_server *server)
{
	int err = kmc_describe_server(msg, server, true);

	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, head);
	return genlmsg_reply(msg, info);
}

static int new_with_spec(struct kmc_server_spec *spec, struct sk_buff *skb, struct genl_info *info)
{
	struct kmc_server *server;
	struct sk_buff *msg;
	void *head;
	int err = parse_spec(spec, skb, info);

	if (err)
		return err;
	/* First of all, so that an instance that was made cannot fail for want of a reply. */
	msg = reply_new(info, KMC_CMD_NEW, &head);
	if (!msg)
		return no_memory(info);
	server = kmc_server_create(spec, info->extack);
	if (IS_ERR(server)) {
		nlmsg_free(msg);
		return PTR_ERR(server);
	}
	err = reply_instance(info, msg, head, server);
	if (err)
		kmc_server_stop(server, KMC_REASON_REQUEST);
	kmc_server_put(server);
	return err;
}

static int do_new(struct sk_buff *skb, struct genl_info *info)
{
	struct kmc_server_spec *spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	int err;

	if (!spec) {
		NL_SET_ERR_MSG(info->extack, "no memory for the instance");
		return -ENOMEM;
	}
	err = new_with_spec(spec, skb, info);
	kmc_auth_table_free(spec->auth);
	kfree(spec);
	return err;
}

/* Where a caller may look: NULL is everywhere. */
static int find_net(struct sk_buff *skb, struct genl_info *info, struct net **net)
{
	*net = genl_info_net(info);
	if (!info->attrs[KMC_A_FLAGS] || !(nla_get_u32(info->attrs[KMC_A_FLAGS]) & KMC_LIST_F_ALL_NETNS))
		return 0;
	if (!netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(info->extack, "to look into all network namespaces takes CAP_NET_ADMIN on the host");
		return -EPERM;
	}
	*net = NULL;
	return 0;
}

/* Return: the instance that the message names, with a reference for the caller, or ERR_PTR(). */
static struct kmc_server *find_server(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *id = info->attrs[KMC_A_ID], *name = info->attrs[KMC_A_NAME];
	char text[KMC_NAME_MAX + 1] = "";
	struct kmc_server *server;
	struct net *net;
	int err = find_net(skb, info, &net);

	if (err)
		return ERR_PTR(err);
	if (!id == !name || (name && !net)) {
		NL_SET_ERR_MSG(info->extack, "an instance is named by its id, or by its name within one namespace");
		return ERR_PTR(-EINVAL);
	}
	if (name)
		nla_strscpy(text, name, sizeof(text));
	server = kmc_registry_find(net, id ? nla_get_u32(id) : 0, text);
	if (server)
		return server;
	NL_SET_ERR_MSG(info->extack, "no such instance in this network namespace");
	return ERR_PTR(-ENOENT);
}

static int do_del(struct sk_buff *skb, struct genl_info *info)
{
	struct kmc_server *server = find_server(skb, info);
	int err;

	if (IS_ERR(server))
		return PTR_ERR(server);
	kmc_server_stop(server, KMC_REASON_REQUEST);
	err = kmc_server_wait(server);
	if (err == -EBUSY)
		NL_SET_ERR_MSG(info->extack, "the instance ends when whoever else holds its sockets lets go of them");
	kmc_server_put(server);
	return err;
}

static int do_auth(struct sk_buff *skb, struct genl_info *info)
{
	struct kmc_auth_table *table;
	struct kmc_server *server;
	int err;

	if (!info->attrs[KMC_A_AUTH]) {
		NL_SET_ERR_MSG(info->extack, "the authentication table is missing");
		return -EINVAL;
	}
	server = find_server(skb, info);
	if (IS_ERR(server))
		return PTR_ERR(server);
	table = parse_auth(info->attrs[KMC_A_AUTH], info->extack);
	err = IS_ERR(table) ? PTR_ERR(table) : kmc_server_auth(server, table, info->extack);
	kmc_server_put(server);
	return err;
}

static int do_get(struct sk_buff *skb, struct genl_info *info)
{
	struct kmc_server *server = find_server(skb, info);
	struct sk_buff *msg;
	void *head;
	int err;

	if (IS_ERR(server))
		return PTR_ERR(server);
	msg = reply_new(info, KMC_CMD_GET, &head);
	err = msg ? reply_instance(info, msg, head, server) : no_memory(info);
	kmc_server_put(server);
	return err;
}

/* Return: 0, or -EMSGSIZE when the cursor itself does not fit. */
static int list_servers(struct sk_buff *msg, struct net *net, u32 cursor)
{
	struct kmc_server *server = NULL;
	int err = 0;

	kmc_registry_lock();
	while ((server = kmc_registry_next(server))) {
		if (server->id <= cursor || (net && !net_eq(server->net, net)))
			continue;
		err = kmc_describe_server(msg, server, false);
		if (err)
			break;
		cursor = server->id;
	}
	kmc_registry_unlock();
	return err ? nla_put_u32(msg, KMC_A_CURSOR, cursor) : 0;
}

static int do_list(struct sk_buff *skb, struct genl_info *info)
{
	u32 cursor = info->attrs[KMC_A_CURSOR] ? nla_get_u32(info->attrs[KMC_A_CURSOR]) : 0;
	struct sk_buff *msg;
	struct net *net;
	void *head;
	int err = find_net(skb, info, &net);

	if (err)
		return err;
	msg = reply_new(info, KMC_CMD_LIST, &head);
	if (!msg)
		return no_memory(info);
	err = list_servers(msg, net, cursor);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, head);
	return genlmsg_reply(msg, info);
}

static int describe_stats(struct sk_buff *msg, struct kmc_server *server, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[KMC_A_STATS_GROUP];
	u32 cursor = info->attrs[KMC_A_CURSOR] ? nla_get_u32(info->attrs[KMC_A_CURSOR]) : 0;
	char group[KMC_STATS_GROUP_MAX + 1] = "";
	bool done = true;
	int err;

	if (attr)
		nla_strscpy(group, attr, sizeof(group));
	err = kmc_describe_stats(msg, server, group, strlen(group), &cursor, &done);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "no such group of statistics, or the instance is gone");
	if (!err && !done)
		err = nla_put_u32(msg, KMC_A_CURSOR, cursor);
	return err;
}

static int do_stats(struct sk_buff *skb, struct genl_info *info)
{
	struct kmc_server *server = find_server(skb, info);
	struct sk_buff *msg;
	void *head;
	int err;

	if (IS_ERR(server))
		return PTR_ERR(server);
	msg = reply_new(info, KMC_CMD_STATS, &head);
	err = msg ? describe_stats(msg, server, info) : no_memory(info);
	kmc_server_put(server);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, head);
	return genlmsg_reply(msg, info);
}

static int do_subscribe(struct sk_buff *skb, struct genl_info *info)
{
	struct kmc_owner owner = kmc_owner_of(skb);
	int err = kmc_event_subscribe(genl_info_net(info), &owner);

	if (err == -ENOMEM)
		NL_SET_ERR_MSG(info->extack, "no memory for one more subscriber");
	else if (err)
		NL_SET_ERR_MSG(info->extack, "as many sockets are subscribed as may be, or as one user namespace's owner may have");
	return err;
}

static int do_reserved(struct sk_buff *skb, struct genl_info *info)
{
	NL_SET_ERR_MSG(info->extack, "this module does not offer that yet");
	return -EOPNOTSUPP;
}

#define OP(name, handler, rules) \
	{ .cmd = KMC_CMD_##name, .flags = GENL_UNS_ADMIN_PERM, .doit = (handler), .policy = (rules), \
	  .maxattr = ARRAY_SIZE(rules) - 1 }
#define OP_RESERVED(name) OP(name, do_reserved, reserved_policy)

static const struct genl_ops ops[] = {
	OP(NEW, do_new, new_policy),
	OP(DEL, do_del, find_policy),
	OP(GET, do_get, find_policy),
	OP(LIST, do_list, list_policy),
	OP(STATS, do_stats, stats_policy),
	OP(SUBSCRIBE, do_subscribe, none_policy),
	OP_RESERVED(SET),
	OP_RESERVED(LISTENERS),
	OP_RESERVED(STREAM_OPEN),
	OP_RESERVED(STREAM_READ),
	OP_RESERVED(STREAM_WRITE),
	OP_RESERVED(STREAM_CLOSE),
	OP(AUTH, do_auth, set_auth_policy),
};

static const struct genl_multicast_group groups[] = KMC_MCGRPS_ADMIN(KMC_GENL_MCGRP_EVENTS);

struct genl_family kmc_family __ro_after_init = {
	.name = KMC_GENL_NAME,
	.version = KMC_GENL_VERSION,
	.maxattr = KMC_A_MAX,
	.netnsok = true,
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
	.mcgrps = groups,
	.n_mcgrps = KMC_MCGRPS_NR,
	.module = THIS_MODULE,
};

static const u8 setting_types[] = {
	[KMC_SETTING_U8] = NLA_U8,
	[KMC_SETTING_U32] = NLA_U32,
	[KMC_SETTING_U64] = NLA_U64,
	[KMC_SETTING_STRING] = NLA_STRING,
};

int __init kmc_control_init(void)
{
	const struct kmc_setting_row *row;

	for (row = kmc_setting_rows; row < kmc_setting_rows + kmc_setting_count; row++) {
		settings_policy[row->attr].type = setting_types[row->type];
		if (row->type == KMC_SETTING_STRING)
			settings_policy[row->attr].len = row->max;
	}
	return genl_register_family(&kmc_family);
}

void kmc_control_exit(void)
{
	genl_unregister_family(&kmc_family);
}
