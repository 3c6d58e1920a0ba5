; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; A next loader that asks INT 13h itself and tells on COM1 what came back; what is right
; is known to tests/boot/test_int13.py. Sector 0 is boot code, which loads the rest from
; where it lies on 80h (-DFIRST_LBA=n) and starts it.
;
; It starts the machine's boot again several times: which round this is, is counted in
; 40:F0, which is there for programs to talk to each other, and which nobody clears.
;
;   1  everything below, then INT 19h
;   2  a program hooks INT 13h after us, in memory of its own, then INT 19h
;   3  LBA 0 of 80h is read and started
;   4  INT 18h, which comes back here by way of a vector that we have changed

PROGRAM  equ 0x1000             ; segments
BUFFER   equ 0x2000             ; up to 0x5000
SMALL    equ 0x6000             ; a stack at its start, guards at its end
PACKETS  equ 0x7000
PACKETS_OFF equ 16              ; room for the one that wraps
SECTORS  equ 15                 ; of this program
COM1     equ 0x3f8
ROUND    equ 0x4f0
MAGIC    equ 0x4b48             ; "HK"
HIGH     equ 0x00200000         ; a flat address above 1 MiB

; struct resident_old, from the hook's first byte on
OLD_INT13 equ 19
OLD_INT15 equ 27
OLD_INT18 equ 31
OLD_KIB   equ 39

bits 16

	section .boot start=0 vstart=0x7c00
	cli
	xor ax, ax
	mov ss, ax
	mov sp, 0x7c00
	mov ds, ax
	sti
	mov [ROUND + 4], dl
	; INT 13h AH=42h: in: DL=drive DS:SI=packet. out: CF, AH
	mov si, load
	mov ah, 0x42
	int 0x13
	jc $
	jmp PROGRAM:0
	align 4
load:	dw 16, SECTORS, 0, PROGRAM
	dq FIRST_LBA

	times 440 - ($ - $$) db 0
	times 512 - ($ - $$) db 0

	section .program start=512 vstart=0

; One call: registers in, registers out. Everything but the name is as INT 13h gets it.
	struc call_
.name:	resb 8
.flags:	resw 1
.ss:	resw 1
.esp:	resd 1
.eax:	resd 1
.ebx:	resd 1
.ecx:	resd 1
.edx:	resd 1
.esi:	resd 1
.edi:	resd 1
.ebp:	resd 1
.ds:	resw 1
.es:	resw 1
.fs:	resw 1
.gs:	resw 1
	endstruc
CALL_REGS_BYTES equ call__size - call_.flags

; Behind the program, in memory only
sector    equ SECTORS * 512     ; a sector of what was read
stack_top equ sector + 512 + 2048

%macro text 1+
	call say_here
	db %1, 0
%endmacro
%macro show 2                   ; a name, and a dword
	text %1, "="
	mov eax, %2
	call hex
	text 13, 10
%endmacro

start:
	cli
	mov ax, cs
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov esp, stack_top
	cld
	sti
	xor ax, ax
	mov fs, ax              ; low memory, in all that follows
	cmp word [fs:ROUND], MAGIC
	je .again
	mov word [fs:ROUND], MAGIC
	mov word [fs:ROUND + 2], 0
.again:
	inc word [fs:ROUND + 2]
	movzx eax, word [fs:ROUND + 2]
	mov [round], eax
	text 13, 10
	show "hk: round", [round]
	movzx eax, word [fs:0x413]
	mov [value], eax
	show "kib", [value]
	show "vector", [fs:0x13 * 4]
	movzx eax, byte [fs:0x475]
	mov [value], eax
	show "drives", [value]
	movzx eax, byte [fs:ROUND + 4]
	mov [value], eax
	show "dl", [value]
	cmp word [round], 2
	jb round1
	je round2
	cmp word [round], 3
	je round3
	jmp round4

; ---- the first round ------------------------------------------------------------------------

round1:
	call header
	call memory
	call table
	call reads
	call upkeep
	call nesting
	text "hk: INT 19h", 13, 10
	int 0x19
	jmp $

; The hook's first 27 bytes, and what was there before it.
header:
	call point_es_at_hook
	text "header="
	mov cx, 27
	mov bx, di
.byte:
	mov al, [es:bx]
	inc bx
	call hex_byte
	loop .byte
	text 13, 10
	movzx eax, word [es:di + OLD_KIB]
	mov [value], eax
	show "old kib", [value]
	ret

