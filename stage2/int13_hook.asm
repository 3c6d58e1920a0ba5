; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; The resident part's doors: INT 13h, INT 15h E820, and INT 18h and 19h, by which a
; loader gives up. One segment, linked at 0, CS = DS = ES = SS inside. Layout:
; linker/resident.ld.

RESIDENT_MAGIC equ 0x5352424d   ; "MBRS"
STACK_BYTES    equ 736          ; our own use: the BIOS is called on the caller's stack

; struct int13_regs: what PUSHAD pushes, then these
REGS_DS    equ 32
REGS_FLAGS equ 36
REGS_BYTES equ 40

	extern int13_handle
	extern int13_disk_read
	extern int13_disk_write
	extern resident_state
	extern resident_bytes

	global bios_int13
	global bios_packet
	global far_read
	global far_write
	global bda_get
	global bda_set
	global mem_move
	global int13_entry

	section .head progbits alloc exec write
bits 16

; struct resident_head, stage2/resident.h
	dd RESIDENT_MAGIC
	dw resident_bytes
	dw int13_entry
	dw int15_entry
	dw int18_entry
	dw int19_entry
	dw old_int13
	dw resident_state
	dw int13_disk_read
	dw int13_disk_write
	dw memory_end

; INT 13h. The first 27 bytes are the "safe hook" structure, by which others see
; who is there and what was there before.
int13_entry:
	jmp short int13_go
	nop
	db "$INT13SF"
	db "MIRRBOOT"
old_int13:                      ; these lie together: struct resident_old
	dd 0
	dd 0                    ; the structure's flags
old_int15:   dd 0
old_int18:   dd 0
old_int19:   dd 0
old_kib:     dw 0
old_drives:  db 0

; A call that comes while we are inside is the BIOS's own: it knows its real numbers.
int13_nested:
	jmp far [cs:old_int13]

int13_go:
	cli
	cmp byte [cs:busy], 0
	jne int13_nested
	inc byte [cs:busy]
	mov [cs:caller_esp], esp
	mov [cs:caller_ss], ss
	push cs
	pop ss
	mov esp, stack_top      ; all of ESP: C uses it as a 32-bit address

	push fs
	push gs
	push dword 0            ; struct int13_regs: flags and pad
	push es
	push ds
	pushad
	mov edx, esp
	call segments
	mov eax, resident_state
	call dword int13_handle ; EAX = state, EDX = regs; EAX: enum int13_next
	mov [next], al

	popad
	pop ds
	pop es
	pop word [cs:flags]
	pop gs                  ; pad
	pop gs
	pop fs
	lss esp, [cs:caller_esp]
	dec byte [cs:busy]
	cmp byte [cs:next], 0
	jne int13_nested

	; Of the caller's FLAGS only carry is the answer; interrupts come back on, as
	; they do from every hard disk service that waited for one.
	push bp
	mov bp, sp              ; [bp + 2] IP, [bp + 4] CS, [bp + 6] FLAGS
	shr byte [bp + 6], 1
	shr byte [cs:flags], 1
	rcl byte [bp + 6], 1
	or byte [bp + 7], 2
	pop bp
	iret

; Ours again, after a caller or the BIOS.
segments:
	push cs
	pop ds
	push cs
	pop es
	cld
	ret

; The BIOS is called on the caller's stack, which has room for it: it would have been
; called there without us.

; void bios_int13(struct int13_regs *r): EAX = r. The registers are taken from r, and
; put back, with the stack pointer on it; interrupts are off while it is.
bios_int13:
	push ebx
	push esi
	push edi
	push ebp
	mov [inner_esp], esp
	mov esp, eax
	popad
	pop ds
	pop es
	lea sp, [esp + 2]
	mov [cs:regs_top], esp
	lss esp, [cs:caller_esp]
	pushf                   ; interrupts off, as INT would leave them
	call far [cs:old_int13]
	cli
	push cs
	pop ss
	mov esp, [cs:regs_top]
	pushf
	push es
	push ds
	pushad
back_to_c:
	mov esp, [cs:inner_esp]
	call segments
	pop ebp
	pop edi
	pop esi
	pop ebx
	o32 ret

; bool mem_move(uint32_t to, uint32_t from, uint32_t n_bytes): EAX = to, EDX = from, ECX
; INT 15h AH=87h: in: CX = words, ES:SI = table of six descriptors, source and
; destination the third and fourth; the others are the BIOS's to fill in. out: CF, AH.
mem_move:
	push ebx
	push esi
	push edi
	push ebp
	mov si, gdt
	mov [si + 18], dx
	shr edx, 16
	mov [si + 20], dl
	mov [si + 23], dh
	mov [si + 26], ax
	shr eax, 16
	mov [si + 28], al
	mov [si + 31], ah
	shr cx, 1
	mov ah, 0x87
	mov [inner_esp], esp
	lss esp, [caller_esp]
	pushf
	call far [cs:old_int15]
	cli
	push cs
	pop ss
	setnc al
	jmp back_to_c

