// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The few rtnetlink orders the demo's network is made of: see demonet_link.h.
 */
#include "capture/demonet_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#include "kernel/rtnl.h"

struct link_state {
	u32 ifindex;
	bool up;
	u8 port_state;
	bool is_port;
};

/* Whether all was put in; @msg is freed and NULL if not, which rtnl_request() takes for ENOMEM. */
static struct nl_msg *complete(struct nl_msg *msg, bool ok)
{
	if (ok)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static bool put_name_mac(struct nl_msg *msg, const char *name, const u8 *mac)
{
	return !nla_put_string(msg, IFLA_IFNAME, name) &&
	       !nla_put(msg, IFLA_ADDRESS, DEMONET_MAC_SIZE, mac);
}

static bool put_bridge_data(struct nl_msg *msg)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO);
	struct nlattr *data;

	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "bridge"))
		return false;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data || nla_put_u32(msg, IFLA_BR_FORWARD_DELAY, 0) ||
	    nla_put_u32(msg, IFLA_BR_STP_STATE, 0) || nla_put_u8(msg, IFLA_BR_MCAST_SNOOPING, 0))
		return false;
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return true;
}

int demonet_add_bridge(struct nl_sock *sock, const char *name, const u8 *mac, struct error *err)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg =
		rtnl_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	int ret;

	msg = complete(msg, msg && put_name_mac(msg, name, mac) && put_bridge_data(msg));
	ret = rtnl_request(sock, msg, NULL, NULL, err);
	if (ret)
		error_prepend(err, "cannot make a bridge%s: ",
			      ret == -EOPNOTSUPP ? " (does this kernel have CONFIG_BRIDGE?)" : "");
	return ret;
}

static bool put_veth_data(struct nl_msg *msg, const char *peer, const u8 *peer_mac, int peer_fd)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO);
	struct nlattr *data, *peer_info;

	if (!info || nla_put_string(msg, IFLA_INFO_KIND, "veth"))
		return false;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	peer_info = data ? nla_nest_start(msg, VETH_INFO_PEER) : NULL;
	if (!peer_info || nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO) ||
	    !put_name_mac(msg, peer, peer_mac) || nla_put_u32(msg, IFLA_NET_NS_FD, (u32)peer_fd))
		return false;
	nla_nest_end(msg, peer_info);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return true;
}

int demonet_add_veth(struct nl_sock *sock, const char *name, const u8 *mac, const char *peer,
		     const u8 *peer_mac, int peer_fd, struct error *err)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg =
		rtnl_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	int ret;

	msg = complete(msg, msg && put_name_mac(msg, name, mac) &&
				    put_veth_data(msg, peer, peer_mac, peer_fd));
	ret = rtnl_request(sock, msg, NULL, NULL, err);
	if (ret)
		error_prepend(err, "cannot make a veth pair%s: ",
			      ret == -EOPNOTSUPP ? " (does this kernel have CONFIG_VETH?)" : "");
	return ret;
}

static void parse_port(struct link_state *state, struct nlattr *linkinfo)
{
	struct nlattr *kind = nla_find(nla_data(linkinfo), nla_len(linkinfo), IFLA_INFO_SLAVE_KIND);
	struct nlattr *data = nla_find(nla_data(linkinfo), nla_len(linkinfo), IFLA_INFO_SLAVE_DATA);

	state->is_port = kind && data && !nla_strcmp(kind, "bridge");
	data = state->is_port ? nla_find(nla_data(data), nla_len(data), IFLA_BRPORT_STATE) : NULL;
	if (data && nla_len(data) >= 1)
		state->port_state = nla_get_u8(data);
}

static int take_state(struct nlmsghdr *answer, void *arg)
{
	struct link_state *state = arg;
	struct nlattr *tb[IFLA_MAX + 1];
	struct ifinfomsg *info = nlmsg_data(answer);

	if (answer->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(answer, sizeof(*info), tb, IFLA_MAX, NULL))
		return 0;
	state->ifindex = (u32)info->ifi_index;
	/*
	 * IFF_RUNNING alone is also said while the state is not known yet; the change to "up" would
	 * come later and make IPv6 introduce itself again.
	 */
	state->up = (info->ifi_flags & IFF_RUNNING) && tb[IFLA_OPERSTATE] &&
		    nla_len(tb[IFLA_OPERSTATE]) >= 1 &&
		    nla_get_u8(tb[IFLA_OPERSTATE]) == IF_OPER_UP;
	if (tb[IFLA_LINKINFO])
		parse_port(state, tb[IFLA_LINKINFO]);
	return 0;
}

static int get_state(struct nl_sock *sock, const char *name, struct link_state *state,
		     struct error *err)
{
	struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = rtnl_message(RTM_GETLINK, 0, &header, sizeof(header));
	int ret;

	*state = (struct link_state){ 0 };
	msg = complete(msg, msg && !nla_put_string(msg, IFLA_IFNAME, name));
	ret = rtnl_request(sock, msg, take_state, state, err);
	if (!ret && !state->ifindex)
		ret = error_set(err, ENODEV, "the kernel did not answer");
	if (ret)
		error_prepend(err, "cannot look at the device %s: ", name);
	return ret;
}

int demonet_set_up(struct nl_sock *sock, const char *name, const char *master, struct error *err)
{
	struct ifinfomsg header = {
		.ifi_family = AF_UNSPEC,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct link_state state = { 0 };
	struct nl_msg *msg;
	int ret = 0;

	if (master)
		ret = get_state(sock, master, &state, err);
	if (ret)
		return ret;
	msg = rtnl_message(RTM_NEWLINK, 0, &header, sizeof(header));
	msg = complete(msg, msg && !nla_put_string(msg, IFLA_IFNAME, name) &&
				    (!master || !nla_put_u32(msg, IFLA_MASTER, state.ifindex)));
	ret = rtnl_request(sock, msg, NULL, NULL, err);
	if (ret)
		error_prepend(err, "cannot set the device %s up: ", name);
	return ret;
}

int demonet_add_address(struct nl_sock *sock, const char *name,
			const struct demonet_address *address, struct error *err)
{
	struct ifaddrmsg header = {
		.ifa_family = (u8)address->family,
		.ifa_prefixlen = address->prefix_bits,
		.ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0,
	};
	int len = address->family == AF_INET6 ? 16 : 4;
	struct link_state state;
	struct nl_msg *msg;
	u8 bytes[16];
	int ret = get_state(sock, name, &state, err);

	if (ret)
		return ret;
	if (inet_pton(address->family, address->text, bytes) != 1)
		return error_set(err, EINVAL, "'%s' is no address", address->text);
	header.ifa_index = state.ifindex;
	msg = rtnl_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	msg = complete(msg, msg && !nla_put(msg, IFA_LOCAL, len, bytes) &&
				    !nla_put(msg, IFA_ADDRESS, len, bytes));
	ret = rtnl_request(sock, msg, NULL, NULL, err);
	if (ret)
		error_prepend(err, "cannot give %s the address %s: ", name, address->text);
	return ret;
}

int demonet_is_ready(struct nl_sock *sock, const char *name, struct error *err)
{
	struct link_state state;
	int ret = get_state(sock, name, &state, err);

	if (ret)
		return ret;
	return state.up && (!state.is_port || state.port_state == BR_STATE_FORWARDING);
}