point_es_at_hook:               ; ES:DI
	les di, [fs:0x13 * 4]
	ret

; INT 12h and every record of INT 15h E820h, twice: the second time a BIOS under our hook has
; records of 24 bytes.
memory:
	int 0x12
	movzx eax, ax
	mov [value], eax
	show "int 12h", [value]
	call e820
	call point_es_at_hook
	mov eax, [es:di + OLD_INT15]
	push eax
	mov word [es:di + OLD_INT15], fake15
	mov [es:di + OLD_INT15 + 2], cs
	call e820
	call point_es_at_hook
	pop dword [es:di + OLD_INT15]
	ret

fake15:
	push bp
	mov bp, sp
	and byte [bp + 6], 0xfe
	pop bp
	mov dword [es:di], 0
	mov dword [es:di + 4], 0
	mov dword [es:di + 8], 0xa0000
	mov dword [es:di + 12], 0
	mov dword [es:di + 16], 1
	mov dword [es:di + 20], 0x11223344
	mov ecx, 24
	xor ebx, ebx
	mov eax, 0x534d4150
	iret

e820:
	xor ebx, ebx
.next:
	push cs
	pop es
	mov di, record
	mov cx, 24
	mov al, 0xee
	rep stosb
	mov di, record
	mov eax, 0xe820
	mov ecx, 24
	mov edx, 0x534d4150
	int 0x15
	jc .end
	text "e820="
	push ecx
	mov si, record
	mov cx, 24
.byte:
	lodsb
	call hex_byte
	loop .byte
	pop ecx
	text " "
	mov eax, ecx
	call hex
	text 13, 10
	test ebx, ebx
	jnz .next
.end:
	text "e820 end", 13, 10
	ret

; ---- single calls, all registers ----------------------------------------------------------------

table:
	mov ax, PACKETS
	mov es, ax
	mov si, packets
	mov di, PACKETS_OFF
	mov cx, packets_end - packets
	rep movsb
	mov si, packet_one      ; and one around the end of the segment
	mov di, 0xfff8
	mov cx, 16
	rep movsb               ; DI wraps
	mov bx, calls
.next:
	call one_call
	add bx, call__size
	cmp bx, calls_end
	jb .next

	text "edd="
	mov ax, PACKETS
	mov es, ax
	mov di, packet_edd - packets + PACKETS_OFF
	mov cx, 32
.byte:
	mov al, [es:di]
	inc di
	call hex_byte
	loop .byte
	text 13, 10
	mov ax, SMALL           ; what is left below the small stack: nothing was to go there
	mov es, ax
	mov di, 0xf000
	mov cx, 0x1000
	mov al, 0x6b
	repe scasb
	setne al
	movzx eax, al
	mov [value], eax
	show "small stack overrun", [value]
	ret

; The call at BX, and its answer on one line. Keeps BX.
one_call:
	mov ax, SMALL
	mov es, ax
	cmp bx, calls
	jne .guarded
	mov di, 0xf000
	mov cx, 0x1000
	mov al, 0x6b
	rep stosb
.guarded:
	push cs
	pop es
	push bx
	push fs
	mov [own_sp], sp
	lea si, [bx + call_.flags]
	mov di, in_regs
	mov cx, CALL_REGS_BYTES
	rep movsb
	call do_int13
	mov ss, [cs:own_ss]
	mov sp, [cs:own_sp]
	mov ax, cs
	mov ds, ax
	mov es, ax
	cld
	sti
	pop fs
	pop bx

	text "call "
	mov si, bx
	mov cx, 8
.letter:
	lodsb
	call put
	loop .letter
	mov si, out_regs
	mov cx, CALL_REGS_BYTES
.byte:
	lodsb
	call hex_byte
	loop .byte
	text 13, 10
	ret

; Registers from in_regs, INT 13h, registers to out_regs: in the order of struc call_. Returns
; with all registers as INT 13h left them; not on the stack, which is another.
do_int13:
	pop word [return_to]
	mov [own_ss], ss
	mov ss, [in_regs + call_.ss - call_.flags]
	mov esp, [in_regs + call_.esp - call_.flags]
	mov eax, [in_regs + call_.eax - call_.flags]
	mov ebx, [in_regs + call_.ebx - call_.flags]
	mov ecx, [in_regs + call_.ecx - call_.flags]
	mov edx, [in_regs + call_.edx - call_.flags]
	mov esi, [in_regs + call_.esi - call_.flags]
	mov edi, [in_regs + call_.edi - call_.flags]
	mov ebp, [in_regs + call_.ebp - call_.flags]
	mov es, [in_regs + call_.es - call_.flags]
	mov fs, [in_regs + call_.fs - call_.flags]
	mov gs, [in_regs + call_.gs - call_.flags]
	push word [in_regs]
	mov ds, [in_regs + call_.ds - call_.flags]
	popf
	int 0x13
	pushf
	pop word [cs:out_regs]
	mov [cs:out_regs + call_.ss - call_.flags], ss
	mov [cs:out_regs + call_.esp - call_.flags], esp
	mov [cs:out_regs + call_.eax - call_.flags], eax
	mov [cs:out_regs + call_.ebx - call_.flags], ebx
	mov [cs:out_regs + call_.ecx - call_.flags], ecx
	mov [cs:out_regs + call_.edx - call_.flags], edx
	mov [cs:out_regs + call_.esi - call_.flags], esi
	mov [cs:out_regs + call_.edi - call_.flags], edi
	mov [cs:out_regs + call_.ebp - call_.flags], ebp
	mov [cs:out_regs + call_.ds - call_.flags], ds
	mov [cs:out_regs + call_.es - call_.flags], es
	mov [cs:out_regs + call_.fs - call_.flags], fs
	mov [cs:out_regs + call_.gs - call_.flags], gs
	jmp [cs:return_to]

; ---- reads of many sizes to many places -----------------------------------------------------------

; For each: LBA, count, and the sum of what came.
reads:
	call point_es_at_hook   ; look at what the BIOS is asked for meanwhile
	mov [hook], es
	mov eax, [es:di + OLD_INT13]
	mov [bios13], eax
	mov word [es:di + OLD_INT13], spy
	mov [es:di + OLD_INT13 + 2], cs
	mov bx, read_list
.next:
	mov eax, [bx + 4]
	cmp word [bx], 0
	je .end
	mov [dap_lba], eax
	mov ax, [bx]
	mov [dap_count], ax
	mov eax, [bx + 8]
	mov [dap_buffer], eax
	mov eax, [bx + 12]
	mov [dap_flat], eax
	mov byte [dap], 24
	push bx
	; INT 13h AH=42h: in: DL=drive DS:SI=packet. out: CF, AH
	mov si, dap
	mov dl, 0x80
	mov ah, 0x42
	int 0x13
	pop bx
	mov al, 0
	adc al, 0
	mov [value], ax
	mov word [value + 2], 0
	text "read "
	mov eax, [bx + 4]
	call hex
	text " "
	movzx eax, word [bx]
	call hex
	text " "
	mov eax, [value]
	call hex
	text " "
	movzx eax, word [dap_count]
	call hex
	text " "
	call sum
	call hex
	text 13, 10
	add bx, 16
	jmp .next
.end:
	call point_es_at_hook
	mov eax, [bios13]
	mov [es:di + OLD_INT13], eax
	show "BIOS reads", [spy_reads]
	show "BIOS reads across 64 KiB", [spy_across]
	show "BIOS reads on the hook's stack", [spy_stack]
	show "BIOS reads with other drives", [spy_drives]
	ret

; Between the hook and the BIOS, in `reads`.
spy:
	pushf
	pushad
	push es
	inc dword [cs:spy_reads]
	mov bx, ss
	cmp bx, [cs:hook]
	jne .stack_fine
	inc dword [cs:spy_stack]
.stack_fine:
	xor bx, bx
	mov es, bx
	cmp byte [es:0x475], 2
	je .drives_fine
	inc dword [cs:spy_drives]
.drives_fine:
	movzx eax, word [si + 6]
	shl eax, 4
	movzx ecx, word [si + 4]
	add eax, ecx
	movzx eax, ax
	movzx ecx, word [si + 2]
	cmp cx, 1               ; a sector can't be cut
	je .place_fine
	shl ecx, 9
	add eax, ecx
	cmp eax, 0x10000
	jbe .place_fine
	inc dword [cs:spy_across]
.place_fine:
	pop es
	popad
	popf
	jmp far [cs:bios13]

; EAX: of all dwords of the buffer of the read at BX, each added to the sum turned by one bit.
sum:
	movzx ecx, word [bx]
	movzx eax, word [bx + 10]
	shl eax, 4
	movzx edx, word [bx + 8]
	add eax, edx
	cmp dword [bx + 8], 0xffffffff
	jne .place
	mov eax, [bx + 12]
