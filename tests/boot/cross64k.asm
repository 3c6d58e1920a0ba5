; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; Boot code of a disk: reads LBA 0 and three more sectors of 80h to a buffer that goes
; across a 64 KiB boundary, and says on COM1 what came of it: "CROSS: ok", or the error
; code's character after 'A' ("CROSS: J" is 09h), or "CROSS: other" for other bytes.

bits 16
	org 0x7c00

BUFFER_SEGMENT equ 0x1fe0       ; 1fe00h, 512 bytes below the boundary
COM1           equ 0x3f8

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	mov si, packet
	mov ah, 0x42
	mov dl, 0x80
	int 0x13
	jc .failed
	; LBA 0 lies at 7c00 as it was started: the same signature and table must have come
	mov ax, BUFFER_SEGMENT
	mov es, ax
	mov si, 0x7c00 + 440
	mov di, 440
	mov cx, 72
	repe cmpsb
	mov si, said_other
	jne .say
	mov si, said_ok
	jmp .say
.failed:
	add ah, 'A'
	mov [said_code], ah
	mov si, said
.say:
	lodsb
	test al, al
	jz $
	mov ah, al
	mov dx, COM1 + 5
.wait:
	in al, dx
	test al, 0x20
	jz .wait
	mov dx, COM1
	mov al, ah
	out dx, al
	jmp .say

packet:
	db 16, 0
	dw 4
	dw 0, BUFFER_SEGMENT
	dq 0
said_ok:
	db "CROSS: ok", 10, 0
said_other:
	db "CROSS: other", 10, 0
said:
	db "CROSS: "
said_code:
	db "?", 10, 0
	times 440 - ($ - $$) db 0
