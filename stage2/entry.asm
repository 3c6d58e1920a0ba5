; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; The door of stage2. The MBR jumps to 0000:6000 in real mode with DL = the drive
; that stage2 was read from. From here on everything is flat 32-bit C below 1 MiB
; (A20 is not needed), which comes back to real mode for each BIOS call. This file
; and unpack.c stay at 0x6000; the rest of stage2 lies packed behind them and is
; unpacked to where it is linked.
;
; One stack for both modes: segment 0, below 0x6000. All segments have base 0, so
; ESP means the same in both. Interrupts are on only in real mode; the IDT register
; is never changed. Memory map: docs/memory-map.md.

%ifndef RESIDENT
%define RESIDENT "resident.bin"
%endif

REGS_DWORDS equ 9               ; sizeof(struct regs) / 4, stage2/bios.h
STACK_TOP   equ 0x6000          ; linker/stage2.ld
BOOT_ADDR   equ 0x7c00

CODE32 equ 0x08
DATA32 equ 0x10
CODE16 equ 0x18
DATA16 equ 0x20

	extern stage2_main
	extern unpack
	extern high_start
	extern low_end
	extern bss_start
	extern bss_dwords

	global start
	global bios_run
	global bios_start
	global resident_image
	global resident_image_end

	section .entry progbits alloc exec write

bits 16
start:
	jmp 0:.cs_is_0
.cs_is_0:
	cli
	xor ax, ax
	mov ss, ax
	mov esp, STACK_TOP
	mov ds, ax
	mov es, ax
	cld
	movzx ebx, dl           ; the drive, across the mode switch
	mov ebp, main32

; To 32-bit mode, on to EBP. Keeps all but EAX. Segments: 0 in, flat out.
to_protected:
	cli
	lgdt [gdt_pointer]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp CODE32:.flat
bits 32
.flat:
	mov ax, DATA32
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov fs, ax
	mov gs, ax
	jmp ebp

main32:
	mov eax, high_start
	mov edx, low_end        ; the packed part begins where this one ends
	call unpack
	xor eax, eax
	mov edi, bss_start
	mov ecx, bss_dwords
	rep stosd
	mov eax, ebx
	call stage2_main        ; noreturn

; To real mode, on to EBP (below 64 KiB). Keeps all but EAX.
to_real:
	jmp CODE16:.narrow
bits 16
.narrow:
	mov ax, DATA16          ; 64 KiB limits, as real mode expects them
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov fs, ax
	mov gs, ax
	mov eax, cr0
	and al, 0xfe
	mov cr0, eax
	jmp 0:.real
.real:
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov fs, ax
	mov gs, ax
	jmp bp

bits 32
; void bios_run(uint32_t code, struct regs *r): EAX = code, two bytes of it; EDX = r
bios_run:
	push ebx
	push esi
	push edi
	push ebp
	push edx
	mov [two_bytes], ax
	mov esi, edx            ; r may lie above 64 KiB, where real mode does not reach
	mov edi, call_regs
	mov ecx, REGS_DWORDS
	rep movsd
	mov ebp, .call
	jmp to_real
bits 16
.call:
	mov eax, [call_regs]
	mov ebx, [call_regs + 4]
	mov ecx, [call_regs + 8]
	mov edx, [call_regs + 12]
	mov esi, [call_regs + 16]
	mov edi, [call_regs + 20]
	mov ebp, [call_regs + 24]
	mov es, [call_regs + 30]
	mov ds, [call_regs + 28]
	sti
two_bytes:
	dw 0                    ; int n, or hlt and nop
	cli                     ; the BIOS may have changed DS, ES and FLAGS.IF and DF
	movzx esp, sp           ; and what it believes to be nobody's: the high half
	mov [cs:call_regs], eax
	mov [cs:call_regs + 4], ebx
	mov [cs:call_regs + 8], ecx
	mov [cs:call_regs + 12], edx
	mov [cs:call_regs + 16], esi
	mov [cs:call_regs + 20], edi
	mov [cs:call_regs + 24], ebp
	mov [cs:call_regs + 28], ds
	mov [cs:call_regs + 30], es
	pushf
	pop word [cs:call_regs + 32]
	cld
	xor ax, ax
	mov ds, ax
	mov ebp, .back
	jmp to_protected
bits 32
.back:
	pop edi
	mov esi, call_regs
	mov ecx, REGS_DWORDS
	rep movsd
	pop ebp
	pop edi
	pop esi
	pop ebx
	ret

; void bios_start(uint32_t drive, uint32_t entry): EAX = drive, EDX = entry
bios_start:
	mov ebx, eax
	mov ebp, .start
	jmp to_real
bits 16
.start:
	mov esp, BOOT_ADDR
	mov esi, edx            ; DS:SI: the active partition's entry, or 0
	movzx edx, bl
	mov ebp, esi            ; some loaders look for it at DS:BP
	xor eax, eax
	xor ebx, ebx
	xor ecx, ecx
	xor edi, edi
	sti
	jmp 0:BOOT_ADDR

	align 8
gdt:
	dq 0
	dq 0x00cf9a000000ffff   ; CODE32: base 0, 4 GiB
	dq 0x00cf92000000ffff   ; DATA32
	dq 0x00009a000000ffff   ; CODE16: base 0, 64 KiB
	dq 0x000092000000ffff   ; DATA16
gdt_pointer:
	dw $ - gdt - 1
	dd gdt

	align 4
call_regs:
	times REGS_DWORDS dd 0

	section .rodata
	align 16
resident_image:
	incbin RESIDENT
resident_image_end:

	section .note.GNU-stack noalloc noexec nowrite progbits