.place:
	xor ebp, ebp
.sector:
	push ecx
	push eax
	call fetch
	mov si, sector
	mov cx, 128
.dword:
	lodsd
	rol ebp, 1
	add ebp, eax
	loop .dword
	pop eax
	pop ecx
	add eax, 512
	dec cx
	jnz .sector
	mov eax, ebp
	ret

; 512 bytes from the linear address EAX to `sector`. INT 15h AH=87h: in: CX=words ES:SI=table
fetch:
	push cs
	pop es
	mov [moves + 18], ax
	shr eax, 16
	mov [moves + 20], al
	mov [moves + 23], ah
	mov eax, PROGRAM * 16 + sector
	mov [moves + 26], ax
	shr eax, 16
	mov [moves + 28], al
	mov si, moves
	mov cx, 256
	mov ah, 0x87
	push bx
	push bp
	int 0x15
	pop bp
	pop bx
	ret

; ---- 40:74 and 40:75 ------------------------------------------------------------------------------

upkeep:
	mov byte [fs:0x475], 7
	mov ah, 0x15
	mov dl, 0x80
	int 0x13
	movzx eax, byte [fs:0x475]
	mov [value], eax
	show "drives after 7", [value]
	mov ah, 0x22            ; no such function
	mov dl, 0x80
	int 0x13
	movzx eax, byte [fs:0x474]
	mov [value], eax
	show "status", [value]
	mov ah, 0x01            ; which asks for it, and ends it
	mov dl, 0x80
	int 0x13
	movzx eax, ah
	mov [value], eax
	show "last", [value]
	ret

; ---- a call from inside a call --------------------------------------------------------------------

; Read for up to 8 s, until the clock has come in the middle of a call three times.
nesting:
	mov eax, [fs:0x1c * 4]
	mov [old_tick], eax
	cli
	mov word [fs:0x1c * 4], tick
	mov [fs:0x1c * 4 + 2], cs
	sti
	mov ebx, [fs:0x46c]
	add ebx, 8 * 18
.next:
	mov dword [dap_lba], FIRST_LBA
	mov word [dap_count], 127
	mov dword [dap_buffer], BUFFER << 16
	mov byte [dap], 16
	mov si, dap
	mov dl, 0x80
	mov ah, 0x42
	int 0x13
	jc .end
	inc dword [nest_reads]
	cmp dword [nest_bios], 3
	jae .end
	cmp [fs:0x46c], ebx
	jb .next
.end:
	setc al
	movzx eax, al
	mov [value], eax
	cli
	mov eax, [old_tick]
	mov [fs:0x1c * 4], eax
	sti
	show "nested failed", [value]
	show "nested reads", [nest_reads]
	show "nested to the BIOS", [nest_bios]
	show "nested to us", [nest_us]
	ret

; INT 13h AH=08h: DL: the number of disks, which we and the BIOS do not agree on.
tick:
	pushad
	push es
	push ds
	push cs
	pop ds
	mov ah, 8
	mov dl, 0x80
	xor di, di
	mov es, di
	int 0x13
	cmp dl, 2
	je .bios
	inc dword [nest_us]
	jmp .end
.bios:
	inc dword [nest_bios]
.end:
	pop ds
	pop es
	popad
	jmp far [cs:old_tick]

; ---- the other rounds -----------------------------------------------------------------------------

; A program that goes resident after us, and keeps to the structure.
round2:
	call header
	dec word [fs:0x413]
	mov ax, [fs:0x413]
	shl ax, 6
	mov es, ax
	mov si, tsr
	xor di, di
	mov cx, tsr_end - tsr
	rep movsb
	mov eax, [fs:0x13 * 4]
	mov [es:tsr_old - tsr], eax
	cli
	mov word [fs:0x13 * 4], 0
	mov [fs:0x13 * 4 + 2], es
	sti
	text "hk: INT 19h", 13, 10
	int 0x19
	jmp $

tsr:
	jmp short .go
	nop
	db "$INT13SF"
	db "HK TSR  "
tsr_old equ $
	dd 0
	dd 0
.go:
	jmp far [cs:tsr_old - tsr]
tsr_end:

