; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; The next loader of the fault matrix on BIOS: reads a field of records, each of which tells
; which leg and generation it is of, and tells on COM1 where which ones came from. Sector 0
; is boot code; it loads the rest out of the mirror, as a loader does that lies in /boot.
;
;   PROGRAM_LBA   sector of a drive where the rest lies, PROGRAM_BLOCKS long
;   FIELD_S512    sector of the disk where the field begins
;   FIELD_COUNT   its records
;   WRITE_S512    the record to write first, or -1
;                 what is written lies behind the program
;
; What is told: "OWN 80", where it was loaded from; "DRIVE 80", then runs "RUN a2 0000 012F":
; of leg a, generation 2. In place of those, "!!" can't be read, "??" are no records, or not
; those of this place. "FAIL 0100": a request that failed, and is made again sector by sector.

PROGRAM  equ 0x1000             ; segments
BUFFER   equ 0x2000
COM1     equ 0x3f8
AT_ONCE  equ 32                 ; sectors of 512 bytes a request
RECORD   equ 512
MAGIC    equ 0x5258544d         ; "MTXR"

bits 16

	section .boot start=0 vstart=0x7c00
	cli
	xor ax, ax
	mov ss, ax
	mov sp, 0x7c00
	mov ds, ax
	sti
	mov dl, 0x80
.drive:
	push dx
	mov si, load
	mov ah, 0x42
	int 0x13
	pop dx
	jc .next
	mov ax, PROGRAM
	mov es, ax
	cmp dword [es:4], MAGIC
	jne .next
	jmp PROGRAM:0
.next:
	mov word [load + 2], PROGRAM_BLOCKS
	inc dl
	cmp dl, 0x84
	jb .drive
	mov si, sorry
	mov dx, COM1
.say:
	lodsb
	test al, al
	jz $
	out dx, al
	jmp .say
sorry:	db 13, 10, "MATRIX: no program", 13, 10, "MATRIX: done", 13, 10, 0
	align 4
load:	dw 16, PROGRAM_BLOCKS, 0, PROGRAM
	dq PROGRAM_LBA

	times 512 - ($ - $$) db 0

	section .program start=512 vstart=0

	jmp short start
	nop
	nop
	dd MAGIC

%macro text 1+
	call say_here
	db %1, 0
%endmacro

start:
	cli
	mov ax, cs
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7000
	cld
	sti
	mov [own], dl
	text 13, 10, "MATRIX: started", 13, 10, "OWN "
	mov al, dl
	call hex_byte
	text 13, 10
	xor ax, ax
	mov fs, ax
	mov al, [fs:0x475]
	mov [drives], al
	mov byte [drive], 0x80
.drive:
	mov al, [drive]
	sub al, 0x80
	cmp al, [drives]
	jae .end
	text "DRIVE "
	mov al, [drive]
	call hex_byte
	text 13, 10
	call sector_size
	jc .next
%if WRITE_S512 >= 0
	mov al, [drive]
	cmp al, [own]
	jne .no_write
	call write
.no_write:
%endif
	call field
.next:
	inc byte [drive]
	jmp .drive
.end:
	text "MATRIX: done", 13, 10
	cli
	hlt

; [shift]: how often a sector holds 512 bytes, as a power of two. CF: no such drive.
sector_size:
	mov word [params], 30
	mov si, params
	mov dl, [drive]
	mov ah, 0x48
	int 0x13
	jc .end
	mov byte [shift], 0
	cmp word [params + 24], 4096
	jne .good
	mov byte [shift], 3
.good:
	clc
.end:
	ret

; AH=42h or 43h: [where] [count] in units of 512 bytes, to or from the buffer. CF: failed.
request:
	mov cl, [shift]
	mov edx, [where]
	shr edx, cl
	mov [packet + 8], edx
	mov dx, [count]
	shr dx, cl
	mov [packet + 2], dx
	mov si, packet
	mov dl, [drive]
	mov al, 0
	int 0x13
	ret

%if WRITE_S512 >= 0
write:
	mov dword [where], WRITE_S512
	mov word [count], 1
	mov cl, [shift]
	shl word [count], cl
	mov ax, BUFFER
	mov es, ax
	mov si, NEW_OFF
	xor di, di
	mov cx, RECORD
	shl cx, 3               ; as many as a large sector may need
	rep movsb
	push cs
	pop es
	mov ah, 0x43
	call request
	mov al, ah
	jc .failed
	text "WRITE ok", 13, 10
	ret
