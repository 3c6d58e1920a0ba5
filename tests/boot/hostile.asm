; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; A BIOS worse than QEMU's: started from a floppy image, it goes resident at the top
; of base memory, hooks INT 13h, and starts LBA 0 of a disk as the firmware would.
; What it does wrong is patched into the image by tests/boot/hostile.py; how often it
; did it is counted in its memory, where the test reads it. It prints nothing.
;
; Sector 0 is the loader (at 0000:7c00), the rest the resident part (linked at 0).

RESIDENT_SECTORS equ 4
RESIDENT_KIB     equ 3           ; with the counters

; What can go wrong, a bit each; hostile.py has the same names in the same order.
NO_EDD       equ 0              ; AH=41h..49h: 01h
REFUSE_42    equ 1              ; AH=42h..44h: 01h, AH=41h claims them
LOSE_41      equ 2              ; AH=41h: DX lost
LOSE_08      equ 3              ; AH=08h: ES, DI, BX lost
NO_SECTORS   equ 4              ; AH=08h: the bad drive has tracks of no sectors
COUNT_08     equ 5              ; AH=08h: another number of drives
COUNT_BDA    equ 6              ; 40:75: another number of drives
LONG_48      equ 7              ; AH=48h writes more bytes than asked for
ZERO_48      equ 8              ; AH=48h: no sectors, no geometry
FAIL_48      equ 9              ; AH=48h: 01h
MAX_42       equ 10             ; AH=42h, 43h: too many sectors are refused, 01h
CROSS_42     equ 11             ; AH=42h, 43h: buffers across 64 KiB are refused, 09h
FIRST_42     equ 12             ; the first AH=42h of every drive fails
CORRECTED    equ 13             ; reads: CF=1 AH=11h, and good data
AH_GARBAGE   equ 14             ; reads: CF=0 AH=5Ah
DAP_COUNT    equ 15             ; AH=42h writes nonsense to the packet's count
LOSE_42      equ 16             ; AH=42h: BX, CX, DX, SI, DI, BP lost
FLAGS        equ 17             ; every call returns with IF=1, DF=1
HIGH_HALVES  equ 18             ; every call loses the high halves, FS and GS
DEAD         equ 19             ; the bad drive: every read and write fails
SLOW         equ 20             ; ... and the clock goes on half a minute meanwhile
NO_WRITES    equ 21             ; AH=03h, 43h: 01h
MODES        equ 22

BDA_EQUIPMENT equ 0x410
BDA_KIB       equ 0x413
BDA_TICKS     equ 0x46c
BDA_DRIVES    equ 0x475
SLOW_TICKS    equ 32 * 18

bits 16

; ---- the loader ---------------------------------------------------------------------------
	section .boot start=0 vstart=0x7c00

	cli
	xor ax, ax
	mov ss, ax
	mov sp, 0x7c00
	mov ds, ax
	mov es, ax
	cld
	sti
	; INT 13h AH=02h: AL sectors, CH CL DH place, DL drive, ES:BX buffer
	mov ax, 0x0200 + RESIDENT_SECTORS
	mov cx, 2
	mov dx, 0
	mov bx, 0x7e00
	int 0x13
	jc hang
	mov ax, [BDA_KIB]
	sub ax, RESIDENT_KIB
	mov [BDA_KIB], ax
	shl ax, 6
	mov es, ax
	mov si, 0x7e00
	xor di, di
	mov cx, RESIDENT_SECTORS * 256
	rep movsw

	push es
	push word start_disk
	retf
hang:
	jmp hang

	times 510 - ($ - $$) db 0
	dw 0xaa55

; ---- the resident part ----------------------------------------------------------------------
	section .resident start=512 vstart=0

; hostile.py finds this by its magic, in the image and in memory
magic:
	db "HOSTILE!"
modes:
	dd 0
entry_dl:
	db 0x80
load_from:
	db 0x80
bad_drive:
	db 0
max_sectors:
	db 0
bda_drives:
	db 0
drives_08:
	db 0
long_bytes:
	db 0
error_code:
	db 0
met:
	times 32 dw 0           ; how often each mode was met
asked_42:
	dw 0                    ; AH=42h in all
asked_02:
	dw 0
asked_bad:
	dw 0                    ; reads and writes of the bad drive

; A mode is on: say so, and go on; else jump
%macro if_mode 2                ; mode, where to otherwise
	bt dword [modes], %1
	jnc %2
%endmacro
%macro meet 1
	inc word [met + 2 * %1]
%endmacro
%macro fail 1
	mov al, %1
	jmp failed