round3:
	call look_behind_tsr
	xor ax, ax
	mov es, ax
	mov ax, 0x0201
	mov cx, 1
	mov dx, 0x80
	mov bx, 0x7c00
	int 0x13
	jc $
	text "hk: own MBR again", 13, 10
	mov dx, 0x80
	jmp 0:0x7c00

; Is what the program keeps as the vector before it still ours, and does it answer?
look_behind_tsr:
	les di, [fs:0x13 * 4]
	les di, [es:tsr_old - tsr]
	mov eax, [es:di + 11]
	mov [value], eax
	show "behind it", [value]
	ret

; The program is taken out again; INT 18h then goes where the BIOS's was: to here.
round4:
	call look_behind_tsr
	les di, [fs:0x13 * 4]
	mov eax, [es:tsr_old - tsr]
	mov [fs:0x13 * 4], eax
	call header
	call point_es_at_hook
	mov eax, [es:di + OLD_INT13]
	mov [value], eax
	mov word [es:di + OLD_INT18], gave_up
	mov [es:di + OLD_INT18 + 2], cs
	int 0x18
	jmp $

gave_up:
	mov ax, cs
	mov ds, ax
	xor eax, eax
	mov fs, ax
	mov eax, [value]
	sub eax, [fs:0x13 * 4]
	mov [value], eax
	show "INT 18h: vector off by", [value]
	movzx eax, word [fs:0x413]
	mov [value], eax
	show "INT 18h: kib", [value]
	movzx eax, byte [fs:0x475]
	mov [value], eax
	show "INT 18h: drives", [value]
	text "hk: done", 13, 10
	cli
	hlt

; ---- the serial line --------------------------------------------------------------------------------

; The text behind the call, ended by a 0. Keeps all but FLAGS.
say_here:
	push bp
	mov bp, sp
	push si
	push ax
	mov si, [bp + 2]
.next:
	mov al, [cs:si]
	inc si
	test al, al
	jz .end
	call put
	jmp .next
.end:
	mov [bp + 2], si
	pop ax
	pop si
	pop bp
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

hex:                            ; EAX
	push cx
	mov cx, 4
.byte:
	rol eax, 8
	call hex_byte
	loop .byte
	pop cx
	ret

hex_byte:                       ; AL; keeps EAX
	push ax
	aam 16                  ; AH = high digit, AL = low one
	push ax
	mov al, ah
	call .digit
	pop ax
	call .digit
	pop ax
	ret
.digit:
	cmp al, 10
	sbb al, 0x69
	das
	jmp put

; ---- data -------------------------------------------------------------------------------------------

	align 4
round:	dd 0
value:	dd 0
own_ss:	dw 0
own_sp:	dw 0
return_to: dw 0
	align 4
old_tick: dd 0
bios13: dd 0
spy_reads: dd 0
spy_across: dd 0
spy_stack: dd 0
spy_drives: dd 0
hook:	dw 0
	align 4
nest_reads: dd 0
nest_bios: dd 0
nest_us: dd 0
dap:	dw 24
dap_count: dw 0
dap_buffer: dd 0
dap_lba: dq 0
dap_flat: dq 0
moves:	times 2 dq 0
	dq 0x000093000000ffff
	dq 0x000093000000ffff
	times 2 dq 0

; Copied to PACKETS:PACKETS_OFF.
packets:
packet_one: dw 16, 1
	dw 0, BUFFER
	dq FIRST_LBA
packet_beyond: dw 16, 3
	dw 0, BUFFER
	dq 0x00000001ffffffff
packet_short: dw 8, 1
	dw 0, BUFFER
	dq FIRST_LBA
packet_edd: dw 30
	times 30 db 0xdd
packets_end:

; name, flags, SS, ESP, EAX, BX, CX, DX, SI; the other registers and halves have patterns
%macro a_call 9
	db %1
	dw %2, %3
	dd %4, 0xa1a10000 | %5, 0xb1b10000 | %6, 0xc1c10000 | %7, 0xd1d10000 | %8
	dd 0x51510000 | %9, 0xe1e1f2f2, 0xb7b7b8b8
	dw PACKETS, BUFFER, 0x1357, 0x2468
%endmacro
PLAIN equ 0x0202                ; IF
NOINT equ 0x0002
SET   equ 0x0ed7                ; OF DF IF SF ZF AF PF CF
OWN   equ stack_top - 1024

