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
;   0000:7c00  where the firmware put it; the stack grows down from here
;   07e0:0000  LBA 0 of the drive in hand             (0x7e00..0x7fff)
;   0800:0000  stage2, at most 62 sectors             (0x8000..0xfbff)
; Buffers are given as segment:0, so that a disk with larger sectors than it
; should have writes upwards from there and never over this code.
;
; On the screen: the drive's digit (0 is 80h) and a letter for why it was left:
;   e  the firmware has no LBA reads (EDD) for this drive
;   r  LBA 0 can't be read
;   n  no mirrorboot on this disk
;   b  mirrorboot is there, with impossible numbers
;   s  stage2 can't be read
;   c  stage2 is damaged (checksum)
; then, when no drive is left, "mirrorboot: no disk has a good copy", and INT 18h.
;
; Bytes 3..59h are left free: some firmware writes a BIOS parameter block there.

bits 16

MOVED        equ 0x0600
LBA0         equ 0x7e00
STAGE2       equ 0x8000
STAGE2_MAX   equ 62              ; BOOTAREA_STAGE2_MAX
PATCH_OFF    equ 420             ; BOOTAREA_PATCH_OFF
PATCH_MAGIC  equ 0x5442524d      ; BOOTAREA_PATCH_MAGIC, "MRBT"
BDA_DRIVES   equ 0x0475          ; 40:75, number of hard disks
CRC_POLY     equ 0xedb88320

	section .text
	global start

start:
	jmp short move
	nop
	times 0x5a - ($ - $$) db 0

move:
	cli
	xor ax, ax
	mov ss, ax
	mov sp, 0x7c00
	mov ds, ax
	mov es, ax
	cld
	mov si, sp
	mov di, MOVED
	mov cx, 256
	rep movsw
	jmp 0:moved
moved:
	sti
	mov bp, 0x80            ; bp: the drive in hand. BIOS calls keep it; DL they do not

try_drive:
	mov ax, bp
	sub al, 0x80 - '0'
	call print

	; INT 13h AH=41h: EDD? in: BX=55AAh DL=drive. out: CF=0 BX=AA55h CX bit 0; DL may be lost
	mov ah, 0x41
	mov bx, 0x55aa
	mov dx, bp
	int 0x13
	mov al, 'e'
	jc failed
	cmp bx, 0xaa55
	jne failed
	shr cl, 1
	jnc failed

	; LBA 0 of this drive
	mov di, LBA0 >> 4
	mov cx, 1
	xor eax, eax
	xor ebx, ebx
	call read
	mov al, 'r'
	jc failed

	mov si, LBA0 + PATCH_OFF
	mov al, 'n'
	cmp dword [si], PATCH_MAGIC
	jne failed
	mov al, 'b'
	mov cx, [si + 12]       ; stage2_sectors
	lea bx, [ecx - 1]       ; 0 becomes ffffh
	cmp bx, STAGE2_MAX
	jae failed

	; stage2: one request, 62 sectors at most, inside 64 KiB
	mov di, STAGE2 >> 4
	mov eax, [si + 4]       ; stage2_lba, low and high half
	mov ebx, [si + 8]
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
	not ebx
	mov al, 'c'
	cmp ebx, [LBA0 + PATCH_OFF + 16]
	jne failed

	; stage2 gets DL = the drive that it came from
	mov dx, bp
	jmp 0:STAGE2

failed:
	call print
	inc bp
	mov dx, bp
	mov al, [BDA_DRIVES]
	add al, 0x80
	cmp dl, al
	jb try_drive

	mov si, message
say:
	lodsb
	call print
	cmp byte [si], 0
	jne say
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

; Read CX sectors at LBA EBX:EAX of drive BP to DI:0000. CF=1: failed.
; INT 13h AH=42h: in: DL=drive DS:SI=DAP. out: CF, AH. AL is lost, SI kept.
read:
	push si
	push ebx                ; the disk address packet, built on the stack
	push eax
	push di
	push word 0
	push cx
	push word 16
	mov si, sp
	mov ah, 0x42
	mov dx, bp
	int 0x13
	setc al
	add sp, 16
	pop si
	shr al, 1               ; CF again
	ret

message:
	db 13, 10, "mirrorboot: no disk has a good copy", 13, 10, 0

code_end:
	times PATCH_OFF - ($ - $$) db 0
	dd PATCH_MAGIC
	times 440 - ($ - $$) db 0