%endmacro

int13:
	test dl, 0x80
	jz no_floppy
	mov [cs:r_eax], eax
	mov [cs:r_ds], ds
	push cs
	pop ds
	mov [r_ebx], ebx
	mov [r_ecx], ecx
	mov [r_edx], edx
	mov [r_esi], esi
	mov [r_edi], edi
	mov [r_ebp], ebp
	mov [r_es], es
	mov [function], ah
	mov [drive], dl
	cld

	; what is refused before the BIOS hears of it
	cmp ah, 0x42
	jne .not_42
	inc word [asked_42]
.not_42:
	cmp ah, 0x02
	jne .not_02
	inc word [asked_02]
.not_02:
	call is_transfer
	jnc .alive
	cmp dl, [bad_drive]
	jne .alive
	inc word [asked_bad]
	if_mode DEAD, .alive
	meet DEAD
	if_mode SLOW, .quick
	meet SLOW
	push es
	push 0
	pop es
	add dword [es:BDA_TICKS], SLOW_TICKS
	pop es
.quick:
	fail [error_code]
.alive:
	mov ah, [function]
	cmp ah, 0x41
	jb .edd
	cmp ah, 0x49
	ja .edd
	if_mode NO_EDD, .edd
	meet NO_EDD
	fail 0x01
.edd:
	cmp ah, 0x42
	jb .packets
	cmp ah, 0x44
	ja .packets
	if_mode REFUSE_42, .packets
	meet REFUSE_42
	fail 0x01
.packets:
	cmp ah, 0x48
	jne .sized
	if_mode FAIL_48, .sized
	meet FAIL_48
	fail 0x01
.sized:
	cmp ah, 0x43
	je .write
	cmp ah, 0x03
	jne .not_write
.write:
	if_mode NO_WRITES, .not_write
	meet NO_WRITES
	fail 0x01
.not_write:
	cmp ah, 0x42
	je .packet
	cmp ah, 0x43
	jne call_bios
.packet:
	mov es, [r_ds]
	mov si, [r_esi]
	movzx eax, word [es:si + 2]
	if_mode MAX_42, .any_size
	movzx cx, byte [max_sectors]
	cmp ax, cx
	jbe .any_size
	meet MAX_42
	mov word [es:si + 2], 0
	fail 0x01
.any_size:
	if_mode CROSS_42, .any_place
	movzx ecx, word [es:si + 6]
	shl ecx, 4
	movzx edx, word [es:si + 4]
	add ecx, edx
	movzx ecx, cx
	shl eax, 9
	add eax, ecx
	cmp eax, 0x10000
	jbe .any_place
	meet CROSS_42
	mov word [es:si + 2], 0
	fail 0x09
.any_place:
	if_mode FIRST_42, call_bios
	cmp byte [function], 0x42
	jne call_bios
	movzx ax, byte [drive]
	and al, 15
	bts word [seen], ax
	jc call_bios
	meet FIRST_42
	fail [error_code]

; AL is the code
failed:
	mov [r_eax + 1], al
	mov word [r_flags], 1
	jmp leave_it

call_bios:
	mov eax, [r_eax]
	mov ebx, [r_ebx]
	mov ecx, [r_ecx]
	mov edx, [r_edx]
	mov esi, [r_esi]
	mov edi, [r_edi]
	mov ebp, [r_ebp]
	mov es, [r_es]
	mov ds, [r_ds]
	pushf
	call far [cs:old_int13]
	pushf
	pop word [cs:r_flags]
	mov [cs:r_ds], ds
	push cs
	pop ds
	mov [r_eax], eax
	mov [r_ebx], ebx
	mov [r_ecx], ecx
	mov [r_edx], edx
	mov [r_esi], esi
	mov [r_edi], edi
	mov [r_ebp], ebp
	mov [r_es], es
	cld

	; what is spoiled afterwards
	mov ah, [function]
	cmp ah, 0x41
	jne .not_41
	if_mode LOSE_41, leave_it
	meet LOSE_41
	mov word [r_edx], 0x1234
.not_41:
	cmp ah, 0x08
	jne .not_08
	if_mode LOSE_08, .kept
	meet LOSE_08
	mov word [r_es], 0xdead
	mov word [r_edi], 0xbeef
	mov word [r_ebx], 0x5a5a
.kept:
	if_mode COUNT_08, .count_kept
	meet COUNT_08
	mov al, [drives_08]
	mov [r_edx], al
.count_kept:
	if_mode NO_SECTORS, leave_it
	mov al, [drive]
	cmp al, [bad_drive]
	jne leave_it
	meet NO_SECTORS
	mov word [r_ecx], 0
	jmp leave_it
