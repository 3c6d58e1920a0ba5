; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; Boot code for tests/bench_bios.py, as an MBR of its own, behind mirrorboot, or as a
; file that GRUB starts. It calls MARK, where tests/bench_count.c looks at its counters,
; right before and right after: a loop of known length; each INT 13h AH=42h request.
;
;   nasm -f bin -DFIRST_LBA=n
;
; On COM1: "bench: started" and the ticks (hexadecimal) since bench_bios.py's few bytes in
; the MBR have read the TSC, then "bench: done" or "bench: failed".

MARK   equ 0x7c10               ; bench_bios.py knows these two
LOOPS  equ 10000
BUFFER equ 0x1000               ; segment; 127 sectors end below 0x20000
COM1   equ 0x3f8
TICKS  equ 0x5f0                ; the MBR's: low half, high half

bits 16
org 0x7c00
	jmp short start
	times MARK - 0x7c00 - ($ - $$) db 0
mark:
	ret

start:
	mov bl, dl              ; the drive
	rdtsc
	mov ecx, eax            ; EDX:ECX, until there are segments
	cli
	xor ax, ax
	mov ss, ax
	mov sp, 0x7c00
	mov ds, ax
	mov es, ax
	cld
	sub ecx, [TICKS]
	sbb edx, [TICKS + 4]
	mov [ticks], ecx
	mov [ticks + 4], edx
	mov [drive], bl

	call mark
	mov cx, LOOPS           ; with RET, MOV and CALL: LOOPS + 3 instructions
	loop $
	call mark

	sti
	mov si, started
	call say
	mov si, ticks + 7
	mov cx, 8
	std
next_digits:
	lodsb
	aam 16                  ; AH, AL: the two digits
	call digit
	xchg al, ah
	call digit
	loop next_digits
	cld
	mov si, line
	call say

	mov di, sizes
next_size:
	mov ax, [di]
	mov bp, [di + 2]        ; bp: requests to go. BIOS calls keep it
	test bp, bp
	jz finished
	mov dword [dap.lba], FIRST_LBA
next_request:
	mov word [dap], 16
	mov ax, [di]
	mov [dap.count], ax
	call mark
	; INT 13h AH=42h: in: DL=drive DS:SI=DAP. out: CF, AH
	mov si, dap
	mov dl, [drive]
	mov ah, 0x42
	int 0x13
	call mark
	jc failed
	movzx eax, word [di]
	add [dap.lba], eax
	dec bp
	jnz next_request
	add di, 4
	jmp next_size

finished:
	mov si, done
	jmp last
failed:
	mov si, failure
last:
	call say
	hlt
	jmp $ - 1

; AH's digit to COM1. Keeps all.
digit:
	pusha
	mov al, ah
	cmp al, 10
	sbb al, 0x69
	das
	call put
	popa
	ret

; AL to COM1, as it is after the BIOS set it up. Takes AX, DX.
put:
	mov ah, al
	mov dx, COM1 + 5
.wait:
	in al, dx
	test al, 0x20           ; room for a character?
	jz .wait
	mov dx, COM1
	mov al, ah
	out dx, al
	ret

; The text at SI to COM1.
say:
	lodsb
	test al, al
	jz .end
	call put
	jmp say
.end:
	ret

started: db 13, 10, "bench: started ", 0
line:    db 13, 10, 0
done:    db "bench: done", 13, 10, 0
failure: db "bench: failed", 13, 10, 0

; Sectors a request, requests. bench_bios.py knows the order and the numbers.
sizes:
%ifndef NO_READS
	dw 127, 16
	dw 8, 16
	dw 1, 32
%endif
	dw 0, 0

drive: db 0
	align 4
ticks: dq 0
dap:
	dw 16
.count:
	dw 0
	dw 0, BUFFER
.lba:
	dq FIRST_LBA

	times 440 - ($ - $$) db 0
