; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; What syslinux starts in the tests of LDM: by its header a Linux kernel (boot protocol 2.00,
; loaded low), by its code a sum over the payload that lies behind it, said on the serial line
; beside the sum that it should have, and where the active partition of 80h begins. The test
; writes payload and numbers.

PAYLOAD_SEG equ 0x1000          ; where a kernel that is loaded low is put

bits 16
	times 0x1f1 db 0
setup_sects:	db 1
root_flags:	dw 0
syssize:	dd PAYLOAD_BYTES / 16
ram_size:	dw 0
vid_mode:	dw 0
root_dev:	dw 0
boot_flag:	dw 0xaa55
	; 0x200
	jmp short start
	db "HdrS"
	dw 0x0200               ; protocol
	dd 0
	dw 0, 0                 ; start_sys, kernel_version
	db 0                    ; type_of_loader
loadflags:	db 0                    ; not LOADED_HIGH
	dw 0
	dd 0x100000
	dd 0, 0                 ; ramdisk
	dd 0

start:
	push cs                 ; 0x20 paragraphs behind the segment of the first sector
	pop ax
	sub ax, 0x20
	mov ds, ax
	cli
	mov ss, ax
	mov sp, 0x7ff0
	sti
	cld
	xor ebx, ebx            ; the sum of all dwords
	mov dx, PAYLOAD_SEG
	mov ebp, PAYLOAD_BYTES / 16
.paragraph:
	mov es, dx
	xor di, di
	mov cx, 4
.dword:
	rol ebx, 1
	add ebx, [es:di]
	add di, 4
	loop .dword
	inc dx
	dec ebp
	jnz .paragraph
	mov si, good
	cmp ebx, [sum]
	je .said
	mov si, bad
.said:
	push si                 ; last, when all of it is known
	call table
	pop si
	call say
.end:
	hlt
	jmp .end

; Where the active partition of 80h begins, by the table in its LBA 0: eight digits into text.
table:
	push ds
	pop es
	; INT 13h AH=02h: in: AL=count CX DX=place ES:BX=buffer
	mov ax, 0x0201
	mov bx, 0x6000
	mov cx, 1
	mov dx, 0x80
	int 0x13
	jc .text
	mov si, 0x6000 + 446
	mov cx, 4
.entry:
	cmp byte [si], 0x80
	je .active
	add si, 16
	loop .entry
	jmp .text
.active:
	mov ebx, [si + 8]
	mov di, digits
	mov cx, 8
.digit:
	rol ebx, 4
	mov al, bl
	and al, 15
	cmp al, 10
	sbb al, 0x69            ; to its hexadecimal digit
	das
	stosb
	loop .digit
.text:
	mov si, text
	call say
	ret

say:
	lodsb
	test al, al
	jz .done
	mov ah, al
	mov dx, 0x3fd           ; COM1: wait until it takes a character
.wait:
	in al, dx
	test al, 0x20
	jz .wait
	mov dx, 0x3f8
	mov al, ah
	out dx, al
	jmp say
.done:
	ret

sum:	dd 0x4d555321           ; the test finds this number, and writes the right one
text:	db 13, 10, "LDM-KERNEL: generation ", '0' + GENERATION, " active at "
digits:	db "????????h payload ", 0
good:	db "ok.", 13, 10, 0
bad:	db "BAD.", 13, 10, 0
	times 0x400 - ($ - $$) db 0