.failed:
	text "WRITE failed "
	call hex_byte
	text 13, 10
	ret
%endif

; The whole field: requests of AT_ONCE, one that fails again sector by sector.
field:
	mov dword [class], 0
	mov dword [record], 0
.next:
	mov eax, [record]
	cmp eax, FIELD_COUNT
	jae .end
	add eax, FIELD_S512
	mov [where], eax
	mov word [count], AT_ONCE
	mov ah, 0x42
	call request
	jc .failed
	xor bx, bx
	mov cx, AT_ONCE
.record:
	call look
	add bx, RECORD
	loop .record
	jmp .next
.failed:
	call end_run            ; so that all is told in order
	mov word [class], 0
	text "FAIL "
	mov ax, [record]
	call hex_word
	text 13, 10
	mov cx, AT_ONCE
.one:
	push cx
	mov eax, [record]
	add eax, FIELD_S512
	mov [where], eax
	mov word [count], 1
	mov cl, [shift]
	shl word [count], cl
	mov ah, 0x42
	call request
	pop cx
	mov ax, "!!"
	pushf
	movzx dx, byte [shift]
	xchg cx, dx
	mov si, 1
	shl si, cl
	mov cx, dx
	xor bx, bx
	popf
	jc .bad
.good:
	call look
	add bx, RECORD
	dec cx
	dec si
	jnz .good
	jmp .more
.bad:
	call count_it
	dec cx
	dec si
	jnz .bad
.more:
	test cx, cx
	jnz .one
	jmp .next
.end:
	jmp end_run

; The record at BUFFER:BX: is it whole, and that of this place? Keeps BX, CX, SI.
look:
	push cx
	push si
	push bx
	mov ax, BUFFER
	mov gs, ax
	mov si, bx
	xor eax, eax
	mov cx, RECORD / 4
.sum:
	add eax, [gs:si]
	add si, 4
	loop .sum
	mov edx, eax
	mov ax, "??"
	test edx, edx
	jnz .say
	cmp dword [gs:bx], MAGIC
	jne .say
	mov edx, [gs:bx + 8]
	cmp edx, [record]
	jne .say
	mov ax, [gs:bx + 4]
.say:
	pop bx
	pop si
	pop cx
; One more of class AX
count_it:
	cmp ax, [class]
	je .same
	push ax
	call end_run
	pop ax
	mov [class], ax
	mov edx, [record]
	mov [first], edx
.same:
	inc dword [record]
	ret

end_run:
	cmp word [class], 0
	je .none
	text "RUN "
	mov al, [class]
	call put
	mov al, [class + 1]
	call put
	text " "
	mov ax, [first]
	call hex_word
	text " "
	mov ax, [record]
	dec ax
	call hex_word
	text 13, 10
.none:
	ret

; The text behind the call, ended by a 0. Keeps all.
say_here:
	pushf
	push bp
	mov bp, sp
	push si
	push ax
	mov si, [bp + 4]
.next:
	mov al, [cs:si]
	inc si
	test al, al
	jz .end
	call put
	jmp .next
.end:
	mov [bp + 4], si
	pop ax
	pop si
	pop bp
	popf
	ret

put:
	push dx
	push ax
	mov dx, COM1 + 5
.wait:
	in al, dx
	test al, 0x20
	jz .wait
	mov dx, COM1
	pop ax
	out dx, al
	pop dx
	ret

hex_word:                       ; AX
	push ax
	mov al, ah
	call hex_byte
	pop ax
hex_byte:                       ; AL
	push ax
	shr al, 4
	call .digit
	pop ax
	and al, 0x0f
.digit:
	cmp al, 10
	sbb al, 0x69
	das
	jmp put

	align 4
where:	dd 0
record:	dd 0
first:	dd 0
class:	dd 0
count:	dw 0
drives:	db 0
drive:	db 0
own:	db 0                    ; what it was loaded from
shift:	db 0
	align 4
packet:	dw 16, 0, 0, BUFFER
	dq 0
params:	times 32 db 0

	align 512
NEW_OFF:
