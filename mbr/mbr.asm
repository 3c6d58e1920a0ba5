; SPDX-License-Identifier: BSD-2-Clause
; Copyright (c) 2026, The mirrorboot authors
;
; The boot code in LBA 0 of every disk of a mirror: 440 bytes that find stage2 on
; any disk that still answers, check it, and start it. The partition table and the
; disk signature behind these bytes are the disk's own and are not touched.
;
; Which disk the firmware started is not asked (DL is wrong too often): every
; drive is tried, 80h first, and each by the numbers in its own LBA 0.
;
; Memory:
;   0000:0600  this code, after it has moved itself   (0x0600..0x07b7)
;   0080:0000  LBA 0 of the drive in hand             (0x0800..0x09ff)
;   0000:6000  the stack grows down from here
;   0600:0000  stage2, at most 80 sectors             (0x6000..0xffff)
;   0000:7c00  where the firmware put this code
; Buffers are given as segment:0, so that a disk with larger sectors than it
; should have writes upwards from there and never over this code.
;
; A BIOS is believed in nothing that can be checked: DL is set before each call, DF
; cleared after it, sizes and geometry bounded, the bytes themselves tested by CRC.
;
; On the screen: the drive's digit (0 is 80h) and a letter for why it was left:
;   r  LBA 0 can't be read, by LBA (EDD) or by cylinder, head and sector
;   n  no mirrorboot on this disk
;   b  mirrorboot is there, with impossible numbers
;   s  stage2 can't be read
;   c  stage2 is damaged (checksum)
; then, when no drive is left, "mirrorboot: no disk has a good copy", and INT 18h.
;
; Bytes 3..59h hold no code: some firmware writes a BIOS parameter block there. The
; message at their end is all that it can spoil.

bits 16

MOVED        equ 0x0600
LBA0         equ 0x0800
STAGE2       equ 0x6000
STAGE2_MAX   equ 80              ; BOOTAREA_STAGE2_MAX
PATCH_OFF    equ 420             ; BOOTAREA_PATCH_OFF
PATCH_MAGIC  equ 0x3242524d      ; BOOTAREA_PATCH_MAGIC, "MRB2"
BDA_DRIVES   equ 0x0475          ; 40:75, number of hard disks
CRC_POLY     equ 0xedb88320
MESSAGE_BYTES equ 39

	section .text
	global start

start:
	jmp short move
	nop
	times 0x5a - MESSAGE_BYTES - ($ - $$) db 0
message:
	db 13, 10, "mirrorboot: no disk has a good copy", 13, 10

move:
	cli
	xor ax, ax
	mov ss, ax
	mov sp, STAGE2
	mov ds, ax
	mov es, ax
	cld
	mov si, 0x7c00
	mov di, MOVED
	mov cx, 256
	rep movsw
	jmp 0:moved
moved:
	sti
	mov bp, 0x80            ; bp: the drive in hand. Kept here, whatever BIOS calls do to it

try_drive:
	mov ax, bp
	sub al, 0x80 - '0'
	call print

	; LBA 0 of this drive
	mov di, LBA0 >> 4
	mov cx, 1
	xor eax, eax
	cdq
	call read
	mov al, 'r'
	jc failed

	mov si, LBA0 + PATCH_OFF
	mov al, 'n'
	cmp dword [si], PATCH_MAGIC
	jne failed
	mov al, 'b'
	mov cx, [si + 12]       ; stage2_sectors: 1 to 80
	dec cx
	cmp cx, STAGE2_MAX
	jae failed
	inc cx

	; stage2: one request, of fewer sectors than any BIOS refuses (127), inside 64 KiB
	mov di, STAGE2 >> 4
	mov eax, [si + 4]       ; stage2_lba, low and high half
	mov edx, [si + 8]
	push cx
	call read
	pop cx
	mov al, 's'
	jc failed

	; CRC-32 of what came, bit by bit: the table would be larger than this code
	shl cx, 9               ; bytes
	mov si, STAGE2
	or ebx, -1
crc_byte:
	lodsb
	xor bl, al
	mov dl, 8
crc_bit:
	shr ebx, 1
	jnc crc_no_poly
	xor ebx, CRC_POLY
crc_no_poly:
	dec dl
	jnz crc_bit
	loop crc_byte
	mov al, 'c'
	xor ebx, [LBA0 + PATCH_OFF + 16]
	inc ebx                 ; 0: they were each other's complement
	jnz failed

	; stage2 gets DL = the drive that it came from
	mov dx, bp
	db 0xe9                 ; jmp near STAGE2, in segment 0 as we are
	dw STAGE2 - MOVED - ($ + 2 - $$)

failed:
	call print
	inc bp
	mov dx, bp
	mov al, [BDA_DRIVES]
	add al, 0x80
	cmp dl, al
	jb try_drive

	mov si, message
	mov cx, MESSAGE_BYTES
say:
	lodsb
	call print
	loop say
	; INT 18h: no bootable disk. in: nothing. The firmware goes on with its next device
	int 0x18
	jmp $

; Print AL. INT 10h AH=0Eh: in: AL=character BH=page BL=colour. Keeps all but AX, BX.
print:
	mov ah, 0x0e
	mov bx, 7
	push bp                 ; some video BIOSes lose it when the screen scrolls
	int 0x10
	pop bp
	ret

; Read CX sectors at LBA EDX:EAX of drive BP to DI:0000. CF=1: failed. Keeps SI, BP.
read:
	pushad
	push edx                ; the disk address packet, built on the stack: 16 bytes
	push eax
	push di
	push word 0
	push cx
	push word 16
	; AH=41h: EDD? in: BX=55AAh. out: BX=AA55h
	mov ah, 0x41
	mov bx, 0x55aa
	call bios
	cmp bx, 0xaa55
	stc
	jne no_edd
	; AH=42h: in: DS:SI=packet
	mov si, sp
	mov ah, 0x42
	call bios
no_edd:
	popa                    ; the packet
	popad
	jnc read_done

	; No EDD, or it failed: sector after sector by the drive's geometry, which is
	; asked for each time. This is the second try of a read that failed, too.
chs:
	pushad
	; AH=08h: out: CF, CL bits 0-5 last sector, DH last head. BX, DI, ES may be lost
	mov ah, 8
	call bios
	mov bp, sp              ; [bp + 28] EAX, [bp + 8] BP, [bp] DI
	jc chs_done
	and ecx, 0x3f
	cmp cx, 1               ; tracks of no sectors: CF
	jc chs_done
	movzx ebx, dh
	inc bx
	mov eax, [bp + 28]
	xor edx, edx
	div ecx                 ; by 1..63, then by 1..256: never an overflow
	inc dx                  ; sectors count from 1
	mov cl, dl
	xor dx, dx
	div ebx                 ; AX cylinder, DL head
	mov ch, al
	shl ah, 6
	or cl, ah
	mov dh, dl
	mov dl, [bp + 8]
	mov es, [bp]
	xor bx, bx
	; AH=02h: in: AL=count, CH, CL, DH, ES:BX. A cylinder beyond 1023 gets the wrong
	; sector here, and the checksum finds it
	mov ax, 0x0201
	call bios_dx
chs_done:
	popad
	jc read_done
	add di, 512 >> 4
	inc eax
	loop chs                ; leaves CF=0 of the add
read_done:
	ret

; INT 13h for drive BP; bios_dx: DX is set. CF=1: failed; 11h is data that the disk corrected.
bios:
	mov dx, bp
bios_dx:
	int 0x13
	cld
	jnc bios_done
	sub ah, 0x11
	neg ah                  ; CF, unless it is 0
bios_done:
	ret

code_end:
	times PATCH_OFF - ($ - $$) db 0
	dd PATCH_MAGIC
	times 440 - ($ - $$) db 0
