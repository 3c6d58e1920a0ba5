; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; The resident part's doors: INT 13h and INT 15h E820. One segment, linked at 0,
; CS = DS = ES = SS inside. Layout: linker/resident.ld.

RESIDENT_MAGIC equ 0x5352424d   ; "MBRS"
STACK_BYTES    equ 1088

	extern int13_handle
	extern int13_disk_read
	extern resident_state
	extern resident_bounce
	extern resident_bytes

	global bios_int13
	global far_read
	global far_write
	global int13_entry

	section .head progbits alloc exec write
bits 16

; struct resident_head, stage2/resident.h
	dd RESIDENT_MAGIC
	dw resident_bytes
	dw int13_entry
	dw int15_entry
	dw old_int13
	dw old_int15
	dw resident_state
	dw int13_disk_read
	dw resident_bounce
	dw memory_end
	dw 0

; INT 13h. The first 27 bytes are the "safe hook" structure, by which others see
; who is there and what was there before.
int13_entry:
	jmp short int13_go
	nop
	db "$INT13SF"
	db "MIRRBOOT"
old_int13:
	dd 0
	dd 0

; A call that comes while we are inside is the BIOS's own: it knows its real numbers.
int13_nested:
	jmp far [cs:old_int13]

int13_go:
	cli
	cmp byte [cs:busy], 0
	jne int13_nested
	mov byte [cs:busy], 1
	mov [cs:caller_esp], esp
	mov [cs:caller_ss], ss
	mov [cs:scratch], eax
	mov ax, cs
	mov ss, ax
	mov esp, stack_top      ; all of ESP: C uses it as a 32-bit address
	mov eax, [cs:scratch]

	push fs
	push gs
	sub esp, 4              ; struct int13_regs: flags and pad
	push es
	push ds
	push ebp
	push edi
	push esi
	push edx
	push ecx
	push ebx
	push eax
	mov edx, esp
	mov ax, cs
	mov ds, ax
	mov es, ax
	cld
	mov word [edx + 32], 0
	mov eax, resident_state
	call dword int13_handle ; EAX = state, EDX = regs; EAX: enum int13_next
	mov [next], al

	pop eax
	pop ebx
	pop ecx
	pop edx
	pop esi
	pop edi
	pop ebp
	pop ds
	pop es
	pop word [cs:flags]
	add sp, 2
	pop gs
	pop fs
	mov ss, [cs:caller_ss]
	mov esp, [cs:caller_esp]
	mov byte [cs:busy], 0
	cmp byte [cs:next], 0
	jne int13_nested

	; Of the caller's FLAGS only carry is the answer; interrupts come back on, as
	; they do from every hard disk service that waited for one.
	push bp
	mov bp, sp              ; [bp + 2] IP, [bp + 4] CS, [bp + 6] FLAGS
	push ax
	mov al, [cs:flags]
	and al, 1
	and byte [bp + 6], 0xfe
	or [bp + 6], al
	or byte [bp + 7], 2
	pop ax
	pop bp
	iret

; void bios_int13(struct int13_regs *r): EAX = r
bios_int13:
	push ebx
	push esi
	push edi
	push ebp
	mov [scratch], eax
	mov ebx, eax
	mov ecx, [ebx + 8]
	mov edx, [ebx + 12]
	mov esi, [ebx + 16]
	mov edi, [ebx + 20]
	mov ebp, [ebx + 24]
	mov es, [ebx + 30]
	push word [ebx + 28]
	mov eax, [ebx]
	mov ebx, [ebx + 4]
	pop ds
	pushf                   ; interrupts off, as INT would leave them
	call far [cs:old_int13]
	pushf
	push ds
	push ebx
	mov bx, cs
	mov ds, bx
	mov ebx, [scratch]
	mov [ebx], eax
	pop dword [ebx + 4]
	mov [ebx + 8], ecx
	mov [ebx + 12], edx
	mov [ebx + 16], esi
	mov [ebx + 20], edi
	mov [ebx + 24], ebp
	pop word [ebx + 28]
	mov [ebx + 30], es
	pop word [ebx + 32]
	push cs
	pop es
	cli
	cld
	pop ebp
	pop edi
	pop esi
	pop ebx
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
old_int15:   dd 0
memory_end:  dd 0
caller_esp:  dd 0
scratch:     dd 0
caller_ss:   dw 0
flags:       dw 0
busy:        db 0
next:        db 0

	section .bss
	align 16
	resb STACK_BYTES
stack_top:

	section .note.GNU-stack noalloc noexec nowrite progbits
