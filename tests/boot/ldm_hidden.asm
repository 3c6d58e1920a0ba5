; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; A volume's boot sector that does as that of Windows does: what it loads lies where its BPB
; says that the volume is ("hidden sectors"), whatever a partition table says. It says on the
; serial line what the sector behind itself holds. With NEXT, it is that of a disk, and says
; that the firmware has come to it, because the disk before did not start.

bits 16
	org 0x7c00
	jmp short start
	nop
	db "NTFS    "
	dw 512
	times 0x1c - ($ - $$) db 0
hidden:	dd HIDDEN
	times 0x5a - ($ - $$) db 0

start:
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	jmp 0:.here
.here:
%ifdef NEXT
	mov si, text
	jmp print
%endif
	push dword 0            ; a packet: one sector to 0000:8000
	mov eax, [hidden]
	inc eax
	push eax
	push dword 0x8000
	push dword 0x00010010
	mov si, sp
	mov dl, 0x80
	mov ah, 0x42
	int 0x13
	jc end
	mov si, 0x8000
print:
	mov cx, 40
say:
	lodsb
	mov ah, al
	mov dx, 0x3fd
wait_:
	in al, dx
	test al, 0x20
	jz wait_
	mov dx, 0x3f8
	mov al, ah
	out dx, al
	loop say
end:
	hlt
	jmp end

text:	db "TRUST: the disk before did not start.   "

	times 510 - ($ - $$) db 0
	dw 0xaa55
