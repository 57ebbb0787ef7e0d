# SPDX-License-Identifier: GPL-2.0-or-later
#
# A 32-bit program for x86-64 kernels, of which no library is needed: connects to 127.0.0.1 port 8000 and asks
# for a page. Its exit status is that of connect(): 0 when it worked.
	.globl _start
_start:
	movl $359, %eax		# socket(AF_INET, SOCK_STREAM, 0)
	movl $2, %ebx
	movl $1, %ecx
	xorl %edx, %edx
	int $0x80
	movl %eax, %esi
	movl $362, %eax		# connect(fd, address, 16)
	movl %esi, %ebx
	movl $address, %ecx
	movl $16, %edx
	int $0x80
	movl %eax, %edi
	movl $4, %eax		# write(fd, request, length)
	movl %esi, %ebx
	movl $request, %ecx
	movl $18, %edx
	int $0x80
	movl $3, %eax		# read(fd, answer, 64)
	movl %esi, %ebx
	movl $answer, %ecx
	movl $64, %edx
	int $0x80
	movl $1, %eax		# _exit(connect's result)
	movl %edi, %ebx
	int $0x80
	.data
address:
	.short 2
	.byte 0x1f, 0x40, 127, 0, 0, 1	# port 8000, 127.0.0.1
	.zero 8
request:
	.ascii "GET / HTTP/1.0\r\n\r\n"
	.bss
answer:
	.zero 64
	.section .note.GNU-stack, "", @progbits
