; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; A drive that has one sector: the partition table that stage2 has made up for a volume
; whose own disk has none that fits. All its other sectors are zeros. It answers AH=42h of
; its number, in front of the BIOS, for the resident part behind it, to which it is a disk
; like others. Copied to the top of base memory only where it is needed, so it runs at any
; segment, from offset 0; the sector lies at TABLEDOOR_SECTOR.

TABLEDOOR_DRIVE  equ 0xfd       ; stage2/tabledoor.h
TABLEDOOR_SECTOR equ 512        ; stage2/tabledoor.c
SECTOR_WORDS     equ 256

%define at(label) (label - tabledoor_image)

	global tabledoor_image
	global tabledoor_image_end

	section .rodata progbits alloc noexec nowrite
bits 16

tabledoor_image:
	jmp short go
	nop
	db "$INT13SF"           ; the "safe hook" structure, as at int13_entry
	db "MIRRTABL"
old:
	dd 0
	dd 0

go:
	cmp dl, TABLEDOOR_DRIVE
	jne .pass
	cmp ah, 0x42            ; DS:SI: the packet, of 16 bytes: the resident part's own
	jne .pass
	pushad
	push ds
	push es
	mov bx, [si + 2]
	mov edx, [si + 8]
	les di, [si + 4]
	push cs
	pop ds
	cld
.next:
	sub bx, 1
	jc .done
	mov cx, SECTOR_WORDS
	test edx, edx
	jnz .zeros
	mov si, TABLEDOOR_SECTOR
	rep movsw
	jmp .one
.zeros:
	xor ax, ax
	rep stosw
.one:
	inc edx
	jmp .next
.done:
	pop es
	pop ds
	popad
	mov ah, 0
	push bp
	mov bp, sp              ; [bp] BP, [bp + 2] IP, CS, FLAGS
	and byte [bp + 6], 0xfe ; no carry
	pop bp
	iret

.pass:
	jmp far [cs:at(old)]
tabledoor_image_end:

	section .note.GNU-stack noalloc noexec nowrite progbits