calls:
	a_call "read    ", PLAIN, PROGRAM, OWN, 0x4200, 0x1111, 0x2222, 0x80, packet_one - packets + PACKETS_OFF
	a_call "read wrp", PLAIN, PROGRAM, OWN, 0x4200, 0x1111, 0x2222, 0x80, 0xfff8
	a_call "read cli", NOINT, PROGRAM, OWN, 0x4200, 0x1111, 0x2222, 0x80, packet_one - packets + PACKETS_OFF
	a_call "read all", SET, PROGRAM, OWN, 0x4200, 0x1111, 0x2222, 0x80, packet_one - packets + PACKETS_OFF
	a_call "read sml", PLAIN, SMALL, 0x60, 0x4200, 0x1111, 0x2222, 0x80, packet_one - packets + PACKETS_OFF
	a_call "read top", PLAIN, SMALL, 0x5a5aeffe, 0x4200, 0x1111, 0x2222, 0x80, packet_one - packets + PACKETS_OFF
	a_call "read odd", PLAIN, SMALL, 0x5a5a0801, 0x4200, 0x1111, 0x2222, 0x80, packet_one - packets + PACKETS_OFF
	a_call "beyond  ", SET, SMALL, 0x60, 0x4200, 0x1111, 0x2222, 0x80, packet_beyond - packets + PACKETS_OFF
	a_call "short   ", PLAIN, SMALL, 0x60, 0x4200, 0x1111, 0x2222, 0x80, packet_short - packets + PACKETS_OFF
	a_call "verify  ", NOINT, SMALL, 0x60, 0x4400, 0x1111, 0x2222, 0x80, packet_one - packets + PACKETS_OFF
	a_call "chs read", SET, SMALL, 0x60, 0x0201, 0x0000, 0x0001, 0x80, 0
	a_call "chs bad ", PLAIN, SMALL, 0x60, 0x0205, 0x0000, 0x0000, 0x80, 0
	a_call "reset   ", SET, SMALL, 0x60, 0x0000, 0x1111, 0x2222, 0x80, 0
	a_call "params  ", NOINT, SMALL, 0x60, 0x0800, 0x1111, 0x2222, 0x80, 0
	a_call "type    ", PLAIN, SMALL, 0x60, 0x1500, 0x1111, 0x2222, 0x80, 0
	a_call "edd?    ", PLAIN, SMALL, 0x60, 0x4100, 0x55aa, 0x2222, 0x80, 0
	a_call "edd     ", PLAIN, SMALL, 0x60, 0x4800, 0x1111, 0x2222, 0x80, packet_edd - packets + PACKETS_OFF
	a_call "hidden  ", SET, SMALL, 0x60, 0x1500, 0x1111, 0x2222, 0x81, 0
	a_call "hidden r", PLAIN, SMALL, 0x60, 0x4200, 0x1111, 0x2222, 0x81, packet_one - packets + PACKETS_OFF
	a_call "absent  ", PLAIN, SMALL, 0x100, 0x1500, 0x1111, 0x2222, 0x85, 0
calls_end:

; count, LBA, offset and segment, flat address; test_int13.py goes by what is printed
%macro a_read 5
	dw %1, 0
	dd %2
	dw %3, %4
	dd %5
%endmacro
read_list:
	a_read 1, FIRST_LBA, 0, BUFFER, 0
	a_read 127, FIRST_LBA, 0, BUFFER, 0
	a_read 128, FIRST_LBA + 1, 0, BUFFER, 0
	a_read 255, FIRST_LBA - 7, 0, BUFFER, 0
	a_read 3, 0, 3, BUFFER, 0
	a_read 4, FIRST_LBA + 90, 0xfe00, BUFFER, 0     ; the segment ends inside
	a_read 2, FIRST_LBA + 91, 0, 0x2ff0, 0          ; 64 KiB between two sectors, and then
	a_read 1, FIRST_LBA + 92, 0, 0x2fff, 0          ; in the middle of one
	a_read 65, FIRST_LBA + 60, 15, 0x2fff, 0
	a_read 130, FIRST_LBA + 10, 0xffff, 0xffff, HIGH
	a_read 300, FIRST_LBA + 11, 0xffff, 0xffff, HIGH + 0x4321
	a_read 9, FIRST_LBA + 12, 0xffff, 0xffff, BUFFER * 16
	dw 0

record:	times 24 db 0
	align 4
in_regs: times CALL_REGS_BYTES db 0
	align 4
out_regs: times CALL_REGS_BYTES db 0

	times SECTORS * 512 - ($ - $$) db 0