.not_08:
	cmp ah, 0x48
	jne .not_48
	mov es, [r_ds]
	mov di, [r_esi]
	if_mode ZERO_48, .sectors_kept
	meet ZERO_48
	push di
	add di, 4
	mov cx, 20
	xor al, al
	rep stosb
	pop di
.sectors_kept:
	if_mode LONG_48, leave_it
	meet LONG_48
	add di, [es:di]
	movzx cx, byte [long_bytes]
	mov al, 0xe5
	rep stosb
	jmp leave_it
.not_48:
	cmp ah, 0x42
	jne .not_packet
	if_mode DAP_COUNT, .count_left
	meet DAP_COUNT
	mov es, [r_ds]
	mov si, [r_esi]
	mov word [es:si + 2], 0x7b7b
.count_left:
	if_mode LOSE_42, .read
	meet LOSE_42
	mov ax, 0x4b1d
	mov [r_ebx], ax
	mov [r_ecx], ax
	mov [r_edx], ax
	mov [r_esi], ax
	mov [r_edi], ax
	mov [r_ebp], ax
	jmp .read
.not_packet:
	cmp ah, 0x02
	jne leave_it
.read:
	test byte [r_flags], 1
	jnz leave_it
	if_mode CORRECTED, .clean
	meet CORRECTED
	or byte [r_flags], 1
	mov byte [r_eax + 1], 0x11
	jmp leave_it
.clean:
	if_mode AH_GARBAGE, leave_it
	meet AH_GARBAGE
	mov byte [r_eax + 1], 0x5a

leave_it:
	if_mode HIGH_HALVES, .halves_kept
	meet HIGH_HALVES
	mov ax, 0xc0de
	mov [r_eax + 2], ax
	mov [r_ebx + 2], ax
	mov [r_ecx + 2], ax
	mov [r_edx + 2], ax
	mov [r_esi + 2], ax
	mov [r_edi + 2], ax
	mov [r_ebp + 2], ax
	mov fs, ax
	mov gs, ax
.halves_kept:
	mov bp, sp              ; [bp] IP, [bp + 2] CS, [bp + 4] FLAGS
	mov al, [r_flags]
	and al, 1
	and byte [bp + 4], 0xfe
	or [bp + 4], al
	if_mode FLAGS, .flags_kept
	meet FLAGS
	or byte [bp + 5], 0x06  ; IF, DF
.flags_kept:
	mov eax, [r_eax]
	mov ebx, [r_ebx]
	mov ecx, [r_ecx]
	mov edx, [r_edx]
	mov esi, [r_esi]
	mov edi, [r_edi]
	mov ebp, [r_ebp]
	mov es, [r_es]
	mov ds, [r_ds]
	iret

; The floppy drive that this came from is gone: loaders shall not try it.
no_floppy:
	push bp
	mov bp, sp
	or byte [bp + 6], 1
	pop bp
	mov ah, 0x01
	iret

old_int13:
	dd 0

; Does the function read, write or verify sectors? CF=1: yes. Keeps all but AL.
is_transfer:
	mov al, [function]
	and al, 0xbf            ; 42h is 02h, and so on
	sub al, 2
	cmp al, 3
	ret

; As the firmware starts a disk: LBA 0 to 0000:7c00, and there with DL. Then the hook.
start_disk:
	push cs
	pop ds
	xor ax, ax
	mov es, ax
	mov ax, 0x0201
	mov cx, 1
	xor dx, dx
	mov dl, [load_from]
	mov bx, 0x7c00
	int 0x13
	jc $
	mov eax, [es:0x4c]
	mov [old_int13], eax
	cli
	mov word [es:0x4c], int13
	mov [es:0x4e], cs
	sti
	and byte [es:BDA_EQUIPMENT], 0x3e
	if_mode COUNT_BDA, .start
	meet COUNT_BDA
	mov al, [bda_drives]
	mov [es:BDA_DRIVES], al
.start:
	mov dl, [entry_dl]
	mov dh, 0x77
	mov ax, 0xaa55
	jmp 0:0x7c00

	align 4
r_eax:	dd 0
r_ebx:	dd 0
r_ecx:	dd 0
r_edx:	dd 0
r_esi:	dd 0
r_edi:	dd 0
r_ebp:	dd 0
r_ds:	dw 0
r_es:	dw 0
r_flags: dw 0
seen:	dw 0
function: db 0
drive:	db 0

	times RESIDENT_SECTORS * 512 - ($ - $$) db 0
