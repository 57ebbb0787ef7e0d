// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a window: nothing is read outside, and what is printed is printable.
 *
 * The first bytes of the input are the window's numbers, the rest are its bytes. With clang's
 * -fsanitize=fuzzer this file is all that it needs; with -DFUZZ_DRIVER it has a main() that changes
 * the files named on its command line, for so many seconds: fuzz_packet SECONDS SEED FILE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/strbuf.h"
#include "decode/packet_text.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

enum {
	NUMBERS = 16,
};

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_packet: %s\n", what);
	abort();
}

static void check_text(const struct packet *p)
{
	static struct strbuf sb;

	sb.len = 0;
	packet_describe(&sb, p);
	check(sb.len > 0, "a packet without words");
	for (size_t i = 0; i < sb.len; i++)
		check(sb.data[i] >= 0x20 && sb.data[i] < 0x7f, "a byte that is no ASCII text");
}

static void check_packet(const struct packet *p, const struct packet *again)
{
	check(!memcmp(p, again, sizeof(*p)), "what was in the struct before shows");
	check(p->nr_nets <= PACKET_NETS && p->nr_vlans <= PACKET_VLANS, "too many headers");
	for (u8 i = 0; i < PACKET_NETS; i++) {
		check(i < p->nr_nets || !p->net[i].part, "a header that is not counted");
		check(i + 1 >= p->nr_nets || p->net[i].part == PART_OK, "a hole in the headers");
	}
	check_text(p);
}

static u16 number16(const u8 *data)
{
	return (u16)(data[0] | data[1] << 8);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct packet p, again;
	struct skb_window w = { 0 };
	u8 *bytes;
	s32 at;

	if (size < NUMBERS)
		return 0;
	/* Memory of its own, so that a sanitizer sees where it ends. */
	w.len_bytes = (u32)(size - NUMBERS);
	bytes = malloc(w.len_bytes + !w.len_bytes);
	check(bytes, "no memory");
	memcpy(bytes, data + NUMBERS, w.len_bytes);
	w.bytes = bytes;
	w.head = 0xffff888000000000ULL;
	w.data = w.head + number16(data);
	w.before = number16(data + 2);
	w.network = number16(data + 4);
	w.mac = number16(data + 6);
	w.transport = number16(data + 8);
	w.protocol = number16(data + 10);
	w.skb_len = number16(data + 12);
	w.at = data[14] % (AT_NETWORK_NEW + 1);
	w.tag_known = data[15] & 2;
	w.tagged = data[15] & 4;
	w.tag = number16(data + 12);
	memset(&p, 0, sizeof(p));
	memset(&again, 0xff, sizeof(again));
	packet_parse(&p, &w);
	packet_parse(&again, &w);
	check_packet(&p, &again);
	at = packet_net_offset(&w);
	check(at >= -1 && at < (s32)w.len_bytes, "a network header outside");
	at = packet_link_offset(&w);
	check(at >= -1 && at < (s32)w.len_bytes, "a link header outside");
	packet_parse_bytes(&p, bytes, w.len_bytes, data[15] & 1 ? w.protocol : 0);
	packet_parse_bytes(&again, bytes, w.len_bytes, data[15] & 1 ? w.protocol : 0);
	check_packet(&p, &again);
	free(bytes);
	return 0;
}

#ifdef FUZZ_DRIVER

static u64 state;

static u32 next_random(void)
{
	/* Knuth's 64-bit linear congruential generator: the same seed, the same inputs. */
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(state >> 33);
}

static size_t changed(u8 *data, size_t size, size_t room)
{
	static const u8 hostile[] = { 0, 1, 4, 6, 0x0f, 0x45, 0x7f, 0x80, 0xff };

	for (u32 changes = 1 + next_random() % 4; changes && size; changes--) {
		switch (next_random() % 5) {
		case 0:
			data[next_random() % size] ^= (u8)(1 << next_random() % 8);
			break;
		case 1:
			data[next_random() % size] = hostile[next_random() % sizeof(hostile)];
			break;
		case 2:
			data[next_random() % NUMBERS] = (u8)next_random();
			break;
		case 3:
			size = NUMBERS + next_random() % (size - NUMBERS + 1);
			break;
		default:
			if (2 * size <= room && size > NUMBERS) {
				memcpy(data + size, data + NUMBERS, size - NUMBERS);
				size += size - NUMBERS;
			}
		}
	}
	return size;
}

static size_t read_seed(const char *path, u8 *data, size_t room)
{
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, room, file);
	fclose(file);
	return size;
}

int main(int argc, char **argv)
{
	static u8 seeds[128][1024], data[1024];
	size_t sizes[128], nr = 0, size;
	unsigned long runs = 0;
	time_t end;

	if (argc < 4 || argc > 3 + 128) {
		fprintf(stderr, "Usage: fuzz_packet SECONDS SEED FILE...\n");
		return 2;
	}
	state = strtoull(argv[2], NULL, 10);
	for (; nr + 3 < (size_t)argc; nr++) {
		sizes[nr] = read_seed(argv[nr + 3], seeds[nr], sizeof(seeds[nr]));
		LLVMFuzzerTestOneInput(seeds[nr], sizes[nr]);
	}
	for (end = time(NULL) + atoi(argv[1]); time(NULL) < end;) {
		for (int i = 0; i < 1000; i++, runs++) {
			size = next_random() % nr;
			memcpy(data, seeds[size], sizes[size]);
			LLVMFuzzerTestOneInput(data, changed(data, sizes[size], sizeof(data)));
		}
	}
	printf("%lu windows read\n", runs);
	return 0;
}

#endif
