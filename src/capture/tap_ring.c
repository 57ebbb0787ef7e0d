// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A TPACKET_V3 ring; see tap_ring.h.
 *
 * Kernel facts: net/packet/af_packet.c. tpacket_rcv() copies as many bytes as the socket's (classic BPF)
 * filter returns; fanout_demux_cpu() chooses the socket of a group by smp_processor_id() modulo
 * their number, in the order in which they joined; prb_close_block() sets TP_STATUS_LOSING.
 */
#include "capture/tap_ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/tap_record.h"

#define RING_BYTES_MIN (64u << 10)
#define BLOCKS 32
/* Only the kernel's sanity checks look at it: frames of a V3 ring have no fixed size. */
#define FRAME_BYTES 512

static int set_ring(struct tap_ring *ring, u32 ring_bytes, u32 retire_ms)
{
	u32 page = (u32)sysconf(_SC_PAGESIZE), block = page;
	struct tpacket_req3 req = { .tp_retire_blk_tov = retire_ms, .tp_frame_size = FRAME_BYTES };

	while (block * 2 * BLOCKS <= ring_bytes)
		block *= 2;
	req.tp_block_size = block;
	req.tp_block_nr = ring_bytes / block < 4 ? 4 : ring_bytes / block;
	req.tp_frame_nr = block / FRAME_BYTES * req.tp_block_nr;
	if (setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)))
		return -errno;
	ring->block_bytes = block;
	ring->nr_blocks = req.tp_block_nr;
	return 0;
}

static int set_up(struct tap_ring *ring, u32 ring_bytes, u32 retire_ms)
{
	struct sock_filter snap = BPF_STMT(BPF_RET | BPF_K, TAP_SNAP_BYTES);
	struct sock_fprog program = { 1, &snap };
	int version = TPACKET_V3, ret;

	if (setsockopt(ring->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(ring->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		return -errno;
	do {
		ret = set_ring(ring, ring_bytes, retire_ms);
		ring_bytes /= 2;
	} while (ret == -ENOMEM && ring_bytes >= RING_BYTES_MIN);
	if (ret)
		return ret;
	ring->map = mmap(NULL, (size_t)ring->block_bytes * ring->nr_blocks, PROT_READ | PROT_WRITE,
			 MAP_SHARED, ring->fd, 0);
	if (ring->map == MAP_FAILED) {
		ring->map = NULL;
		return -errno;
	}
	return 0;
}

/* A number that nobody else uses is chosen by the kernel for the first of a group: 0 for the first since it was booted. */
static int join(struct tap_ring *ring, int *group)
{
	bool first = *group < 0;
	int arg = (first ? 0 : *group) | PACKET_FANOUT_CPU << 16;
	socklen_t len = sizeof(arg);

	if (first)
		arg |= PACKET_FANOUT_FLAG_UNIQUEID << 16;
	if (setsockopt(ring->fd, SOL_PACKET, PACKET_FANOUT, &arg, sizeof(arg)))
		return -errno;
	if (!first)
		return 0;
	if (getsockopt(ring->fd, SOL_PACKET, PACKET_FANOUT, &arg, &len))
		return -errno;
	*group = arg & 0xffff;
	return 0;
}

int tap_ring_open(struct tap_ring *ring, u32 ring_bytes, u32 retire_ms, int *group,
		  struct error *err)
{
	struct sockaddr_ll all = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int ret;

	memset(ring, 0, sizeof(*ring));
	/* Protocol 0: nothing comes in before all is set up. */
	ring->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ring->fd < 0)
		return error_errno(err, errno, "cannot open a packet socket%s",
				   errno == EPERM ? " (--tap needs CAP_NET_RAW)" : "");
	ret = set_up(ring, ring_bytes, retire_ms);
	if (!ret && bind(ring->fd, (struct sockaddr *)&all, sizeof(all)))
		ret = -errno;
	if (!ret && group)
		ret = join(ring, group);
	if (!ret)
		return 0;
	tap_ring_close(ring);
	return error_errno(err, -ret, "cannot set up a packet socket with a ring");
}

void tap_ring_close(struct tap_ring *ring)
{
	if (ring->map)
		munmap(ring->map, (size_t)ring->block_bytes * ring->nr_blocks);
	if (ring->fd >= 0)
		close(ring->fd);
	ring->map = NULL;
	ring->fd = -1;
}

static struct tpacket_block_desc *block_at(const struct tap_ring *ring)
{
	return (struct tpacket_block_desc *)(ring->map + (size_t)ring->block * ring->block_bytes);
}

static bool open_block(struct tap_ring *ring)
{
	struct tpacket_hdr_v1 *head = &block_at(ring)->hdr.bh1;
	u32 status = __atomic_load_n(&head->block_status, __ATOMIC_ACQUIRE);

	if (!(status & TP_STATUS_USER))
		return false;
	ring->left = head->num_pkts;
	ring->offset = head->offset_to_first_pkt;
	ring->lost = status & TP_STATUS_LOSING;
	if (ring->lost) {
		struct tpacket_stats_v3 stats;
		socklen_t len = sizeof(stats);

		/* Reading the count is what ends that status. */
		getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	}
	return true;
}

static void close_block(struct tap_ring *ring)
{
	struct tpacket_hdr_v1 *head = &block_at(ring)->hdr.bh1;

	__atomic_store_n(&head->block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	ring->block = (ring->block + 1) % ring->nr_blocks;
	ring->left = 0;
}

static void read_frame(const struct tpacket3_hdr *h, struct tap_frame *f)
{
	const struct sockaddr_ll *from;

	from = (const void *)((const u8 *)h + TPACKET_ALIGN(sizeof(*h)));
	f->realtime_ns = (u64)h->tp_sec * NSEC_PER_SEC + h->tp_nsec;
	f->bytes = (const u8 *)h + h->tp_mac;
	f->snap_bytes = h->tp_snaplen < TAP_SNAP_BYTES ? h->tp_snaplen : TAP_SNAP_BYTES;
	f->len_bytes = h->tp_len;
	f->link_bytes = (u16)(h->tp_net - h->tp_mac);
	f->ifindex = (u32)from->sll_ifindex;
	f->hatype = from->sll_hatype;
	f->protocol = ntohs(from->sll_protocol);
	f->vlan_tci = (u16)h->hv1.tp_vlan_tci;
	f->vlan_type = h->hv1.tp_vlan_tpid;
	f->flags = (u16)((from->sll_pkttype == PACKET_OUTGOING ? TAP_OUTGOING : 0) |
			 (h->tp_status & TP_STATUS_TS_SOFTWARE ? TAP_STAMPED_EARLIER : 0) |
			 (h->tp_status & TP_STATUS_VLAN_VALID ? TAP_TAGGED : 0));
}

bool tap_ring_next(struct tap_ring *ring, struct tap_frame *frame)
{
	const struct tpacket3_hdr *h;

	/* A block whose last frame was handed out stays ours until now. */
	while (!ring->left) {
		if (ring->offset) {
			ring->offset = 0;
			close_block(ring);
		}
		if (!open_block(ring))
			return false;
		if (!ring->left)
			ring->offset = 1; /* an empty one */
	}
	h = (const void *)((const u8 *)block_at(ring) + ring->offset);
	read_frame(h, frame);
	if (ring->lost)
		frame->flags |= TAP_LOST;
	ring->lost = false;
	ring->offset += h->tp_next_offset;
	if (!--ring->left)
		ring->offset = 1;
	return true;
}
