; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; A door in front of a BIOS without EDD: AH=42h and 43h of the drives in its table
; become AH=02h and 03h, a track at a time. The resident part behind it knows only
; packets. It is copied to the top of base memory only where a disk needs it, so it
; runs at any segment, from offset 0.
;
; It serves the resident part alone, which never calls it from two places at once.

HEADS_DRIVES equ 32             ; SURVEY_DISKS

%define at(label) (label - chsdoor_image)

	global chsdoor_image
	global chsdoor_image_end

	section .rodata progbits alloc noexec nowrite
bits 16

chsdoor_image:
	jmp short go
	nop
	db "$INT13SF"           ; the "safe hook" structure, as at int13_entry
	db "MIRRCHS "
old:
	dd 0
	dd 0
; CHSDOOR_TABLE, stage2/chsdoor.c: sectors a track (0: not ours), last head, of each drive
table:
	times HEADS_DRIVES dw 0

go:
	pushad
	push es
	mov cl, ah
	sub cl, 0x42
	cmp cl, 1
	ja .pass
	sub dl, 0x80
	cmp dl, HEADS_DRIVES
	jae .pass
	movzx bx, dl
	add bx, bx
	mov bx, [cs:bx + at(table)]
	test bl, bl
	jz .pass
	add dl, 0x80
	mov [cs:at(geometry)], bx
	mov [cs:at(drive)], dl
	add cl, 2
	mov [cs:at(function)], cl
	cmp dword [si + 12], 0
	jne .refuse
	mov eax, [si + 8]
	mov [cs:at(lba)], eax
	mov ax, [si + 2]
	mov [cs:at(left)], ax
	mov eax, [si + 4]
	mov [cs:at(buffer)], eax

.next:
	movzx ebp, word [cs:at(left)]
	mov ah, 0
	test bp, bp
	jz .done
	movzx ecx, byte [cs:at(geometry)]
	movzx ebx, byte [cs:at(geometry) + 1]
	inc bx
	mov eax, [cs:at(lba)]
	xor edx, edx
	div ecx                 ; stage2 has tested: never 0
	sub cx, dx              ; as much as is left of the track
	cmp bp, cx
	jbe .part
	mov bp, cx
.part:
	mov [cs:at(part)], bp
	lea cx, [edx + 1]
	xor dx, dx
	div ebx                 ; EAX cylinder, DL head
	cmp eax, 1024
	jae .refuse
	mov ch, al
	shl ah, 6
	or cl, ah
	mov dh, dl
	mov dl, [cs:at(drive)]
	mov ax, bp
	mov ah, [cs:at(function)]
	les bx, [cs:at(buffer)]
	; INT 13h AH=02h, 03h: AL sectors, CH CL DH place, DL drive, ES:BX. Out: CF, AH
	pushf
	call far [cs:at(old)]
	cld
	jnc .good
	cmp ah, 0x11            ; the disk corrected an error: the data are good
	stc
	jne .done
.good:
	movzx eax, word [cs:at(part)]
	add [cs:at(lba)], eax
	sub [cs:at(left)], ax
	shl ax, 5
	add [cs:at(buffer) + 2], ax
	jmp .next

; Beyond what CHS reaches
.refuse:
	mov ah, 0x01
	stc
; AH and CF are the answer
.done:
	mov bp, sp              ; [bp] ES, [bp + 2] PUSHAD, [bp + 34] IP, CS, FLAGS
	mov [bp + 2 + 29], ah
	lahf
	and ah, 1
	and byte [bp + 38], 0xfe
	or [bp + 38], ah
	pop es
	popad
	iret

.pass:
	pop es
	popad
	jmp far [cs:at(old)]

	align 4
lba:	dd 0
buffer:	dd 0
left:	dw 0
part:	dw 0
geometry: dw 0
drive:	db 0
function: db 0
chsdoor_image_end:

	section .note.GNU-stack noalloc noexec nowrite progbits