; uint8_t bios_packet(uint8_t function, uint8_t drive, struct int13_dap *dap): AL, DL, CX
; In: AH = 42h or 43h, AL = 0 (a write is not verified), DL, DS:SI. Out: CF, AH.
bios_packet:
	push ebx
	push esi
	push edi
	push ebp
	mov ah, al
	mov al, 0
	mov si, cx
	mov [inner_esp], esp
	lss esp, [caller_esp]
	pushf
	call far [cs:old_int13]
	cli
	push cs
	pop ss
	mov al, ah
	jnc .good
	cmp al, 0x11            ; the disk corrected an error: the data are good
	je .good
	cmp al, 1               ; an error without a number is one all the same
	adc al, 0
	jmp back_to_c
.good:
	mov al, 0
	jmp back_to_c

; uint8_t bda_get(uint16_t offset): AX; void bda_set(uint16_t offset, uint8_t value): AX, DL
bda_get:
	push ds
	push word 0x40
	pop ds
	mov al, [eax]           ; the rest of EAX is 0: C passes whole registers
	pop ds
	o32 ret

bda_set:
	push ds
	push word 0x40
	pop ds
	mov [eax], dl
	pop ds
	o32 ret

; void far_read(uint16_t segment, uint16_t offset, void *to, uint16_t n_bytes)
;   AX = segment, DX = offset, ECX = to, n_bytes on the stack. SI and DI wrap at 64 KiB.
far_read:
	push esi
	push edi
	push ds
	mov si, dx
	mov di, cx
	mov cx, [esp + 14]
	mov ds, ax
	rep movsb
	pop ds
	pop edi
	pop esi
	o32 ret

; void far_write(uint16_t segment, uint16_t offset, const void *from, uint16_t n_bytes)
far_write:
	push esi
	push edi
	push es
	mov di, dx
	mov si, cx
	mov cx, [esp + 14]
	mov es, ax
	rep movsb
	pop es
	pop edi
	pop esi
	o32 ret

; A loader that gives up (INT 18h) or starts the machine's boot again (INT 19h): the next
; one finds the BIOS as it was, and us where it begins. Only if nobody hooked in after us.
int18_entry:
	call unhook
	jmp far [cs:old_int18]

int19_entry:
	call unhook
	jmp far [cs:old_int19]

unhook:
	push ds
	push eax
	xor ax, ax
	mov ds, ax
	mov ax, cs
	cmp [0x13 * 4 + 2], ax
	jne .not_ours
	cmp [0x15 * 4 + 2], ax
	jne .not_ours
	mov eax, [cs:old_int13]
	mov [0x13 * 4], eax
	mov eax, [cs:old_int15]
	mov [0x15 * 4], eax
	mov eax, [cs:old_int18]
	mov [0x18 * 4], eax
	mov eax, [cs:old_int19]
	mov [0x19 * 4], eax
	mov ax, [cs:old_kib]
	mov [0x413], ax
	mov al, [cs:old_drives]
	mov [0x475], al
.not_ours:
	pop eax
	pop ds
	ret

; INT 15h: the memory map loses what we occupy; records longer than 20 bytes stay whole.
; E820h: in: EAX=E820h EDX="SMAP" EBX ES:DI ECX. out: CF EAX EBX ECX, record at ES:DI.
int15_entry:
	cmp ax, 0xe820
	jne .chain
	cmp edx, 0x534d4150
	jne .chain
	pushf
	call far [cs:old_int15]
	push bp
	mov bp, sp
	jc .failed
	and byte [bp + 6], 0xfe
	push eax
	cmp dword [es:di + 16], 1       ; usable memory?
	jne .done
	cmp dword [es:di + 4], 0        ; that starts below 640 KiB?
	jne .done
	cmp dword [es:di], 0xa0000
	jae .done
	mov eax, [cs:memory_end]
	sub eax, [es:di]                ; how much of it lies below our memory
	jbe .all
	cmp dword [es:di + 12], 0
	jne .cut
	cmp [es:di + 8], eax
	jbe .done
.cut:
	mov [es:di + 8], eax
	mov dword [es:di + 12], 0
	jmp .done
.all:
	mov byte [es:di + 16], 2        ; reserved, all of it
.done:
	pop eax
	pop bp
	iret
.failed:
	or byte [bp + 6], 1
	pop bp
	iret
.chain:
	jmp far [cs:old_int15]

	align 4
memory_end:  dd 0
caller_esp:  dd 0
caller_ss:   dw 0
flags:       dw 0
inner_esp:   dd 0
regs_top:    dd 0
gdt:
	times 2 dq 0
	dq 0x000093000000ffff   ; source: 64 KiB, writable data; mem_move gives the base
	dq 0x000093000000ffff   ; destination
	times 2 dq 0
busy:        db 0
next:        db 0

	section .bss
	align 16
	resb STACK_BYTES
stack_top:

	section .note.GNU-stack noalloc noexec nowrite progbits
